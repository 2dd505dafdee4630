"""The rows of the room follow its facts: board, course, what is gathered, what is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given

from contracts import case as c
from contracts.case import CloseOutcome, Step, Task
from contracts.envelope import Fact, Recorded
from contracts.evaluation import MonthPublished
from services.router.projection import ROUTER, CaseRow, CourseRow, case
from services.router.tables.course import Ended, decisive
from tests.contracts.examples import EXAMPLES
from tests.district import EAST, INSPECTION, OPENED, REJECTED, REPORT, SANITATION, SWIFT, TRIAGE
from tests.folding import Rows, folded, never_raises, rows_of
from tests.given import NOON, recorded
from tests.router.lives import (
    FAIL,
    GRANT,
    HOUR,
    LIMIT,
    MONDAY,
    PASS,
    RESOLVE,
    Life,
    at_the_street,
    closed,
    closed_late,
    dispatch,
    extension,
    handling,
    joined,
    resolved,
    suspended,
)
from tests.router.random_lives import lives

GATHER = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=SWIFT)


def told(facts: Sequence[Fact], *, history: bool = False) -> list[Recorded]:
    """The facts at sequences 1, 2, ..., a minute after each other."""
    return [
        recorded(fact, number, at=NOON + timedelta(minutes=number), history=history)
        for number, fact in enumerate(facts, start=1)
    ]


def rows(life: Life) -> Rows:
    return folded(ROUTER, told(life.facts))


def board(life: Life) -> CaseRow:
    row = rows(life)["case", (REPORT,)]
    assert isinstance(row, CaseRow)
    return row


def course_of(life: Life) -> CourseRow:
    row = rows(life)["course", (REPORT,)]
    assert isinstance(row, CourseRow)
    return row


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def test_a_case_in_handling_shows_who_has_it_until_when_and_why() -> None:
    row = board(handling())
    assert (row.step, row.unit, row.task) == (Step.HANDLING, SANITATION, Task.HANDLE)
    assert (row.due_at, row.due_by, row.accept_by) == (MONDAY + LIMIT, MONDAY + LIMIT, None)
    assert (row.inspector, row.condition, row.street) == (INSPECTION, "garbage-plain", EAST)
    assert row.next_at == row.warn_at == MONDAY + 0.75 * LIMIT


def test_a_returned_case_is_at_the_dispatcher_and_its_handling_stands_still() -> None:
    row = board(at_the_street())
    assert (row.unit, row.task, row.why, row.returns) == (EAST, Task.DISPATCH, "returned", 1)


def test_a_suspended_case_waits_for_its_day_alone() -> None:
    life = suspended(days=30)
    row = board(life)
    assert (row.step, row.due_at, row.paused) == (Step.SUSPENDED, None, "suspended")
    assert row.next_at == row.resume_at == life.at + timedelta(days=30)


def test_what_was_asked_stands_there_until_it_is_answered() -> None:
    life = handling().after(extension(MONDAY + LIMIT + HOUR), SANITATION)
    assert board(life).request == c.RequestKind.EXTENSION
    assert board(life.after(GRANT, EAST)).request is None
    assert board(life.after(GRANT, EAST)).due_at == MONDAY + LIMIT + HOUR


def test_late_is_late_though_it_was_excused() -> None:
    life = closed_late().after(c.AppealTimeout(case_id=REPORT, reason="管制"), SANITATION)
    yes = c.ReviewAppeal(case_id=REPORT, granted=True)
    life = life.after(yes, INSPECTION).after(yes, TRIAGE)
    assert (board(life).late, board(life).excused) == (True, True)
    stay = decisive(course_of(life))
    assert stay is not None
    assert (stay.late, stay.excused) == (True, True)


def test_history_waits_for_nothing() -> None:
    row = folded(ROUTER, told(handling().facts, history=True))["case", (REPORT,)]
    assert (row.history, row.next_at) == (True, None)


def test_a_joined_report_knows_its_original_and_the_original_counts_it() -> None:
    assert (board(joined()).step, board(joined()).origin) == (Step.JOINED, "r-0")
    life = handling().after(GATHER, "router")
    found = rows(life)
    assert found["case", (REPORT,)].reports == 2
    assert found["gathered", ("r-2",)].case_id == REPORT
    apart = life.after(c.DropReport(case_id=REPORT, report_id="r-2"), "router")
    assert ("gathered", ("r-2",)) not in rows(apart)
    assert board(apart).reports == 1


def test_the_course_keeps_every_stay_with_a_unit() -> None:
    life = at_the_street().after(dispatch(SANITATION), EAST)
    stays = course_of(life).stays
    assert [(stay.unit, stay.task, stay.ended) for stay in stays] == [
        (SANITATION, Task.HANDLE, Ended.RETURNED),
        (EAST, Task.DISPATCH, Ended.HANDED_ON),
        (SANITATION, Task.HANDLE, None),
    ]


def test_a_case_that_was_given_back_is_not_judged_by_the_deadline_of_who_gave_it_back() -> None:
    assert decisive(course_of(at_the_street())) is None
    assert course_of(at_the_street()).due_at is None


def test_the_time_of_the_first_result_stays_and_the_last_one_counts() -> None:
    life = resolved().after(FAIL, INSPECTION).after(RESOLVE, SANITATION).after(PASS, INSPECTION)
    [stay] = course_of(life).stays
    assert stay.first_resolved_at is not None
    assert stay.resolved_at is not None
    assert stay.first_resolved_at < stay.resolved_at
    assert (stay.reworks, stay.ended) == (1, Ended.CLOSED)


def test_a_whole_story_is_one_row() -> None:
    row = board(closed())
    assert (row.step, row.unit, row.verifier) == (Step.CLOSED, SANITATION, INSPECTION)
    assert (row.outcome, row.dispatches, row.due_at) == (CloseOutcome.FIXED, 1, None)
    assert row.sequence == len(closed().facts)


def test_a_report_without_a_case_has_no_row() -> None:
    assert folded(ROUTER, told([REJECTED])) == {}


def test_a_fact_of_a_case_that_was_never_opened_makes_no_row() -> None:
    [fact] = told([handling().facts[-1]])
    assert case(None, fact) is None


def test_a_fact_touches_the_rows_of_its_case_and_no_other_stream_touches_any() -> None:
    of_a_report = c.CaseJoined | c.ReportJoined | c.ReportSeparated
    for fact in EXAMPLES:
        touched: list[tuple[str, tuple[str, ...]]] = []
        if fact.stream == "case":
            touched = [("case", (fact.stream_id,)), ("course", (fact.stream_id,))]
        if isinstance(fact, of_a_report):
            touched.append(("gathered", (fact.report_id,)))
        if isinstance(fact, MonthPublished):
            touched = [("published", (fact.month,))]
        assert rows_of(ROUTER, fact) == touched


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(ROUTER, fact)


@given(lives())
def test_board_and_decision_see_the_same_case(story: list[Life]) -> None:
    """Whatever happens: the same step, the same unit, the same moments waited for."""
    life = story[-1]
    if life.state.step is Step.REJECTED and len(life.facts) == 1:
        assert rows(life) == {}
        return
    row, state = board(life), life.state
    assert row.timers == state.timers
    assert row.step == state.step
    assert (row.unit or "") == (state.unit if state.step is not Step.REJECTED else "")
    assert (row.service_code, row.condition) == (state.service_code, state.condition)
    assert (row.clerk or None) == (state.clerk if state.step is not Step.CLOSED else None)
    assert (row.returns, row.reworks, row.transfers) == (
        state.returns,
        state.reworks,
        state.transfers,
    )
    if state.step in (Step.DISPATCHED, Step.HANDLING):
        assert row.due_at == state.due_at


def test_an_opened_case_alone_has_no_holder_yet() -> None:
    row = folded(ROUTER, told([OPENED]))["case", (REPORT,)]
    assert (row.unit, row.next_at, row.opened_at) == (None, None, minute(1))
