"""Working time, and what is left of a limit. Pure; the calendar's days are counted once.

A limit runs at one of two paces. *Running*: urgent hours and natural days, through nights and
holidays. *Working*: work hours and work days, in the working hours of the calendar alone, by the
wall clock of its time zone. So every clock is a number of seconds at a pace, and pausing is to
remember how many are left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import ceil
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from contracts.case import Pace
from contracts.rulebook import WEEKDAYS, Calendar, Limit, LimitUnit, Span

_SECOND: Final = 1_000_000
_FIRST: Final = date(1970, 1, 1).toordinal()
_LAST: Final = date(2200, 12, 31).toordinal()
_HOUR: Final = 3600

_PACES: Final = {
    LimitUnit.URGENT_HOUR: Pace.RUNNING,
    LimitUnit.NATURAL_DAY: Pace.RUNNING,
    LimitUnit.WORK_HOUR: Pace.WORKING,
    LimitUnit.WORK_DAY: Pace.WORKING,
}

_Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Working hours of a day, in microseconds from midnight."""


class WorkingTime:
    """When people work, by one calendar: how much of it lies between moments, and when it is over."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = ZoneInfo(calendar.time_zone)
        self._work_day = calendar.hours_of_a_work_day * _HOUR
        week = [_spans(calendar.week.get(day, ())) for day in WEEKDAYS]
        self._week: Sequence[_Spans] = week
        self._special = _special(calendar)
        lengths = [_length(spans) for spans in week]
        if not any(lengths):
            raise ValueError("calendar: nobody ever works; name the hours of one weekday at least")
        # 1970-01-01 was a Thursday; `toordinal() % 7` is 1 on Mondays.
        days = [lengths[(ordinal - 1) % 7] for ordinal in range(_FIRST, _LAST + 1)]
        for ordinal, spans in self._special.items():
            if _FIRST <= ordinal <= _LAST:
                days[ordinal - _FIRST] = _length(spans)
        self._before = [0, *accumulate(days)]

    def seconds(self, limit: Limit) -> int:
        """A limit in seconds of its pace."""
        match limit.unit:
            case LimitUnit.WORK_DAY:
                return limit.amount * self._work_day
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
            return (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.zone)
        if seconds <= 0:
            return start.astimezone(self.zone)
        return self._moment(self._worked(start) + seconds * _SECOND)

    def elapsed(self, start: datetime, end: datetime, pace: Pace) -> timedelta:
        """How much goes by at a pace between two moments; negative where the end comes first."""
        if pace is Pace.RUNNING:
            return end - start
        return timedelta(microseconds=self._worked(end) - self._worked(start))

    def _worked(self, moment: datetime) -> int:
        """Microseconds worked from the first day of the table to a moment."""
        local = moment.astimezone(self.zone)
        ordinal = local.toordinal()
        if not _FIRST <= ordinal <= _LAST:
            raise ValueError(f"no working time is kept for {local.date()}: 1970 to 2200 only")
        now = _of_day(local.time())
        today = sum(min(now, end) - start for start, end in self._on(ordinal) if start < now)
        return self._before[ordinal - _FIRST] + today

    def _moment(self, worked: int) -> datetime:
        """The first moment by which so much was worked."""
        day = bisect_left(self._before, worked) - 1
        if day >= len(self._before) - 1:
            raise ValueError("the limit ends after 2200: no working time is kept for that")
        ordinal, left = _FIRST + day, worked - self._before[day]
        for start, end in self._on(ordinal):
            if left <= end - start:
                midnight = datetime.combine(date.fromordinal(ordinal), time(), self.zone)
                return midnight + timedelta(microseconds=start + left)
            left -= end - start
        raise AssertionError("a day's spans add up to its length")

    def _on(self, ordinal: int) -> _Spans:
        special = self._special.get(ordinal)
        return self._week[(ordinal - 1) % 7] if special is None else special


def pace_of(limit: Limit) -> Pace:
    """How the clock of a limit runs."""
    return _PACES[limit.unit]


def _special(calendar: Calendar) -> dict[int, _Spans]:
    """The days that are not like their weekday. A make-up day wins over a holiday around it."""
    special: dict[int, _Spans] = {}
    for year in calendar.years:
        for holiday in year.holidays:
            for ordinal in range(holiday.first.toordinal(), holiday.last.toordinal() + 1):
                special[ordinal] = ()
    worked = _spans(calendar.make_up_hours)
    special |= {day.toordinal(): worked for year in calendar.years for day in year.make_up}
    return special


def _spans(hours: Sequence[Span]) -> _Spans:
    return tuple(sorted((_of_day(span.start), _of_day(span.end)) for span in hours))


def _of_day(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond


def _length(spans: _Spans) -> int:
    return sum(end - start for start, end in spans)


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
        left = time.elapsed(at, self.due_at, self.pace) / timedelta(seconds=1)
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
        left = int(time.elapsed(at, self.due_at, self.pace) / timedelta(seconds=1))
        return time.advance(at, self.pace, max(0, left - kept))


def started(limit: Limit, at: datetime, time: WorkingTime) -> Clock:
    """A clock that starts anew."""
    pace, seconds = pace_of(limit), time.seconds(limit)
    return Clock(pace, seconds, time.advance(at, pace, seconds))
