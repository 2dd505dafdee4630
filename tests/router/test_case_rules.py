"""What the rules of a case come to: times, counts, who is told, who may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, ClockName, CloseOutcome, Pace, Step, Why
from tests.district import (
    EAST,
    FIRE,
    IN_EAST,
    IN_WEST,
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
    GRANT,
    HOUR,
    LIMIT,
    MONDAY,
    OPEN,
    PASS,
    REFUSE,
    RESOLVE,
    RETURN,
    Life,
    at_the_street,
    checking,
    closed,
    closed_late,
    dispatch,
    extension,
    handling,
    joined,
    kinds,
    opened,
    resolved,
    rules_with,
    suspended,
    suspension,
)

# ------------------------------------------------------------------ opening and duplicates


def nearby(case_id: str = "r-0", metres_north: float = 20, hours_ago: float = 1) -> c.Nearby:
    north = IN_EAST.model_copy(update={"lat": IN_EAST.lat + metres_north / 111_195})
    return c.Nearby(
        case_id=case_id,
        condition="garbage-plain",
        position=north,
        opened_at=MONDAY - hours_ago * HOUR,
    )


def test_a_report_of_the_same_condition_near_an_open_case_joins_it() -> None:
    command = OPEN.model_copy(update={"nearby": (nearby(),)})
    Life().when(command, "router").then(
        a(c.CaseJoined, into="r-0", distance_metres=20, by=None, condition="garbage-plain")
    )


@pytest.mark.parametrize(
    "other",
    [
        nearby(metres_north=31),
        nearby(hours_ago=73),
        nearby().model_copy(update={"condition": "garbage-worse"}),
        nearby(case_id=REPORT),
    ],
    ids=["too far", "too long ago", "another condition", "itself"],
)
def test_another_thing_gets_a_case_of_its_own(other: c.Nearby) -> None:
    command = OPEN.model_copy(update={"nearby": (other,)})
    Life().when(command, "router").then(c.CaseOpened, c.CaseDispatched)


def test_of_several_open_cases_the_nearest_is_the_original() -> None:
    near = (nearby("r-far", 25), nearby("r-near", 5), nearby("r-also", 25, 9))
    command = OPEN.model_copy(update={"nearby": near})
    Life().when(command, "router").then(a(c.CaseJoined, into="r-near"))
    command = OPEN.model_copy(update={"nearby": (near[0], near[2])})
    Life().when(command, "router").then(a(c.CaseJoined, into="r-also"))  # equally near: the older


def test_what_was_near_tells_no_commands_apart() -> None:
    assert OPEN.model_copy(update={"nearby": (nearby(),)}).model_dump() == OPEN.model_dump()


def test_all_reporters_stay_and_are_named_when_it_closes() -> None:
    gather = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=SWIFT)
    life = handling().after(gather, "router")
    life.when(gather, "router").then_nothing()
    ended = life.after(RESOLVE, SANITATION).after(PASS, INSPECTION)
    [end] = ended.told(c.CaseClosed)
    assert [(one.report_id, one.rider_id) for one in end.gathered] == [("r-2", "rider-02")]
    apart = life.after(c.DropReport(case_id=REPORT, report_id="r-2"), "router")
    assert apart.state.gathered == ()


def test_a_separated_report_is_opened_and_routed_as_if_it_had_never_joined() -> None:
    separate = c.SeparateCase(case_id=REPORT)
    joined().when(separate, INSPECTION).then(
        a(c.CaseSeparated, origin="r-0", by=INSPECTION),
        a(c.CaseOpened, condition="garbage-plain", street=EAST),
        a(c.CaseDispatched, unit=SANITATION, dispatch=2),
    )


def test_a_case_cannot_join_itself() -> None:
    itself = c.JoinCase(case_id=REPORT, into=REPORT)
    handling().when(itself, TRIAGE).then_refused(CaseRefusal.NOT_ONE_CASE)


def test_a_case_that_joins_takes_its_reports_along() -> None:
    gather = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=SWIFT)
    life = handling().after(gather, "router")
    [fact] = life.when(c.JoinCase(case_id=REPORT, into="r-0"), TRIAGE).facts
    assert isinstance(fact, c.CaseJoined)
    assert [one.report_id for one in fact.gathered] == ["r-2"]


def test_some_conditions_are_looked_at_before_a_case_is_opened() -> None:
    life = checking()
    [order] = life.told(c.CheckOrdered)
    assert (order.unit, order.due_at) == (INSPECTION, MONDAY + 4 * HOUR)
    life.when(c.CheckReport(case_id=REPORT, found=True), INSPECTION).then(
        c.CaseOpened, c.CaseDispatched
    )
    nothing = life.when(c.CheckReport(case_id=REPORT, found=False, note="无"), INSPECTION)
    nothing.then(a(c.CaseRejected, note="无"))


def test_a_check_that_comes_too_late_is_a_fact() -> None:
    late = checking().later(5 * HOUR).heard()
    assert [(f.clock, f.unit) for f in late.told(c.DeadlinePassed)] == [
        (ClockName.CHECK, INSPECTION)
    ]


# ------------------------------------------------------------------ hands


def test_of_two_clerks_one_has_it_and_the_other_is_told_who() -> None:
    life = opened().after(c.ClaimWork(case_id=REPORT, clerk="li-01"), SANITATION)
    assert kinds(life.facts)[-2:] == (c.WorkAccepted, c.WorkClaimed)
    other = life.when(c.ClaimWork(case_id=REPORT, clerk="wu-02"), SANITATION)
    other.then_refused(CaseRefusal.CLAIMED_BY_ANOTHER)
    assert "li-01" in other.reasons[0].detail
    life.when(c.ClaimWork(case_id=REPORT, clerk="li-01"), SANITATION).then_nothing()


def test_a_claim_ends_when_the_case_moves_on() -> None:
    life = opened().after(c.ClaimWork(case_id=REPORT, clerk="li-01"), SANITATION)
    assert life.after(RETURN, SANITATION).state.clerk is None


def test_the_unit_that_returned_it_goes_on_with_what_was_left() -> None:
    life = at_the_street()  # an hour was used
    [pause] = life.told(c.ClockPaused)
    assert (pause.because, pause.left_seconds) == ("returned", 5 * 3600)
    again = life.later(3 * HOUR).after(dispatch(SANITATION), EAST)
    assert again.state.due_at == again.at + 5 * HOUR


def test_another_unit_starts_anew() -> None:
    again = at_the_street().later(3 * HOUR).after(dispatch(FIRE), EAST)
    assert again.state.due_at == again.at + LIMIT


def test_a_third_return_tells_the_street_and_no_level_is_told_twice() -> None:
    life = handling()
    for _ in range(2):
        life = life.after(RETURN, SANITATION).after(dispatch(SANITATION), EAST)
    assert life.told(c.CaseEscalated) == []
    life = life.after(RETURN, SANITATION)
    [told] = life.told(c.CaseEscalated)
    assert (told.level, told.because, told.told, told.returns) == (1, "returns", (EAST,), 3)
    life = life.after(dispatch(SANITATION), EAST).after(RETURN, SANITATION)
    assert len(life.told(c.CaseEscalated)) == 1
    life = life.after(dispatch(SANITATION), EAST).after(RETURN, SANITATION)
    assert [fact.level for fact in life.told(c.CaseEscalated)] == [1, 2]


def test_a_second_transfer_is_escalated() -> None:
    life = handling().after(c.TransferWork(case_id=REPORT, unit=FIRE), SANITATION)
    assert (life.state.unit, life.state.why) == (FIRE, Why.TRANSFERRED)
    assert life.state.due_at == life.at + LIMIT
    life = life.after(c.TransferWork(case_id=REPORT, unit=SANITATION), FIRE)
    assert [fact.because for fact in life.told(c.CaseEscalated)] == ["transfers"]


def test_a_unit_that_helps_reports_and_may_not_verify() -> None:
    life = handling().after(c.AskSupport(case_id=REPORT, unit=EAST), SANITATION)
    helped = life.after(c.GiveSupport(case_id=REPORT, result="已围挡"), EAST)
    assert helped.state.unit == SANITATION
    done = helped.after(RESOLVE, SANITATION)
    done.when(PASS, EAST).then_refused(CaseRefusal.HANDLER_MAY_NOT_VERIFY)


def test_what_is_corrected_is_routed_again_and_the_history_stays() -> None:
    moved = c.CorrectCase(case_id=REPORT, position=IN_WEST)
    handling().when(moved, TRIAGE).then(
        a(c.CaseCorrected, area="a-west", street=WEST, by=TRIAGE),
        a(c.CaseDispatched, unit=WEST, dispatch=2, why=Why.STREET_FIRST),
    )
    worse = c.CorrectCase(case_id=REPORT, condition="bare-wires-worse")
    handling().when(worse, INSPECTION).then(
        a(c.CaseCorrected, service_code="bare-wires", condition="bare-wires-worse"),
        a(c.CaseDispatched, unit=FIRE, limit="1 urgent_hour"),
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.CorrectCase(case_id=REPORT), CaseRefusal.NOTHING_CORRECTED),
        (c.CorrectCase(case_id=REPORT, position=IN_EAST), CaseRefusal.NOTHING_CORRECTED),
        (c.CorrectCase(case_id=REPORT, condition="unheard-of"), CaseRefusal.NO_SUCH_CONDITION),
    ],
)
def test_a_correction_says_what_is_right(command: c.CorrectCase, code: CaseRefusal) -> None:
    handling().when(command, TRIAGE).then_refused(code)


def test_a_street_may_take_the_handling_itself_and_has_the_limit_of_the_condition() -> None:
    life = at_the_street().after(dispatch(EAST), EAST)
    assert (life.state.unit, life.state.task) == (EAST, c.Task.HANDLE)
    assert life.state.due_at == life.at + LIMIT


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
