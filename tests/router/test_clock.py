"""Working time: hand-computed deadlines, and a clock that counts minute by minute beside ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Pace
from contracts.rulebook import Calendar, Limit
from services.router.calendar import WorkCalendar
from services.router.clock import Clock, WorkingTime, pace_of, started

OFFICE = ["08:00-12:00", "14:00-18:00"]
WORK_WEEK = ("mon", "tue", "wed", "thu", "fri")
YEARS: list[dict[str, Any]] = [
    {
        "year": 2025,
        "holidays": [
            {"name": "春节", "first": "2025-01-28", "last": "2025-02-04"},
            {"name": "国庆节、中秋节", "first": "2025-10-01", "last": "2025-10-08"},
        ],
        "make_up": ["2025-01-26", "2025-02-08", "2025-09-28", "2025-10-11"],
    },
    {
        "year": 2026,
        "holidays": [
            {"name": "春节", "first": "2026-02-15", "last": "2026-02-23"},
            {"name": "国庆节", "first": "2026-10-01", "last": "2026-10-07"},
        ],
        "make_up": ["2026-02-14", "2026-02-28", "2026-09-20", "2026-10-10"],
    },
]


def calendar(**changes: Any) -> Calendar:
    given = {
        "kind": "calendar",
        "rulebook": "small",
        "version": 1,
        "effective_from": "2000-01-01T00:00:00+08:00",
        "time_zone": "Asia/Shanghai",
        "week": dict.fromkeys(WORK_WEEK, OFFICE),
        "make_up_hours": OFFICE,
        "years": YEARS,
    }
    return Calendar.model_validate({**given, **changes})


CALENDAR = calendar()
TIME = WorkingTime(WorkCalendar(CALENDAR))


def limit(text: str) -> Limit:
    amount, unit = text.split()
    return Limit.model_validate({"amount": int(amount), "unit": unit.removesuffix("s")})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("start", "text", "due"),
    [
        # A fire lane that is blocked on an evening is due on the next work day.
        ("2026-05-11T19:00", "2 work_hours", "2026-05-12T10:00"),
        ("2026-05-11T09:30", "2 work_hours", "2026-05-11T11:30"),
        ("2026-05-11T11:00", "2 work_hours", "2026-05-11T15:00"),  # over the noon break
        ("2026-05-11T12:30", "1 work_hour", "2026-05-11T15:00"),  # in it
        ("2026-05-11T10:00", "2 work_hours", "2026-05-11T12:00"),  # not 14:00: it is over at noon
        ("2026-05-11T14:00", "4 work_hours", "2026-05-11T18:00"),
        ("2026-05-11T10:00", "1 work_day", "2026-05-12T10:00"),
        # Over a weekend.
        ("2026-05-15T17:00", "2 work_hours", "2026-05-18T09:00"),
        ("2026-05-16T11:00", "4 work_hours", "2026-05-18T12:00"),
        ("2026-05-14T16:00", "5 work_days", "2026-05-21T16:00"),
        # Spring Festival 2026: off from Sunday 15 to Monday 23 February; Saturday 14 is worked.
        ("2026-02-13T17:00", "2 work_hours", "2026-02-14T09:00"),
        ("2026-02-14T17:00", "2 work_hours", "2026-02-24T09:00"),
        ("2026-02-13T10:00", "2 work_days", "2026-02-24T10:00"),
        ("2026-02-27T10:00", "2 work_days", "2026-03-02T10:00"),  # Saturday 28 is worked
        # Spring Festival 2025: off from 28 January to 4 February; Sunday 26 and 8 are worked.
        ("2025-01-27T15:00", "1 work_day", "2025-02-05T15:00"),
        ("2025-01-24T15:00", "2 work_days", "2025-01-27T15:00"),  # Sunday 26 is worked
        ("2025-02-07T15:00", "1 work_day", "2025-02-08T15:00"),
        # National Day 2026: off from 1 to 7 October; 20 September and 10 October are worked.
        ("2026-09-30T17:30", "1 work_hour", "2026-10-08T08:30"),
        ("2026-09-29T09:00", "5 work_days", "2026-10-12T09:00"),  # 29 30 | 8 9 10 | 12
        ("2026-09-18T17:00", "2 work_hours", "2026-09-20T09:00"),
        ("2025-09-30T16:00", "3 work_days", "2025-10-11T16:00"),  # 30 | 9 10 11
        # What is urgent knows neither night nor holiday.
        ("2026-02-14T23:30", "2 urgent_hours", "2026-02-15T01:30"),
        ("2026-10-01T20:00", "4 urgent_hours", "2026-10-02T00:00"),
        ("2026-09-30T18:00", "2 natural_days", "2026-10-02T18:00"),
        ("2028-02-28T12:00", "1 natural_day", "2028-02-29T12:00"),
    ],
)
def test_a_limit_that_starts_then_is_due(start: str, text: str, due: str) -> None:
    assert TIME.after(at(start), limit(text)) == at(due)


def test_a_day_of_work_has_as_many_hours_as_the_calendar_says() -> None:
    long_days = WorkingTime(WorkCalendar(calendar(hours_of_a_work_day=10)))
    assert long_days.after(at("2026-05-11T08:00"), limit("1 work_day")) == at("2026-05-12T10:00")


def test_hours_are_those_of_the_wall_in_the_districts_zone() -> None:
    start = datetime(2026, 5, 11, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
    due = TIME.after(start, limit("1 work_hour"))
    assert due == at("2026-05-11T09:30")
    assert due.utcoffset() == timedelta(hours=8)


def test_a_night_in_which_the_clocks_change_does_not_change_an_urgent_limit() -> None:
    berlin = WorkingTime(WorkCalendar(calendar(time_zone="Europe/Berlin", years=[])))
    start = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # midnight; two hours later it is four
    assert berlin.after(start, limit("4 urgent_hours")) - start == timedelta(hours=4)


def test_where_nobody_ever_works_there_is_no_deadline() -> None:
    idle = WorkingTime(WorkCalendar(calendar(week={}, years=[])))
    with pytest.raises(ValueError, match="nobody works"):
        idle.after(at("2026-05-11T09:00"), limit("1 work_hour"))


MINUTE = timedelta(minutes=1)
FIRST, DAYS = date(2026, 1, 20), 60
"""Around Spring Festival with its make-up days."""


@cache
def worked_minutes() -> list[bool]:
    """For every minute of the time, whether it is worked: told by hand, not by the code."""
    off = {date(2026, 2, day) for day in range(15, 24)}
    make_up = {date(2026, 2, 14), date(2026, 2, 28)}
    minutes = []
    for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
        works = day in make_up or (day.weekday() < 5 and day not in off)
        hours = range(8 * 60, 12 * 60), range(14 * 60, 18 * 60)
        minutes += [works and (m in hours[0] or m in hours[1]) for m in range(24 * 60)]
    return minutes


def moment(minute: int) -> datetime:
    return at(FIRST.isoformat() + "T00:00") + minute * MINUTE


def oracle_due(start: int, minutes: int) -> int:
    """Count the minutes one by one."""
    now, worked = start, worked_minutes()
    while minutes:
        minutes -= worked[now]
        now += 1
    return now


starts = st.integers(0, 40 * 24 * 60)
amounts = st.integers(0, 60 * 40)


@given(starts, amounts)
def test_the_deadline_is_the_one_that_counting_every_minute_finds(start: int, minutes: int) -> None:
    due = TIME.advance(moment(start), Pace.WORKING, minutes * 60)
    assert due == moment(oracle_due(start, minutes))


@given(starts, starts)
def test_what_goes_by_is_what_counting_every_minute_finds(a: int, b: int) -> None:
    start, end = min(a, b), max(a, b)
    counted = sum(worked_minutes()[start:end])
    assert TIME.elapsed(moment(start), moment(end), Pace.WORKING) == counted * MINUTE
    assert TIME.elapsed(moment(end), moment(start), Pace.WORKING) == -counted * MINUTE


moments = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - the zone is given beside it
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
seconds = st.integers(0, 400 * 3600)
paces = st.sampled_from(Pace)


@given(moments, moments, seconds, paces)
def test_starting_later_is_never_due_earlier(
    a: datetime, b: datetime, amount: int, pace: Pace
) -> None:
    first, second = sorted((a, b))
    assert TIME.advance(first, pace, amount) <= TIME.advance(second, pace, amount)


@given(moments, seconds, seconds, paces)
def test_a_longer_limit_is_never_due_earlier(start: datetime, a: int, b: int, pace: Pace) -> None:
    shorter, longer = sorted((a, b))
    assert TIME.advance(start, pace, shorter) <= TIME.advance(start, pace, longer)


@given(moments, seconds, seconds, paces)
def test_a_limit_may_be_used_up_in_two_parts(start: datetime, a: int, b: int, pace: Pace) -> None:
    halfway = TIME.advance(start, pace, a)
    assert TIME.advance(halfway, pace, b) == TIME.advance(start, pace, a + b)


@given(moments, seconds, paces)
def test_exactly_the_limit_goes_by_until_it_is_due(start: datetime, a: int, pace: Pace) -> None:
    due = TIME.advance(start, pace, a)
    assert TIME.elapsed(start, due, pace) == timedelta(seconds=a)


limits = st.sampled_from(
    [limit(text) for text in ("2 urgent_hours", "4 work_hours", "5 work_days", "3 natural_days")]
)


@st.composite
def pauses(draw: st.DrawFn) -> tuple[Clock, datetime, datetime]:
    """A clock, when it is stopped, and when it goes on."""
    clock = started(draw(limits), draw(moments), TIME)
    early = draw(st.integers(0, 10 * 24 * 3600))
    stopped = clock.due_at - timedelta(seconds=early)
    return clock, stopped, stopped + timedelta(seconds=draw(st.integers(0, 40 * 24 * 3600)))


@given(pauses())
def test_pausing_never_shortens_what_is_left(pause: tuple[Clock, datetime, datetime]) -> None:
    clock, stopped, on = pause
    left = TIME.elapsed(stopped, clock.due_at, clock.pace)
    again = clock.paused(stopped, TIME).resumed(on, TIME)
    assert again.due_at >= clock.due_at
    assert TIME.elapsed(on, again.due_at, clock.pace) >= left
    assert TIME.elapsed(on, again.due_at, clock.pace) < left + timedelta(seconds=1) or (
        again.due_at == clock.due_at
    )


@given(pauses())
def test_stopping_twice_is_stopping_once(pause: tuple[Clock, datetime, datetime]) -> None:
    clock, stopped, on = pause
    still = clock.paused(stopped, TIME)
    assert still.paused(on, TIME) == still
    assert clock.resumed(on, TIME) == clock


@given(pauses())
def test_what_is_late_stays_due_when_it_was_due(pause: tuple[Clock, datetime, datetime]) -> None:
    clock, _, on = pause
    late = Clock(clock.pace, clock.limit_seconds, clock.due_at, late=True)
    assert late.paused(on, TIME).resumed(on + timedelta(days=9), TIME).due_at == clock.due_at


@given(limits, moments, st.integers(1, 99))
def test_the_warning_comes_between_the_start_and_the_deadline(
    given_limit: Limit, start: datetime, percent: int
) -> None:
    clock = started(given_limit, start, TIME)
    warn_at = clock.warn_at(start, percent, TIME)
    assert warn_at is not None
    assert start <= warn_at <= clock.due_at
    used = TIME.elapsed(start, warn_at, clock.pace) / timedelta(seconds=clock.limit_seconds)
    assert used == pytest.approx(percent / 100, abs=0.001)


def test_nobody_is_warned_twice_or_too_late() -> None:
    clock = started(limit("2 urgent_hours"), at("2026-05-11T09:00"), TIME)
    warned = Clock(clock.pace, clock.limit_seconds, clock.due_at, warned=True)
    late = Clock(clock.pace, clock.limit_seconds, clock.due_at, late=True)
    assert warned.warn_at(at("2026-05-11T09:00"), 75, TIME) is None
    assert late.warn_at(at("2026-05-11T09:00"), 75, TIME) is None


def test_the_word_of_the_unit_decides_how_a_clock_runs() -> None:
    paces_of = {text: pace_of(limit(f"1 {text}")) for text in ("urgent_hour", "natural_day")}
    assert set(paces_of.values()) == {Pace.RUNNING}
    assert {pace_of(limit("1 work_hour")), pace_of(limit("1 work_day"))} == {Pace.WORKING}
