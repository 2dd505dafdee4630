"""The figures of evaluation, by fixed formulas. Pure; docs/evaluation.md tells where each is from.

A figure is a pair of lists of cases, so every number opens into what it counts. Formulas have a
version: a published month says by which it was counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from math import ceil
from typing import Final, TypeAlias

from contracts.case import CloseOutcome, Task
from contracts.evaluation import Numbers
from services.router.tables.course import CourseRow, Ended, Stay, decisive

FORMULAS: Final = 2
"""Raised whenever the same cases would give another figure."""


class By(StrEnum):
    """What figures are told apart by."""

    ALL = "all"
    AREA = "area"
    DEPARTMENT = "department"
    CONDITION = "condition"
    REPORTER = "reporter"
    PLATFORM = "platform"
    MONTH = "month"


class Count(StrEnum):
    """What is counted. Each is a list of cases."""

    OPENED = "opened"
    DUE = "due"
    CLOSED = "closed"
    """Of the due ones."""
    ON_TIME = "on_time"
    LATE = "late"
    """Of the due ones: closed, but not on time."""
    OPEN_OVERDUE = "open_overdue"
    WAITING = "waiting"
    """Of the due ones: handed in before it was due, and not verified yet."""
    EXCUSED = "excused"
    """Late and excused on appeal: out of the rates, shown beside them."""
    DISPATCHED = "dispatched"
    """Handovers to a unit that is to handle it; a case stands here once for each."""
    RETURNED = "returned"
    PASSED_ON_LATE = "passed_on_late"
    """Given back, handed on or routed elsewhere after it was due: in no rate, shown beside them."""
    EXTENDED = "extended"
    SUSPENDED = "suspended"
    RESOLVED = "resolved"
    REWORKED = "reworked"
    CANCELLED = "cancelled"


class Rate(StrEnum):
    """Shares, each of two counts."""

    CLOSE = "close_rate"
    ON_TIME = "on_time_rate"
    REWORK = "rework_rate"
    RETURN = "return_rate"
    RIGHT_DISPATCH = "right_dispatch_rate"
    EXTENSION = "extension_rate"
    SUSPENSION = "suspension_rate"


RATES: Final[Mapping[Rate, tuple[Count, Count]]] = {
    Rate.CLOSE: (Count.CLOSED, Count.DUE),
    Rate.ON_TIME: (Count.ON_TIME, Count.DUE),
    Rate.REWORK: (Count.REWORKED, Count.RESOLVED),
    Rate.RETURN: (Count.RETURNED, Count.DISPATCHED),
    Rate.EXTENSION: (Count.EXTENDED, Count.DISPATCHED),
    Rate.SUSPENSION: (Count.SUSPENDED, Count.DISPATCHED),
}
"""Numerator and denominator; `right_dispatch_rate` is one less `return_rate`."""

PUBLISHED: Final = (By.ALL, By.AREA, By.DEPARTMENT, By.CONDITION)
"""What a published month is told apart by: never by persons."""

Counted: TypeAlias = tuple[Count, str, datetime]
"""A count, the unit that it counts for, and when."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment to a later one, which is not part of it; and until when is known."""

    first: datetime
    end: datetime
    now: datetime

    def __contains__(self, moment: datetime | None) -> bool:
        return moment is not None and self.first <= moment < self.end


@dataclass(frozen=True, slots=True)
class Ways:
    """How what a case says is read: in which month a moment lies, and in which areas an area."""

    month: Callable[[datetime], str] = lambda at: at.strftime("%Y-%m")
    inside: Callable[[str], Sequence[str]] = lambda area: (area,)
    """The area and what it is part of, from the smallest to the largest."""


PLAINLY: Final = Ways()


@dataclass(slots=True)
class Figures:
    """What was counted for one area, department, condition, reporter or month."""

    cases: dict[Count, list[str]] = field(default_factory=dict)
    hours: list[float] = field(default_factory=list)
    """From dispatch to the result that was verified, of cases closed as fixed in the period."""

    def count(self, what: Count) -> int:
        """How many cases it is."""
        return len(self.cases.get(what, ()))

    def rate(self, rate: Rate) -> float | None:
        """A share between 0 and 1; None where there is nothing to divide by."""
        if rate is Rate.RIGHT_DISPATCH:
            returned = self.rate(Rate.RETURN)
            return None if returned is None else 1 - returned
        part, whole = RATES[rate]
        return self.count(part) / self.count(whole) if self.count(whole) else None

    @property
    def mean_hours(self) -> float | None:
        """The average handling time."""
        return sum(self.hours) / len(self.hours) if self.hours else None

    @property
    def p90_hours(self) -> float | None:
        """The handling time within which nine of ten were done (nearest rank)."""
        ranked = sorted(self.hours)
        return ranked[ceil(0.9 * len(ranked)) - 1] if ranked else None

    def summary(self) -> Numbers:
        """All figures by name, shares and hours rounded."""
        return {
            **{str(what): self.count(what) for what in Count},
            **{str(rate): _rounded(self.rate(rate), 6) for rate in Rate},
            "mean_hours": _rounded(self.mean_hours, 2),
            "p90_hours": _rounded(self.p90_hours, 2),
        }


MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def month_of(month: str, zone: tzinfo, now: datetime) -> Period:
    """A month by the clock on the district's walls. Raises `ValueError`."""
    found = MONTH.fullmatch(month)
    if found is None:
        raise ValueError(f"{month!r} is no month: write it as 2026-11")
    year, number = int(found[1]), int(found[2])
    first = datetime(year, number, 1, tzinfo=zone)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return Period(first, end, now)


def summaries(
    rows: Sequence[CourseRow], period: Period, ways: Ways = PLAINLY
) -> dict[str, dict[str, Numbers]]:
    """All figures of a period, by everything that is published of it."""
    return {
        str(by): {
            value: figures.summary() for value, figures in evaluate(rows, period, by, ways).items()
        }
        for by in PUBLISHED
    }


def evaluate(
    rows: Iterable[CourseRow], period: Period, by: By = By.ALL, ways: Ways = PLAINLY
) -> dict[str, Figures]:
    """The figures of a period, for each value of `by`. History and what joined is not counted.

    An area counts what lies in it, its parts included.
    """
    found: dict[str, Figures] = {}
    for row in rows:
        if row.history:
            continue
        for what, unit, at in _counted(row, period):
            for whose in _values(row, by, unit, at, ways):
                found.setdefault(whose, Figures()).cases.setdefault(what, []).append(row.case_id)
        for unit, at, hours in _handling_times(row, period):
            for whose in _values(row, by, unit, at, ways):
                found.setdefault(whose, Figures()).hours.append(hours)
    return dict(sorted(found.items()))


def _counted(row: CourseRow, period: Period) -> Iterator[Counted]:
    last = row.stays[-1].unit if row.stays else ""
    if row.opened_at in period and not row.joined:
        yield Count.OPENED, last, row.opened_at
    if row.outcome is CloseOutcome.CANCELLED:
        if row.closed_at and row.closed_at in period:
            yield Count.CANCELLED, last, row.closed_at
        return
    if not row.joined:
        yield from _of_deadline(row, period)
        yield from _of_stays(row, period)


def _of_deadline(row: CourseRow, period: Period) -> Iterator[Counted]:
    """Due, and what came of it: judged by the unit that handled it last."""
    stay = decisive(row)
    if stay is None or row.due_at is None or row.due_at not in period or row.due_at > period.now:
        return
    unit, due = stay.unit, row.due_at
    if stay.excused:
        yield Count.EXCUSED, unit, due
        return
    yield Count.DUE, unit, due
    if row.closed_at is None:
        in_time = stay.resolved_at is not None and not stay.late
        yield (Count.WAITING if in_time else Count.OPEN_OVERDUE), unit, due
        return
    yield Count.CLOSED, unit, due
    yield (Count.LATE if stay.late else Count.ON_TIME), unit, due


def _of_stays(row: CourseRow, period: Period) -> Iterator[Counted]:
    """What each unit was given to handle, and what it did with it."""
    for stay in row.stays:
        if not stay.handles:
            continue
        if (at := stay.dispatched_at) in period and stay.task is Task.HANDLE:
            yield Count.DISPATCHED, stay.unit, at
            if stay.ended is Ended.RETURNED:
                yield Count.RETURNED, stay.unit, at
            if stay.extensions:
                yield Count.EXTENDED, stay.unit, at
            if stay.suspensions:
                yield Count.SUSPENDED, stay.unit, at
        gone = stay.ended not in (None, Ended.CLOSED, Ended.JOINED)
        if gone and stay.late and not stay.excused and stay.due_at in period:
            yield Count.PASSED_ON_LATE, stay.unit, stay.due_at
        if (done := stay.first_resolved_at) and done in period:
            yield Count.RESOLVED, stay.unit, done
            if stay.reworks:
                yield Count.REWORKED, stay.unit, done


def _handling_times(row: CourseRow, period: Period) -> Iterator[tuple[str, datetime, float]]:
    stay = decisive(row)
    if stay is None or row.outcome is not CloseOutcome.FIXED or row.closed_at is None:
        return
    if row.closed_at in period and stay.resolved_at:
        yield stay.unit, row.closed_at, _hours(stay)


def _hours(stay: Stay) -> float:
    done = stay.resolved_at or stay.dispatched_at
    return (done - stay.dispatched_at) / timedelta(hours=1)


def _values(row: CourseRow, by: By, unit: str, at: datetime, ways: Ways) -> Sequence[str]:
    """For what it counts: one value, or an area with all that it is part of."""
    match by:
        case By.ALL:
            return ("all",)
        case By.AREA:
            return (ways.inside(row.area) or (row.area,)) if row.area else ("-",)
        case By.DEPARTMENT:
            return (unit or "-",)
        case By.CONDITION:
            return (row.condition or "-",)
        case By.REPORTER:
            return (row.rider_id,)
        case By.PLATFORM:
            return (row.platform,)
        case By.MONTH:
            return (ways.month(at),)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
