"""How cases end, who may say so, and what comes after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, CloseOutcome, Pace, Step, Why
from tests.district import (
    EAST,
    FIRE,
    INSPECTION,
    KITE,
    REPORT,
    RIDER,
    SANITATION,
    SWIFT,
    TRIAGE,
    WEST,
)
from tests.given import a
from tests.router.lives import (
    ACCEPT,
    FAIL,
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
    kinds,
    opened,
    resolved,
    rules_with,
)

# ------------------------------------------------------------------ endings


def test_a_photo_of_afterwards_is_asked_for_where_the_condition_says_so() -> None:
    life = opened(condition="garbage-worse").after(ACCEPT, SANITATION)
    without = c.ResolveWork(case_id=REPORT, result="清运完毕")
    life.when(without, SANITATION).then_refused(CaseRefusal.PHOTO_NEEDED)
    life.when(RESOLVE, SANITATION).then(c.WorkResolved, c.ClockPaused)


@pytest.mark.parametrize(
    ("command", "by", "outcome"),
    [
        (c.CloseCase(case_id=REPORT, note="无"), EAST, CloseOutcome.UNFOUNDED),
        (
            c.CloseCase(case_id=REPORT, note="铁路", outcome=CloseOutcome.NOT_OURS),
            EAST,
            CloseOutcome.NOT_OURS,
        ),
        (
            c.CancelCase(case_id=REPORT, reason=c.CancelReason.FALSE_REPORT),
            INSPECTION,
            CloseOutcome.CANCELLED,
        ),
    ],
)
def test_an_ending_names_who_said_so(command: c.CloseCase, by: str, outcome: CloseOutcome) -> None:
    at_the_street().when(command, by).then(a(c.CaseClosed, outcome=outcome, by=by))


def test_a_reporter_contests_within_the_window_and_inspection_looks_again() -> None:
    contest = c.ContestClosing(case_id=REPORT, rider_id=RIDER, note="还在")
    life = closed().later(timedelta(days=14)).after(contest, KITE)
    [said] = life.told(c.ClosingContested)
    assert said.decider == INSPECTION
    life.when(contest, KITE).then_nothing()
    dismissed = life.after(c.DismissContest(case_id=REPORT, note="已复查"), INSPECTION)
    assert dismissed.state.step is Step.CLOSED
    closed().later(timedelta(days=16)).when(contest, KITE).then_refused(CaseRefusal.TOO_LATE)
    other = c.ContestClosing(case_id=REPORT, rider_id="rider-99", note="还在")
    closed().when(other, KITE).then_refused(CaseRefusal.NOT_YOURS)


def test_what_was_fixed_and_is_not_goes_back_to_who_fixed_it() -> None:
    reopen = c.ReopenCase(case_id=REPORT, note="没有办好")
    closed().when(reopen, INSPECTION).then(
        a(c.CaseReopened, reopens=1),
        a(c.CaseDispatched, unit=SANITATION, why=Why.REOPENED, task=c.Task.HANDLE),
    )
    unfounded = at_the_street().after(c.CloseCase(case_id=REPORT, note="无"), EAST)
    unfounded.when(reopen, TRIAGE).then(
        c.CaseReopened, a(c.CaseDispatched, unit=EAST, task=c.Task.DISPATCH)
    )
    closed().later(timedelta(days=91)).when(reopen, TRIAGE).then_refused(CaseRefusal.TOO_LATE)


APPEAL = c.AppealTimeout(case_id=REPORT, reason="道路管制")
YES = c.ReviewAppeal(case_id=REPORT, granted=True)
NO = c.ReviewAppeal(case_id=REPORT, granted=False)


def test_two_reviewers_excuse_lateness_and_the_fact_stands() -> None:
    life = closed_late().after(APPEAL, SANITATION).after(YES, INSPECTION)
    assert life.told(c.TimeoutExcused) == []
    life.when(YES, INSPECTION).then_refused(CaseRefusal.REVIEWER_MAY_NOT)
    over = life.after(YES, TRIAGE)
    [excused] = over.told(c.TimeoutExcused)
    assert excused.reviewers == (INSPECTION, TRIAGE)
    assert len(over.told(c.DeadlinePassed)) == 1
    over.when(APPEAL, SANITATION).then_refused(CaseRefusal.ALREADY_APPEALED)


def test_one_reviewer_who_says_no_upholds_it() -> None:
    life = closed_late().after(APPEAL, SANITATION).after(NO, TRIAGE)
    assert [fact.reviewer for fact in life.told(c.TimeoutUpheld)] == [TRIAGE]
    life.when(YES, INSPECTION).then_refused(CaseRefusal.NO_REQUEST)


def test_only_who_was_late_appeals_and_only_for_a_while() -> None:
    closed().when(APPEAL, SANITATION).then_refused(CaseRefusal.NOT_LATE)
    closed_late().when(APPEAL, FIRE).then_refused(CaseRefusal.NOT_LATE)
    long_after = closed_late().later(timedelta(days=31))
    long_after.when(APPEAL, SANITATION).then_refused(CaseRefusal.TOO_LATE)


def test_the_rules_say_how_much_is_too_much() -> None:
    strict = rules_with(extensions={"most": 0}, appeal={"within_days": 30, "reviewers": 1})
    asked = handling(strict).when(extension(MONDAY + LIMIT + HOUR), SANITATION)
    asked.then_refused(CaseRefusal.TOO_MANY)
    life = closed_late(strict).after(APPEAL, SANITATION)
    life.when(YES, TRIAGE).then(c.AppealReviewed, c.TimeoutExcused)


def test_a_dispatch_says_its_limit_as_the_rules_do() -> None:
    [sent] = opened().told(c.CaseDispatched)
    assert (sent.limit, sent.pace, sent.limit_seconds) == ("6 urgent_hours", Pace.RUNNING, 21600)
    assert sent.warn_at == MONDAY + 0.75 * LIMIT


HANDLED_BY: dict[str, Life] = {
    SANITATION: resolved(),
    EAST: at_the_street().after(dispatch(EAST), EAST).after(ACCEPT, EAST).after(RESOLVE, EAST),
}
VERIFIERS: dict[tuple[str, str], CaseRefusal | None] = {
    (SANITATION, INSPECTION): None,
    (SANITATION, WEST): None,
    (EAST, INSPECTION): None,
    (EAST, WEST): None,
    (SANITATION, SANITATION): CaseRefusal.HANDLER_MAY_NOT_VERIFY,
    (SANITATION, EAST): CaseRefusal.HANDLER_MAY_NOT_VERIFY,  # it helped
    (EAST, EAST): CaseRefusal.HANDLER_MAY_NOT_VERIFY,
    (SANITATION, KITE): CaseRefusal.REPORTER_MAY_NOT_VERIFY,
    (SANITATION, RIDER): CaseRefusal.REPORTER_MAY_NOT_VERIFY,
    (SANITATION, FIRE): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, TRIAGE): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, SWIFT): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, "stranger"): CaseRefusal.NOT_A_VERIFIER,
}
"""By handler and verifier: what stands in the way."""


@pytest.mark.parametrize(("handler", "by", "refusal"), [(*k, v) for k, v in VERIFIERS.items()])
@pytest.mark.parametrize("command", [PASS, FAIL], ids=["pass", "fail"])
def test_somebody_else_says_whether_it_is_done(
    handler: str, by: str, refusal: CaseRefusal | None, command: c.VerifyWork
) -> None:
    decision = HANDLED_BY[handler].when(command, by)
    if refusal:
        decision.then_refused(refusal)
    else:
        assert kinds(decision.facts)[0] in (c.WorkVerified, c.ReworkOrdered)


def test_who_joined_may_not_verify_either() -> None:
    gather = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=SWIFT)
    life = handling().after(gather, "router").after(RESOLVE, SANITATION)
    life.when(PASS, SWIFT).then_refused(CaseRefusal.REPORTER_MAY_NOT_VERIFY)


RECEIVERS: dict[str, CaseRefusal | None] = {
    SANITATION: None,
    FIRE: None,
    EAST: None,
    WEST: None,
    TRIAGE: CaseRefusal.NOT_A_HANDLING_UNIT,
    INSPECTION: CaseRefusal.NOT_A_HANDLING_UNIT,
    KITE: CaseRefusal.NO_SUCH_UNIT,
    "nobody": CaseRefusal.NO_SUCH_UNIT,
}
"""By unit: what keeps the eastern street office from dispatching to it."""


@pytest.mark.parametrize(("unit", "refusal"), RECEIVERS.items())
def test_a_street_dispatches_to_a_unit_that_handles(unit: str, refusal: CaseRefusal | None) -> None:
    decision = at_the_street().when(dispatch(unit), EAST)
    if refusal:
        decision.then_refused(refusal)
    else:
        decision.then(a(c.CaseDispatched, unit=unit, why=Why.BY_DISPATCHER))


def test_a_question_is_no_command() -> None:
    with pytest.raises(TypeError, match="ReadCase"):
        handling().when(c.ReadCase(case_id=REPORT), WEST)
