"""When people work on a day: weekly pattern, holidays, make-up days. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from contracts.rulebook import WEEKDAYS, Calendar

Spans = tuple[tuple[time, time], ...]
"""Working hours of one local day, in order; empty on a day off."""


class WorkCalendar:
    """A calendar document made ready for asking about days."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = ZoneInfo(calendar.time_zone)
        self.minutes_of_a_work_day = calendar.hours_of_a_work_day * 60
        self._week: tuple[Spans, ...] = tuple(
            tuple((s.start, s.end) for s in calendar.week.get(day, ())) for day in WEEKDAYS
        )
        self._make_up_spans: Spans = tuple((s.start, s.end) for s in calendar.make_up_hours)
        self._years = frozenset(year.year for year in calendar.years)
        self._off = frozenset(
            day for year in calendar.years for h in year.holidays for day in _days(h.first, h.last)
        )
        self._make_up = frozenset(day for year in calendar.years for day in year.make_up)

    def spans(self, day: date) -> Spans:
        """The working hours of a day. What the year's notice says goes before the week."""
        if day in self._make_up:
            return self._make_up_spans
        return () if day in self._off else self._week[day.weekday()]

    def knows(self, day: date) -> bool:
        """Whether the holidays of its year are known; else the week alone is followed."""
        return day.year in self._years


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
