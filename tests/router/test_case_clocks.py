"""More time, no time for a while, lateness: what the clocks of a case come to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, ClockName, Step
from tests.district import (
    EAST,
    INSPECTION,
    REPORT,
    SANITATION,
    TRIAGE,
)
from tests.given import a
from tests.router.lives import (
    ACCEPT,
    FAIL,
    GRANT,
    HOUR,
    LIMIT,
    MONDAY,
    OPEN,
    REFUSE,
    RESOLVE,
    RETURN,
    Life,
    at_the_street,
    dispatch,
    extension,
    handling,
    kinds,
    opened,
    resolved,
    suspended,
    suspension,
)

# ------------------------------------------------------------------ more time, no time


def test_an_extension_is_asked_granted_and_counted() -> None:
    life = handling()
    due = life.state.due_at
    assert due == MONDAY + LIMIT
    life = life.after(extension(due + 2 * HOUR), SANITATION)
    [asked] = life.told(c.ExtensionAsked)
    assert asked.decider == EAST
    life = life.after(GRANT, EAST)
    assert (life.state.due_at, life.state.extensions) == (due + 2 * HOUR, 1)


def test_a_refusal_does_not_count_and_a_third_extension_is_refused() -> None:
    life = handling()
    life = life.after(extension(MONDAY + LIMIT + HOUR), SANITATION).after(REFUSE, EAST)
    for number in (1, 2):
        asked = extension(MONDAY + LIMIT + number * HOUR)
        life = life.after(asked, SANITATION).after(GRANT, TRIAGE)
    third = life.when(extension(MONDAY + LIMIT + 3 * HOUR), SANITATION)
    third.then_refused(CaseRefusal.TOO_MANY)


@pytest.mark.parametrize("hours", [-1, 0, 13])
def test_an_extension_is_later_than_due_and_adds_one_limit_at_most(hours: int) -> None:
    until = MONDAY + LIMIT + (hours if hours < 1 else hours - 6) * HOUR
    handling().when(extension(until), SANITATION).then_refused(CaseRefusal.BAD_TIME)


def test_nothing_is_asked_twice_or_after_it_was_due() -> None:
    life = handling().after(extension(MONDAY + LIMIT + HOUR), SANITATION)
    again = life.when(suspension(MONDAY + timedelta(days=9)), SANITATION)
    again.then_refused(CaseRefusal.REQUEST_PENDING)
    late = handling().later(LIMIT + HOUR)
    late.when(extension(late.at + HOUR), SANITATION).then_refused(CaseRefusal.TOO_LATE)


def test_a_request_that_nobody_answered_is_over_when_it_is_due() -> None:
    life = handling().after(extension(MONDAY + LIMIT + HOUR), SANITATION).later(LIMIT + HOUR)
    life.when(GRANT, EAST).then_refused(CaseRefusal.NO_REQUEST)


def test_who_has_to_dispatch_it_asks_for_nothing() -> None:
    life = at_the_street().after(ACCEPT, EAST)
    life.when(extension(life.at + 9 * HOUR), EAST).then_refused(CaseRefusal.NOT_A_HANDLING_UNIT)


def test_a_suspension_ends_by_itself_on_its_day_with_what_was_left() -> None:
    life = suspended(days=30)  # after two of six hours
    until = life.at + timedelta(days=30)
    assert life.state.due_at is None
    before = life.later(timedelta(days=30))
    assert before.heard().state.step is Step.SUSPENDED
    after = life.later(timedelta(days=30, hours=3)).heard()
    assert after.state.step is Step.HANDLING
    assert after.state.due_at == until + 4 * HOUR
    [ended] = after.told(c.SuspensionEnded)
    assert (ended.ended_at, ended.by) == (until, None)


def test_nothing_is_done_while_it_is_suspended() -> None:
    suspended().when(RESOLVE, SANITATION).then_refused(CaseRefusal.NOT_IN_HANDLING)


def test_a_suspension_that_nobody_noticed_is_heard_before_anything_else() -> None:
    life = suspended(days=30).later(timedelta(days=30, hours=1))
    life.when(RESOLVE, SANITATION).then(
        c.SuspensionEnded, c.ClockResumed, c.WorkResolved, a(c.ClockPaused, left_seconds=3 * 3600)
    )


def test_a_suspension_lasts_a_year_at_most_and_comes_once() -> None:
    life = handling()
    too_long = life.when(suspension(MONDAY + timedelta(days=366)), SANITATION)
    too_long.then_refused(CaseRefusal.BAD_TIME)
    again = suspended().after(c.ResumeWork(case_id=REPORT), SANITATION)
    twice = again.when(suspension(again.at + timedelta(days=3)), SANITATION)
    twice.then_refused(CaseRefusal.TOO_MANY)


# ------------------------------------------------------------------ lateness


def test_warned_then_late_then_told_above_each_once() -> None:
    life = handling()
    said = []
    for minutes in range(0, 26 * 60 + 400, 30):
        at = handling().later(timedelta(minutes=minutes)).at
        step = Life(life.state, at, life.rules).heard()
        said += [(kinds([fact])[0], minutes) for fact in step.facts]
        life = Life(step.state, at, life.rules)
    assert said == [
        (c.DeadlineNear, 5 * 60),  # three quarters of six hours are over after 4.5 hours
        (c.DeadlinePassed, 6 * 60 + 30),
        (c.CaseEscalated, 8 * 60 + 30),
        (c.CaseEscalated, 30 * 60 + 30),
    ]


def test_whoever_hears_it_late_hears_everything_once_and_in_order() -> None:
    life = handling().later(timedelta(days=3)).heard()
    heard = kinds(life.facts)[-3:]
    assert heard == (c.DeadlinePassed, c.CaseEscalated, c.CaseEscalated)
    assert [fact.level for fact in life.told(c.CaseEscalated)] == [2, 3]
    assert life.state.timers.next_at is None
    life.when(c.RingClock(case_id=REPORT, moment=MONDAY), "router").then_nothing()


def test_done_in_the_last_minute_is_in_time() -> None:
    life = handling().later(LIMIT).after(RESOLVE, SANITATION)
    assert life.told(c.DeadlinePassed) == []


def test_a_result_that_comes_late_says_so_however_late_the_loop_is() -> None:
    late = handling().later(LIMIT + HOUR).when(RESOLVE, SANITATION)
    assert kinds(late.facts) == (c.DeadlinePassed, c.WorkResolved, c.ClockPaused)


def test_what_was_not_accepted_in_time_is_a_fact_too() -> None:
    life = opened().later(3 * HOUR).heard()
    assert [fact.clock for fact in life.told(c.DeadlinePassed)] == [ClockName.ACCEPT]


def test_rework_goes_on_with_what_was_left_and_lateness_stays() -> None:
    life = resolved().later(20 * HOUR).after(FAIL, INSPECTION)  # five of six hours are left
    assert life.state.due_at == life.at + 5 * HOUR
    late = handling().later(LIMIT + HOUR).after(RESOLVE, SANITATION).after(FAIL, INSPECTION)
    assert late.state.due_at == MONDAY + LIMIT
    assert late.state.clock is not None
    assert late.state.clock.late


def test_verification_has_a_clock_of_its_own() -> None:
    life = resolved().later(5 * HOUR).heard()
    [late] = life.told(c.DeadlinePassed)
    assert (late.clock, late.unit) == (ClockName.VERIFY, INSPECTION)


def test_history_knows_no_lateness() -> None:
    old = handling().later(timedelta(days=900))
    reply = c.RecordHandling(case_id=REPORT, result="已答复")
    assert kinds(old.when(reply, "archive", history=True).facts) == (c.WorkResolved, c.CaseClosed)


def test_what_was_imported_and_is_still_open_is_late_for_nobody_until_it_is_dispatched_today() -> (
    None
):
    imported = Life().after(OPEN, "router", history=True).later(timedelta(days=900))
    assert imported.state.timers.next_at is None
    imported.when(ACCEPT, SANITATION).then(c.WorkAccepted)
    today = imported.after(RETURN, SANITATION).after(dispatch(SANITATION), EAST)
    assert today.told(c.DeadlinePassed) == []
    assert today.state.timers.next_at is not None
