"""Whatever is done in whatever order: one accountable holder, clocks that keep their word."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import case as c
from contracts.case import Step, UnitKind
from contracts.envelope import Command
from services.router.decider.case import CASE, NO_CASE, Case, decide, evolve
from services.router.decider.case.ringing import ring
from tests.district import EAST, FIRE, IN_EAST, IN_WEST, INSPECTION, KITE, NOWHERE, REPORT, RIDER
from tests.district import SANITATION, TRIAGE, WEST
from tests.router.lives import MONDAY, OPEN, Life

UNITS = (SANITATION, FIRE, WEST, EAST, TRIAGE, INSPECTION)
units = st.sampled_from(UNITS)
spans = st.integers(1, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Anything that can be asked of a case, sensible or not."""
    until = MONDAY + draw(spans)
    return draw(
        st.sampled_from(
            [
                c.CheckReport(case_id=REPORT, found=draw(st.booleans())),
                c.AcceptWork(case_id=REPORT),
                c.ClaimWork(case_id=REPORT, clerk=draw(st.sampled_from(["li", "wu"]))),
                c.DispatchCase(case_id=REPORT, unit=draw(units)),
                c.CorrectCase(
                    case_id=REPORT, position=draw(st.sampled_from([IN_EAST, IN_WEST, NOWHERE]))
                ),
                c.ReturnWork(case_id=REPORT, reason=c.ReturnReason.NOT_OUR_AREA),
                c.TransferWork(case_id=REPORT, unit=draw(units)),
                c.AskSupport(case_id=REPORT, unit=draw(units)),
                c.AskExtension(case_id=REPORT, until=until, reason="配件未到"),
                c.AskSuspension(case_id=REPORT, until=until, reason="汛期"),
                c.DecideRequest(case_id=REPORT, granted=draw(st.booleans())),
                c.ResumeWork(case_id=REPORT),
                c.ResolveWork(case_id=REPORT, result="好了", photo="p/1.jpg"),
                c.VerifyWork(case_id=REPORT, passed=draw(st.booleans())),
                c.CloseCase(case_id=REPORT, note="无"),
                c.CancelCase(case_id=REPORT, reason=c.CancelReason.WITHDRAWN),
                c.JoinCase(case_id=REPORT, into="r-0"),
                c.SeparateCase(case_id=REPORT),
                c.ContestClosing(case_id=REPORT, rider_id=RIDER, note="还在"),
                c.ReopenCase(case_id=REPORT, note="没好"),
                c.AppealTimeout(case_id=REPORT, reason="管制"),
                c.ReviewAppeal(case_id=REPORT, granted=draw(st.booleans())),
            ]
        )
    )


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """A life step by step; whoever has it is asked more often than others."""
    opening = OPEN.model_copy(
        update={
            "service_code": draw(st.sampled_from(["garbage", "bulky", "bare-wires", None])),
            "condition": draw(st.sampled_from([None, "bulky-worse"])),
            "position": draw(st.sampled_from([IN_EAST, IN_WEST, NOWHERE, None])),
        }
    )
    told = [Life().after(opening, "router")]
    for _ in range(draw(st.integers(1, 25))):
        life = told[-1].later(draw(spans))
        by = draw(st.sampled_from([life.state.unit or KITE] * 4 + [*UNITS, KITE]))
        decided = life.when(draw(commands()), by)
        state = CASE.fold(decided.facts, life.state)
        told.append(Life(state, life.at, life.rules, (*life.facts, *decided.facts)))
    return told


def accountable(case: Case) -> list[str]:
    """Everybody who answers for the case now."""
    return [case.unit] if case.unit else []


@given(lives())
def test_an_open_case_has_exactly_one_accountable_holder(told: list[Life]) -> None:
    for life in told:
        case = life.state
        if case.step in (Step.REJECTED, Step.JOINED):
            assert accountable(case) == []
        elif case.step is not Step.CLOSED:
            [unit] = accountable(case)
            assert unit in life.rules.units
            assert unit not in case.supporting


@given(lives())
def test_only_units_that_handle_are_given_the_handling(told: list[Life]) -> None:
    for life in told:
        if life.state.task is c.Task.HANDLE and life.state.step is not Step.CHECKING:
            assert life.state.unit_kind in (UnitKind.DEPARTMENT, UnitKind.STREET)


@given(lives())
def test_who_handled_it_never_verified_it(told: list[Life]) -> None:
    for fact in told[-1].told(c.WorkVerified):
        assert fact.verifier != fact.unit


@given(lives(), spans)
def test_the_clock_says_nothing_twice(told: list[Life], later: timedelta) -> None:
    life = told[-1].later(later)
    state = CASE.fold(ring(life.state, REPORT, life.at, life.rules), life.state)
    assert ring(state, REPORT, life.at, life.rules) == []


@given(lives())
def test_a_deadline_is_passed_once_for_a_dispatch_and_never_before_it_was_due(
    told: list[Life],
) -> None:
    passed = told[-1].told(c.DeadlinePassed)
    handling = [f.dispatch for f in passed if f.clock in ("handle", "dispatch")]
    assert len(handling) == len(set(handling))
    assert all(fact.due_at < told[-1].at for fact in passed)


@given(lives())
def test_an_over_case_waits_for_nothing(told: list[Life]) -> None:
    for life in told:
        if life.state.step in (Step.CLOSED, Step.JOINED, Step.REJECTED):
            assert life.state.timers.next_at is None


@given(lives())
def test_what_is_left_of_a_limit_is_never_more_than_was_given(told: list[Life]) -> None:
    for life in told:
        for pause in life.told(c.ClockPaused):
            assert pause.left_seconds >= 0


@settings(max_examples=30)
@given(lives())
def test_the_same_facts_always_give_the_same_state(told: list[Life]) -> None:
    state = NO_CASE
    for fact in told[-1].facts:
        state = evolve(state, fact)
    assert state == told[-1].state
    assert decide is CASE.decide
