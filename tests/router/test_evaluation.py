"""The figures, by hand: every formula on cases small enough to count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.case import CloseOutcome, Task
from contracts.evaluation import EvaluationRefusal, MonthPublished, PublishMonth
from eventlog.columns import changed
from services.router.decider.evaluation import EVALUATION, Snapshot
from services.router.evaluation import (
    By,
    Count,
    Figures,
    Period,
    Rate,
    Ways,
    evaluate,
    month_of,
    summaries,
)
from services.router.tables.course import CourseRow, Ended, Stay
from tests.given import CHINA, Setting

NOVEMBER = datetime(2026, 11, 1, tzinfo=CHINA)
DECEMBER = datetime(2026, 12, 1, tzinfo=CHINA)
LATER = datetime(2027, 3, 1, tzinfo=CHINA)
MONTH = Period(NOVEMBER, DECEMBER, LATER)
TENTH = datetime(2026, 11, 10, 9, tzinfo=CHINA)
HOUR = timedelta(hours=1)


def row(
    case_id: str,
    *,
    unit: str = "sanitation",
    at: datetime = TENTH,
    due: float | None = 6,
    resolved: float | None = None,
    closed: float | None = None,
    outcome: CloseOutcome | None = None,
    **stay: Any,
) -> CourseRow:
    """One case with one stay, times in hours after the dispatch."""

    def hours(n: float | None) -> datetime | None:
        return None if n is None else at + n * HOUR

    ended: dict[str, Any] = {}
    if closed:
        ended = {"ended": Ended.CLOSED, "ended_at": hours(closed)}
    told = Stay(
        unit=unit,
        task=Task.HANDLE,
        dispatched_at=at,
        due_at=hours(due) or at,
        resolved_at=hours(resolved),
        first_resolved_at=hours(resolved),
        **{**ended, **stay},
    )
    return CourseRow(
        case_id=case_id,
        rider_id="rider-01",
        platform="platform-kite",
        history=False,
        opened_at=at,
        sequence=1,
        condition="garbage-plain",
        area="a-west",
        due_at=hours(due),
        closed_at=hours(closed),
        outcome=outcome or (CloseOutcome.FIXED if closed else None),
        stays=(told,),
    )


def many(count: int, name: str, **fields: Any) -> list[CourseRow]:
    return [row(f"{name}-{n}", **fields) for n in range(count)]


def test_the_rates_of_the_textbook() -> None:
    """200 opened, 160 due: 120 on time, 24 late, 16 open and overdue; 40 not yet due."""
    rows = [
        *many(120, "on-time", resolved=5, closed=7),
        *many(24, "late", resolved=9, closed=10, late=True),
        *many(16, "open", late=True),
        *many(40, "not-due", due=24 * 40),
    ]
    figures = evaluate(rows, MONTH)["all"]
    assert {what: figures.count(what) for what in Count if figures.count(what)} == {
        Count.OPENED: 200,
        Count.DUE: 160,
        Count.CLOSED: 144,
        Count.ON_TIME: 120,
        Count.LATE: 24,
        Count.OPEN_OVERDUE: 16,
        Count.DISPATCHED: 200,
        Count.RESOLVED: 144,
    }
    assert figures.rate(Rate.CLOSE) == pytest.approx(0.9)
    assert figures.rate(Rate.ON_TIME) == pytest.approx(0.75)


def test_what_is_excused_leaves_the_rate_and_is_shown_beside_it() -> None:
    rows = [
        row("on-time", resolved=5, closed=7),
        row("late", resolved=9, closed=10, late=True),
        row("excused", resolved=9, closed=10, late=True, excused=True),
    ]
    figures = evaluate(rows, MONTH)["all"]
    assert figures.rate(Rate.ON_TIME) == pytest.approx(0.5)
    assert figures.cases[Count.EXCUSED] == ["excused"]


def test_every_number_opens_into_its_cases() -> None:
    figures = evaluate([row("a", resolved=1, closed=2), row("b", late=True)], MONTH)["all"]
    assert figures.cases[Count.DUE] == ["a", "b"]
    assert figures.cases[Count.OPEN_OVERDUE] == ["b"]


def test_who_is_waiting_for_verification_in_time_is_neither_late_nor_closed() -> None:
    figures = evaluate([row("a", resolved=5, paused=True)], MONTH)["all"]
    assert figures.cases[Count.WAITING] == ["a"]
    assert figures.count(Count.OPEN_OVERDUE) == 0
    assert figures.rate(Rate.CLOSE) == 0


def test_a_month_that_runs_counts_what_is_due_by_now() -> None:
    running = Period(NOVEMBER, DECEMBER, TENTH + 3 * HOUR)
    rows = [row("soon", resolved=1, closed=2), row("was", at=TENTH - 24 * HOUR, late=True)]
    assert evaluate(rows, running)["all"].cases[Count.DUE] == ["was"]


def test_a_return_counts_for_who_returned_and_the_deadline_for_who_handled() -> None:
    first = row("a", unit="fire").stays[0]
    back = first.model_copy(update={"ended": Ended.RETURNED, "ended_at": TENTH + HOUR})
    one = row("a", unit="sanitation", at=TENTH + 2 * HOUR, resolved=1, closed=2)
    moved = CourseRow(
        **{**{f: getattr(one, f) for f in one.__slots__}, "stays": (back, *one.stays)}
    )
    by_unit = evaluate([moved], MONTH, By.DEPARTMENT)
    assert by_unit["fire"].rate(Rate.RETURN) == 1
    assert by_unit["fire"].rate(Rate.RIGHT_DISPATCH) == 0
    assert by_unit["fire"].count(Count.DUE) == 0
    assert by_unit["sanitation"].rate(Rate.RETURN) == 0
    assert by_unit["sanitation"].count(Count.ON_TIME) == 1


def test_shares_of_rework_extension_and_suspension() -> None:
    rows = [
        row("plain", resolved=1, closed=2),
        row("reworked", resolved=3, closed=4, reworks=2),
        row("extended", resolved=3, closed=4, extensions=1),
        row("suspended", resolved=3, closed=4, suspensions=1),
    ]
    figures = evaluate(rows, MONTH)["all"]
    for rate in (Rate.REWORK, Rate.EXTENSION, Rate.SUSPENSION):
        assert figures.rate(rate) == pytest.approx(0.25)


def test_handling_time_runs_from_dispatch_to_the_result_that_was_verified() -> None:
    rows = [row(f"{n}", resolved=n, closed=n + 1, due=99) for n in range(1, 11)]
    figures = evaluate(rows, MONTH)["all"]
    assert (figures.mean_hours, figures.p90_hours) == (5.5, 9)


def test_history_joined_and_cancelled_cases_are_not_judged() -> None:
    def changed(one: CourseRow, **fields: Any) -> CourseRow:
        return CourseRow(**{**{f: getattr(one, f) for f in one.__slots__}, **fields})

    rows = [
        changed(row("history", resolved=1, closed=2), history=True),
        changed(row("joined"), joined=True),
        row("void", closed=2, outcome=CloseOutcome.CANCELLED),
    ]
    figures = evaluate(rows, MONTH)["all"]
    assert figures.cases == {Count.OPENED: ["void"], Count.CANCELLED: ["void"]}


def test_nothing_divided_by_nothing_is_no_rate() -> None:
    assert Figures().rate(Rate.ON_TIME) is None
    assert Figures().rate(Rate.RIGHT_DISPATCH) is None
    assert Figures().summary()["p90_hours"] is None


@pytest.mark.parametrize(
    ("by", "value"),
    [
        (By.AREA, "a-west"),
        (By.DEPARTMENT, "sanitation"),
        (By.CONDITION, "garbage-plain"),
        (By.REPORTER, "rider-01"),
        (By.PLATFORM, "platform-kite"),
        (By.MONTH, "2026-11"),
    ],
)
def test_figures_are_told_apart_by(by: By, value: str) -> None:
    assert list(evaluate([row("a", resolved=1, closed=2)], MONTH, by)) == [value]


def test_what_is_published_names_no_person() -> None:
    assert "rider-01" not in str(summaries([row("a", resolved=1, closed=2)], MONTH))


def test_a_month_begins_and_ends_by_the_districts_clock() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    period = month_of("2026-12", shanghai, LATER)
    assert period.first == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert period.first in period
    assert period.end not in period
    with pytest.raises(ValueError, match="2026-11"):
        month_of("2026-13", shanghai, LATER)


def test_a_month_is_published_once_when_it_is_over_by_who_may() -> None:
    now = Snapshot(MONTH, 42, {"all": {"all": {"due": 3}}}, frozenset({"inspection"}))
    given = Setting(EVALUATION, now)
    publish = PublishMonth(month="2026-11")
    decided = given().when(publish, by="officer", at=LATER)
    [fact] = decided.facts
    assert isinstance(fact, MonthPublished)
    assert (fact.as_of, fact.figures) == (42, {"all": {"all": {"due": 3}}})
    given(fact).when(publish, by="inspection", at=LATER).then_refused(
        EvaluationRefusal.ALREADY_PUBLISHED
    )
    given().when(publish, by="officer", at=TENTH).then_refused(EvaluationRefusal.NOT_OVER)
    given().when(publish, by="sanitation", at=LATER).then_refused(EvaluationRefusal.NOT_YOURS)


def test_an_area_counts_what_lies_in_its_parts_too() -> None:
    chain = {"cell-1": ("cell-1", "street", "district"), "cell-2": ("cell-2", "street", "district")}
    ways = Ways(inside=lambda area: chain.get(area, ()))
    cases = [
        changed(row(case_id, resolved=1, closed=2), {"area": area})
        for case_id, area in (("a", "cell-1"), ("b", "cell-2"), ("c", "gone"), ("d", None))
    ]
    found = evaluate(cases, MONTH, By.AREA, ways)
    assert {area: figures.cases[Count.ON_TIME] for area, figures in found.items()} == {
        "cell-1": ["a"],
        "cell-2": ["b"],
        "street": ["a", "b"],
        "district": ["a", "b"],
        "gone": ["c"],
        "-": ["d"],
    }
    assert found["street"].hours == [1.0, 1.0]


def test_who_passes_a_late_case_on_is_named_beside_the_rates() -> None:
    late = row("a", late=True, ended=Ended.TRANSFERRED, ended_at=TENTH + 9 * HOUR)
    then = Stay(
        unit="fire",
        task=Task.HANDLE,
        dispatched_at=TENTH + 9 * HOUR,
        due_at=TENTH + 20 * HOUR,
        resolved_at=TENTH + 10 * HOUR,
        ended=Ended.CLOSED,
    )
    changes = {"due_at": then.due_at, "closed_at": TENTH + 11 * HOUR, "stays": (*late.stays, then)}
    found = evaluate([changed(late, changes)], MONTH, By.DEPARTMENT)
    assert found["sanitation"].cases[Count.PASSED_ON_LATE] == ["a"]
    assert (found["sanitation"].count(Count.DUE), found["fire"].count(Count.ON_TIME)) == (0, 1)


def test_a_street_that_does_the_work_itself_is_judged_by_the_deadline_that_it_had() -> None:
    done = row("a", unit="street", resolved=1, closed=2)
    [stay] = done.stays
    own = changed(done, {"stays": (stay.model_copy(update={"task": Task.DISPATCH}),)})
    figures = evaluate([own], MONTH, By.DEPARTMENT)["street"]
    assert (figures.count(Count.ON_TIME), figures.count(Count.RESOLVED)) == (1, 1)
    assert figures.count(Count.DISPATCHED) == 0
    assert figures.hours == [1.0]
