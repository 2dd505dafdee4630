"""What rule documents share: limits, names in one or two languages, how an error is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.envelope import Id, Time, Words


class DocumentKind(StrEnum):
    """The five documents that a rulebook is made of, in the order of its label."""

    CATALOGUE = "catalogue"
    PLACES = "places"
    ROUTING = "routing"
    CALENDAR = "calendar"
    EARNING = "earning"


class Part(BaseModel):
    """Base of everything that stands in a rule document: read strictly, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_both(value: Any) -> Any:
    return {"zh": value, "en": value} if isinstance(value, str) else value


Named = Annotated[Words, BeforeValidator(_in_both)]
"""Words in both languages; a plain text stands for both, where there is only one."""


class DocumentBase(Part):
    """What every rule document says of itself."""

    rulebook: Id
    """The rulebook that it belongs to: the district's short name."""
    version: Annotated[int, Field(gt=0)]
    effective_from: Time
    title: Named | None = None


class LimitUnit(StrEnum):
    """In what a limit is counted."""

    URGENT_HOUR = "urgent_hour"
    """Runs through nights, weekends and holidays."""
    WORK_HOUR = "work_hour"
    """Counts in working hours only."""
    WORK_DAY = "work_day"
    """As many working hours as a full day has (`Calendar.hours_of_a_work_day`)."""
    NATURAL_DAY = "natural_day"
    """24 hours, without a break."""


_LIMIT: Final = re.compile(r"^\s*(\d+)\s+(urgent_hour|work_hour|work_day|natural_day)s?\s*$")


class Limit(Part):
    """How long something may take. In a file also `4 work_hours`."""

    amount: Annotated[int, Field(gt=0, le=10_000)]
    unit: LimitUnit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'s' if self.amount > 1 else ''}"

    @property
    def roughly(self) -> timedelta:
        """Of the size of it, for putting limits in order; never for a due time."""
        hours = {LimitUnit.WORK_DAY: 24, LimitUnit.NATURAL_DAY: 24}.get(self.unit, 1)
        return timedelta(hours=self.amount * hours)


def _limit(value: Any) -> Any:
    if isinstance(value, str):
        if found := _LIMIT.match(value):
            return {"amount": int(found[1]), "unit": found[2]}
        raise ValueError(
            "a limit is a number and urgent_hours, work_hours, work_days or natural_days, "
            "such as '4 work_hours'"
        )
    return value


Within = Annotated[Limit, BeforeValidator(_limit)]
"""A limit, also as text: `2 urgent_hours`."""

Ref = Id
"""A unit, or a relative role that resolves to one by place and asset."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in a rule document: where, why, and what to do."""

    kind: str
    """Which document."""
    path: str
    reason: str
    suggestion: str = ""
    severity: Severity = "error"
    """A warning is shown; an error keeps the document from being put in force."""

    def __str__(self) -> str:
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.kind}: {self.path}: {self.reason}{advice}"


def repeated(codes: Iterable[str]) -> list[str]:
    """The codes that stand there more than once."""
    return sorted(code for code, times in Counter(codes).items() if times > 1)
