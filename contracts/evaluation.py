"""Stream `evaluation.<month>`: the published figures of a month. Written by router.

What is published is a snapshot: it says up to which place of the log it counts, so that the same
cases can be counted again at any time. Facts that come later show as corrections beside it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from contracts.envelope import Command, Fact, PartyId, Time

Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""Such as `2026-11`, in the district's time."""
Numbers = dict[str, float | int | None]
"""Counts and shares by name."""


class EvaluationRefusal(StrEnum):
    """Why a month is not published."""

    NOT_OVER = "not_over"
    NOT_YOURS = "not_yours"
    ALREADY_PUBLISHED = "already_published"


class PublishMonth(Command, room="router"):
    """Publish the figures of a month as they are now. Once."""

    month: Month


class MonthPublished(Fact, stream="evaluation"):
    """The figures of a month as they were at `as_of`."""

    month: Month
    first: Time
    end: Time
    as_of: int
    """The last fact of the log that is counted."""
    formulas: int
    """The version of the formulas."""
    figures: dict[str, dict[str, Numbers]]
    """By dimension (all, area, department, condition) and value."""
    by: PartyId
