"""Whatever is done in whatever order: one accountable holder, clocks that keep their word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from hypothesis import given, settings

from contracts import case as c
from contracts.case import Step, UnitKind
from services.router.decider.case import CASE, NO_CASE, Case, evolve
from services.router.decider.case.ringing import ring
from tests.district import REPORT
from tests.router.lives import Life
from tests.router.random_lives import lives, spans

Told = Sequence[Life]
"""A life, step by step."""


def accountable(case: Case) -> list[str]:
    """Everybody who answers for the case now."""
    return [case.unit] if case.unit else []


def an_open_case_has_exactly_one_accountable_holder(told: Told) -> None:
    for life in told:
        case = life.state
        if case.step in (Step.REJECTED, Step.JOINED):
            assert accountable(case) == []
        elif case.step is not Step.CLOSED:
            [unit] = accountable(case)
            assert unit in life.rules.units
            assert unit not in case.supporting


def only_units_that_handle_are_given_the_handling(told: Told) -> None:
    for life in told:
        if life.state.task is c.Task.HANDLE and life.state.step is not Step.CHECKING:
            assert life.state.unit_kind in (UnitKind.DEPARTMENT, UnitKind.STREET)


def who_handled_it_never_verified_it(told: Told) -> None:
    for fact in told[-1].told(c.WorkVerified):
        assert fact.verifier != fact.unit


def a_deadline_is_passed_once_for_a_dispatch_and_never_before_it_was_due(told: Told) -> None:
    passed = told[-1].told(c.DeadlinePassed)
    handling = [f.dispatch for f in passed if f.clock in ("handle", "dispatch")]
    assert len(handling) == len(set(handling))
    assert all(fact.due_at < told[-1].at for fact in passed)


def an_over_case_waits_for_nothing(told: Told) -> None:
    for life in told:
        if life.state.step in (Step.CLOSED, Step.JOINED, Step.REJECTED):
            assert life.state.timers.next_at is None


def what_is_left_of_a_limit_is_never_more_than_was_given(told: Told) -> None:
    for pause in told[-1].told(c.ClockPaused):
        assert pause.left_seconds >= 0


def the_same_facts_always_give_the_same_state(told: Told) -> None:
    state = NO_CASE
    for fact in told[-1].facts:
        state = evolve(state, fact)
    assert state == told[-1].state


LAWS: Final[tuple[Callable[[Told], None], ...]] = (
    an_open_case_has_exactly_one_accountable_holder,
    only_units_that_handle_are_given_the_handling,
    who_handled_it_never_verified_it,
    a_deadline_is_passed_once_for_a_dispatch_and_never_before_it_was_due,
    an_over_case_waits_for_nothing,
    what_is_left_of_a_limit_is_never_more_than_was_given,
    the_same_facts_always_give_the_same_state,
)


@settings(max_examples=200)
@given(lives(), spans)
def test_no_life_breaks_a_law(told: list[Life], later: timedelta) -> None:
    """Drawing a life costs far more than judging it: each is judged by every law."""
    for law in LAWS:
        law(told)
    life = told[-1].later(later)
    state = CASE.fold(ring(life.state, REPORT, life.at, life.rules), life.state)
    assert ring(state, REPORT, life.at, life.rules) == [], "the clock says nothing twice"
