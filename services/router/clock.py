"""Working time, and what is left of a limit. Pure.

A limit runs at one of two paces. *Running*: urgent hours and natural days, through nights and
holidays. *Working*: work hours and work days, in the working hours of the calendar alone, by the
wall clock of its time zone. So every clock is a number of seconds at a pace, and pausing is to
remember how many are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final, TypeAlias

from contracts.case import Pace
from contracts.rulebook import Limit, LimitUnit
from services.router.calendar import WorkCalendar

_SECOND: Final = timedelta(seconds=1)
_NEXT: Final = timedelta(days=1)
_MICRO: Final = 1_000_000
_MIDNIGHT: Final = 24 * 3600 * _MICRO
_HOUR: Final = 3600
_LONGEST: Final = 40_000
"""Days that are looked through for a deadline: more than any limit needs."""

_PACES: Final = {
    LimitUnit.URGENT_HOUR: Pace.RUNNING,
    LimitUnit.NATURAL_DAY: Pace.RUNNING,
    LimitUnit.WORK_HOUR: Pace.WORKING,
    LimitUnit.WORK_DAY: Pace.WORKING,
}

_Day: TypeAlias = tuple[tuple[int, int], ...]
"""Working hours of a day, in microseconds from midnight."""


class WorkingTime:
    """When limits are used up, and how much of one goes by between two moments."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self.zone = calendar.zone
        self._calendar = calendar
        self._days: dict[date, _Day] = {}

    def seconds(self, limit: Limit) -> int:
        """A limit in seconds of its pace."""
        match limit.unit:
            case LimitUnit.WORK_DAY:
                return limit.amount * self._calendar.minutes_of_a_work_day * 60
            case LimitUnit.NATURAL_DAY:
                return limit.amount * 24 * _HOUR
            case _:
                return limit.amount * _HOUR

    def after(self, start: datetime, limit: Limit) -> datetime:
        """When a limit that starts then is used up."""
        return self.advance(start, pace_of(limit), self.seconds(limit))

    def advance(self, start: datetime, pace: Pace, seconds: int) -> datetime:
        """The first moment by which so many seconds have gone by at a pace."""
        if pace is Pace.RUNNING:
            return (start.astimezone(UTC) + seconds * _SECOND).astimezone(self.zone)
        if not seconds:
            return start.astimezone(self.zone)
        day, now = self._local(start)
        left = seconds * _MICRO
        for _ in range(_LONGEST):
            for begin, end in self._on(day):
                if now < end:
                    since = max(begin, now)
                    if left <= end - since:
                        midnight = datetime.combine(day, time(), self.zone)
                        return midnight + timedelta(microseconds=since + left)
                    left -= end - since
            day, now = day + _NEXT, 0
        raise ValueError(f"nobody works in the {_LONGEST} days after {start.date()}")

    def elapsed(self, start: datetime, end: datetime, pace: Pace) -> timedelta:
        """How much goes by at a pace between two moments; negative where the end comes first."""
        if pace is Pace.RUNNING:
            return end - start
        if end < start:
            return -self.elapsed(end, start, pace)
        (first, since), (last, until) = self._local(start), self._local(end)
        whole = sum(self._worked(day) for day in _days(first, last))
        worked = whole + self._worked(last, until) - self._worked(first, since)
        return timedelta(microseconds=worked)

    def _worked(self, day: date, until: int = _MIDNIGHT) -> int:
        """How much of a day is worked by a time of it."""
        return sum(min(end, until) - begin for begin, end in self._on(day) if begin < until)

    def _local(self, moment: datetime) -> tuple[date, int]:
        local = moment.astimezone(self.zone)
        return local.date(), _of_day(local)

    def _on(self, day: date) -> _Day:
        known = self._days.get(day)
        if known is None:
            known = tuple(
                (_of_day(begin), _of_day(end)) for begin, end in self._calendar.spans(day)
            )
            self._days[day] = known
        return known


def pace_of(limit: Limit) -> Pace:
    """How the clock of a limit runs."""
    return _PACES[limit.unit]


def _of_day(at: time | datetime) -> int:
    """Microseconds from midnight, by the clock on the wall."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _MICRO + at.microsecond


def _days(first: date, last: date) -> Iterator[date]:
    """The days from `first` to the one before `last`."""
    return (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal()))


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one assignment: a limit, and what is left of it."""

    pace: Pace
    limit_seconds: int
    due_at: datetime
    """While it runs; where it stands still, when it was due before."""
    left_seconds: int | None = None
    """While it stands still."""
    warned: bool = False
    late: bool = False
    """That stands, whatever comes later."""

    @property
    def runs(self) -> bool:
        """Whether time goes by on it."""
        return self.left_seconds is None

    def paused(self, at: datetime, time: WorkingTime) -> Clock:
        """It stands still from then on, with what is left; nothing is lost by rounding."""
        if not self.runs:
            return self
        left = time.elapsed(at, self.due_at, self.pace) / _SECOND
        return replace(self, left_seconds=max(0, ceil(left)))

    def resumed(self, at: datetime, time: WorkingTime) -> Clock:
        """It runs again. One that is late stays due when it was due."""
        if self.left_seconds is None:
            return self
        due_at = self.due_at if self.late else time.advance(at, self.pace, self.left_seconds)
        return replace(self, left_seconds=None, due_at=max(due_at, self.due_at))

    def warn_at(self, at: datetime, percent: int, time: WorkingTime) -> datetime | None:
        """When the holder is to be warned: so much of the limit used up, not before `at`; once."""
        if self.warned or self.late or not self.runs:
            return None
        kept = self.limit_seconds * (100 - percent) // 100
        left = int(time.elapsed(at, self.due_at, self.pace) / _SECOND)
        return time.advance(at, self.pace, max(0, left - kept))


def started(limit: Limit, at: datetime, time: WorkingTime) -> Clock:
    """A clock that starts anew."""
    pace, seconds = pace_of(limit), time.seconds(limit)
    return Clock(pace, seconds, time.advance(at, pace, seconds))
