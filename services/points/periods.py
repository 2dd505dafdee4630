"""The calendar periods that quotas, rankings and the public ledger count by. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from contracts.reward import Period

PARTS: Final = (10, 20)
"""A month has three parts: days up to the 10th, up to the 20th, and the rest."""


def period_of(period: Period, at: datetime, zone: tzinfo) -> str:
    """The period that a moment falls into, in words that sort: `2026-11`, `2026-W48`."""
    day = at.astimezone(zone).date()
    match period:
        case Period.DAY:
            return day.isoformat()
        case Period.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case Period.MONTH:
            return month_of(at, zone)
        case Period.YEAR:
            return f"{day.year:04}"
        case Period.EVER:
            return "ever"


def month_of(at: datetime, zone: tzinfo) -> str:
    """The month that a moment falls into: `2026-11`."""
    day = at.astimezone(zone).date()
    return f"{day.year:04}-{day.month:02}"


def part_of(at: datetime, zone: tzinfo) -> int:
    """Which third of its month a moment falls into: 1, 2 or 3."""
    day = at.astimezone(zone).day
    return 1 + sum(day > last for last in PARTS)
