"""What the rules of a case come to: times, counts, who is told, who may."""

from __future__ import annotations

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, ClockName, Why
from tests.district import (
    EAST,
    FIRE,
    IN_EAST,
    IN_WEST,
    INSPECTION,
    REPORT,
    SANITATION,
    SWIFT,
    TRIAGE,
    WEST,
)
from tests.given import a
from tests.router.lives import (
    HOUR,
    LIMIT,
    MONDAY,
    OPEN,
    PASS,
    RESOLVE,
    RETURN,
    Life,
    at_the_street,
    checking,
    dispatch,
    handling,
    joined,
    kinds,
    opened,
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
