"""What the rules of a case come to: times, counts, who is told, who may."""

from __future__ import annotations

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, ClockName, Why
from contracts.datum import to_gcj02
from contracts.envelope import Datum
from contracts.rulebook import Rulebook
from services.router.duplicates import metres_between
from services.router.rules import Rules
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
    ACCEPT,
    HOUR,
    LIMIT,
    MONDAY,
    OPEN,
    PASS,
    RESOLVE,
    RETURN,
    RULES,
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


def test_a_corrected_place_is_brought_to_wgs84_before_it_is_routed() -> None:
    seen = to_gcj02(IN_WEST)
    moved = c.CorrectCase(case_id=REPORT, position=seen)
    [corrected, _] = handling().when(moved, TRIAGE).facts
    assert isinstance(corrected, c.CaseCorrected)
    assert corrected.position is not None
    assert corrected.position.datum is Datum.WGS84
    assert metres_between(corrected.position, IN_WEST) < 0.1
    assert corrected.area == "a-west"


def test_whose_it_is_follows_from_the_number_on_it_once_somebody_reads_it() -> None:
    life = opened(service_code="cover")
    assert life.state.why is Why.OWNERLESS
    numbered = c.CorrectCase(case_id=REPORT, asset="33010100017")
    life = life.after(numbered, TRIAGE)
    assert (life.state.unit, life.state.asset) == (FIRE, "33010100017")
    life.when(numbered, TRIAGE).then_refused(CaseRefusal.NOTHING_CORRECTED)


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (c.Step.NONE, CaseRefusal.NO_SUCH_CASE),
        (c.Step.REJECTED, CaseRefusal.NO_SUCH_CASE),
        (c.Step.JOINED, CaseRefusal.NOT_ONE_CASE),
        (c.Step.CLOSED, CaseRefusal.NOT_ONE_CASE),
    ],
)
def test_a_case_joins_only_one_that_is_open(step: c.Step, code: CaseRefusal) -> None:
    onto = c.JoinCase(case_id=REPORT, into="r-0", stands_at=step)
    handling().when(onto, TRIAGE).then_refused(code)
    still = c.JoinCase(case_id=REPORT, into="r-0", stands_at=c.Step.HANDLING)
    handling().when(still, TRIAGE).then(c.CaseJoined)
    assert onto.model_dump() == still.model_dump()


def test_reporters_who_joined_hear_that_nothing_was_found() -> None:
    gather = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=SWIFT)
    life = checking().after(gather, "router")
    [rejected] = life.when(c.CheckReport(case_id=REPORT, found=False), INSPECTION).facts
    assert isinstance(rejected, c.CaseRejected)
    assert [one.report_id for one in rejected.gathered] == ["r-2"]


def test_a_third_return_is_told_also_where_lateness_has_led_higher_before() -> None:
    life = handling().later(LIMIT + 30 * HOUR).heard()
    assert life.state.level == 3
    for _ in range(2):
        life = life.after(RETURN, SANITATION).after(dispatch(SANITATION), EAST)
    life = life.after(RETURN, SANITATION)
    told = [(f.because, f.level) for f in life.told(c.CaseEscalated)]
    assert told == [("overdue", 2), ("overdue", 3), ("returns", 1)]
    assert life.state.level == 3


def test_a_late_case_that_comes_back_to_the_same_unit_is_escalated_further() -> None:
    late = handling().later(LIMIT + HOUR).heard()
    back = late.after(RETURN, SANITATION).after(dispatch(SANITATION), EAST)
    assert back.told(c.CaseDispatched)[-1].late
    assert back.told(c.CaseEscalated) == []
    told = back.later(2 * HOUR).heard().told(c.CaseEscalated)
    assert [(f.because, f.level, f.told) for f in told] == [("overdue", 2, (EAST, TRIAGE))]


def test_who_handled_it_once_does_not_verify_it_for_another_unit() -> None:
    street = at_the_street().after(dispatch(EAST), EAST).after(ACCEPT, EAST)
    handed_on = street.after(c.TransferWork(case_id=REPORT, unit=SANITATION), EAST)
    done = handed_on.after(ACCEPT, SANITATION).after(RESOLVE, SANITATION)
    done.when(PASS, EAST).then_refused(CaseRefusal.HANDLER_MAY_NOT_VERIFY)
    done.when(PASS, WEST).then(c.WorkVerified, c.CaseClosed)


def test_who_was_to_verify_and_is_asked_to_help_does_not_verify() -> None:
    life = handling(_verified_by(EAST))
    assert life.state.verifier == EAST
    helped = life.after(c.AskSupport(case_id=REPORT, unit=EAST), SANITATION)
    assert helped.after(RESOLVE, SANITATION).told(c.WorkResolved)[-1].verifier == INSPECTION
    assert life.after(RESOLVE, SANITATION).told(c.WorkResolved)[-1].verifier == EAST


def _verified_by(unit: str) -> Rules:
    given = RULES.book.model_dump(mode="json")
    given["catalogue"]["services"][0]["conditions"][0] |= {"verified_by": unit, "supporting": []}
    return Rules(Rulebook.model_validate(given))


def test_a_closed_case_says_in_which_area_it_lay() -> None:
    done = handling().after(RESOLVE, SANITATION).after(PASS, INSPECTION)
    assert done.told(c.CaseClosed)[-1].area == "b-east"


def test_what_two_processes_opened_side_by_side_gathers_while_nobody_has_taken_it_on() -> None:
    twin = c.JoinCase(case_id=REPORT, into="r-0")
    opened().when(twin, "router").then(a(c.CaseJoined, into="r-0", by=None))
    handling().when(twin, "router").then_nothing()
    at_the_street().when(twin, "router").then_nothing()
    apart = opened().after(twin, "router").after(c.SeparateCase(case_id=REPORT), TRIAGE)
    apart.when(twin, "router").then_nothing()  # a person has said that it stands by itself
    over = c.SeparateCase(case_id=REPORT, because=c.SeparationReason.ORIGINAL_OVER)
    alone = opened().after(twin, "router").after(over, "router")
    assert not alone.state.apart
