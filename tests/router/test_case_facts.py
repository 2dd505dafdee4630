"""What stands in the facts of a case: who, until when, how often, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.case import (
    AcceptWork,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseOpened,
    CaseRejected,
    CloseCase,
    CloseOutcome,
    DispatchCase,
    OpenCase,
    RecordHandling,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    ReworkOrdered,
    UnitKind,
    VerifyWork,
    Why,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Fact
from services.router.decider.case import CASE
from services.router.rules import Rules
from tests.district import (
    BOOK,
    EAST,
    FIRE,
    IN_EAST,
    IN_WEST,
    INSPECTION,
    KITE,
    NOWHERE,
    OPENED,
    REPORT,
    RIDER,
    RULES,
    SANITATION,
    TRIAGE,
    WEST,
    accepted,
    dispatched,
    resolved,
    returned,
    reworked,
)
from tests.given import NOON, Setting, a

given = Setting(CASE, RULES)

RETURN = ReturnWork(case_id=REPORT, reason=ReturnReason.NOT_OUR_AREA, note="不在我处辖区")
FAIL = VerifyWork(case_id=REPORT, passed=False, note="没有清完")
AT_SANITATION = (OPENED, dispatched(WEST), dispatched(SANITATION, 2))
RESOLVED = (*AT_SANITATION, accepted(SANITATION), resolved(SANITATION))


def opening(service: str | None = "garbage", **changes: object) -> OpenCase:
    said = {"report_id": REPORT, "rider_id": RIDER, "platform": KITE, "position": IN_WEST}
    return OpenCase.model_validate({**said, "service_code": service, **changes})


def test_a_case_lies_in_its_area_and_goes_to_that_street_first() -> None:
    given().when(opening(), by="router").then(
        OPENED,
        a(
            CaseDispatched,
            case_id=REPORT,
            rider_id=RIDER,
            unit=WEST,
            unit_kind=UnitKind.STREET,
            dispatch=1,
            service_code="garbage",
            area="a-west",
            why=Why.STREET_FIRST,
            suggested=SANITATION,
            due_at=NOON + timedelta(hours=1),
            rulebook=BOOK.label,
        ),
    )


def test_a_department_has_the_hours_of_the_service() -> None:
    given().when(opening(position=IN_EAST), by="router").then(
        a(CaseOpened, area="b-east", street=EAST),
        a(CaseDispatched, unit=SANITATION, due_at=NOON + timedelta(hours=6)),
    )


def test_a_case_outside_every_area_is_looked_at_by_the_triage_desk() -> None:
    given().when(opening(position=NOWHERE), by="router").then(
        a(CaseOpened, area=None, street=None, position=NOWHERE),
        a(CaseDispatched, unit=TRIAGE, unit_kind=UnitKind.TRIAGE, why=Why.PLACE_UNKNOWN),
    )


def test_what_is_only_recorded_opens_no_case_and_says_why() -> None:
    [fact] = given().when(opening("opinion"), by="router").facts
    assert isinstance(fact, CaseRejected)
    assert (fact.case_id, fact.report_id, fact.rider_id) == (REPORT, REPORT, RIDER)
    assert [reason.code for reason in fact.reasons] == ["service_opens_no_case"]
    assert "kind opinion" in fact.reasons[0].detail


def test_the_holder_accepts_in_its_own_name() -> None:
    accept = AcceptWork(case_id=REPORT)
    given(*AT_SANITATION).when(accept, by=SANITATION).then(
        WorkAccepted(case_id=REPORT, unit=SANITATION)
    )


def test_a_dispatcher_hands_on_the_case_with_the_hours_of_its_service() -> None:
    dispatch = DispatchCase(case_id=REPORT, unit=SANITATION)
    given(OPENED, dispatched(WEST)).when(dispatch, by=WEST).then(
        a(
            CaseDispatched,
            unit=SANITATION,
            unit_kind=UnitKind.DEPARTMENT,
            dispatch=2,
            service_code="garbage",
            area="a-west",
            why=Why.BY_DISPATCHER,
            suggested=SANITATION,
            due_at=NOON + timedelta(hours=6),
        )
    )


def test_a_dispatcher_may_correct_the_kind_of_hazard() -> None:
    dispatch = DispatchCase(case_id=REPORT, unit=FIRE, service_code="bare-wires")
    given(OPENED, dispatched(TRIAGE)).when(dispatch, by=TRIAGE).then(
        a(
            CaseDispatched,
            service_code="bare-wires",
            suggested=FIRE,
            due_at=NOON + timedelta(hours=2),
        )
    )


def test_without_a_known_kind_the_dispatchers_own_hours_hold() -> None:
    at_the_desk = (OPENED, dispatched(TRIAGE, service_code=None, suggested=None))
    dispatch = DispatchCase(case_id=REPORT, unit=FIRE)
    given(*at_the_desk).when(dispatch, by=TRIAGE).then(
        a(CaseDispatched, service_code=None, suggested=None, due_at=NOON + timedelta(hours=1))
    )


def test_a_department_gives_a_case_back_to_its_street_with_the_reason() -> None:
    given(*AT_SANITATION).when(RETURN, by=SANITATION).then(
        WorkReturned(
            case_id=REPORT,
            rider_id=RIDER,
            unit=SANITATION,
            reason=ReturnReason.NOT_OUR_AREA,
            returns=1,
            note="不在我处辖区",
        ),
        a(
            CaseDispatched,
            unit=WEST,
            dispatch=3,
            why=Why.RETURNED,
            suggested=SANITATION,
            due_at=NOON + timedelta(hours=1),
        ),
    )


def test_a_street_gives_its_own_case_back_to_the_triage_desk() -> None:
    given(OPENED, dispatched(WEST)).when(RETURN, by=WEST).then(
        WorkReturned, a(CaseDispatched, unit=TRIAGE, unit_kind=UnitKind.TRIAGE)
    )


def test_a_street_gives_a_case_of_another_territory_back_to_that_street() -> None:
    given(OPENED, dispatched(EAST)).when(RETURN, by=EAST).then(
        WorkReturned, a(CaseDispatched, unit=WEST)
    )


def test_a_case_outside_every_area_goes_back_to_the_triage_desk() -> None:
    nowhere = OPENED.model_copy(update={"position": NOWHERE, "area": None, "street": None})
    given(nowhere, dispatched(SANITATION)).when(RETURN, by=SANITATION).then(
        WorkReturned, a(CaseDispatched, unit=TRIAGE)
    )


def test_a_case_of_a_street_that_is_no_more_goes_back_to_the_triage_desk() -> None:
    former = OPENED.model_copy(update={"street": "street-former"})
    given(former, dispatched(SANITATION)).when(RETURN, by=SANITATION).then(
        WorkReturned, a(CaseDispatched, unit=TRIAGE)
    )


@pytest.mark.parametrize("before", [2, 3, 4])
def test_a_third_return_and_every_later_one_escalates_the_case(before: int) -> None:
    given(*AT_SANITATION, returned(SANITATION, before), dispatched(FIRE, 3)).when(
        RETURN, by=FIRE
    ).then(
        a(WorkReturned, returns=before + 1),
        CaseDispatched,
        CaseEscalated(case_id=REPORT, returns=before + 1, reworks=0, level=1),
    )


def test_a_second_return_does_not_escalate_the_case() -> None:
    given(*AT_SANITATION, returned(SANITATION), dispatched(FIRE, 3)).when(RETURN, by=FIRE).then(
        a(WorkReturned, returns=2), CaseDispatched
    )


def test_the_handler_reports_its_result() -> None:
    resolve = ResolveWork(case_id=REPORT, result="已清运", photo="p/2.jpg")
    given(*AT_SANITATION, accepted(SANITATION)).when(resolve, by=SANITATION).then(
        WorkResolved(
            case_id=REPORT, rider_id=RIDER, unit=SANITATION, result="已清运", photo="p/2.jpg"
        )
    )


def test_what_is_verified_is_closed_as_fixed_with_both_names() -> None:
    seen = VerifyWork(case_id=REPORT, passed=True, note="现场已恢复")
    given(*RESOLVED).when(seen, by=INSPECTION).then(
        WorkVerified(
            case_id=REPORT,
            rider_id=RIDER,
            unit=SANITATION,
            verifier=INSPECTION,
            note="现场已恢复",
        ),
        CaseClosed(
            case_id=REPORT,
            report_id=REPORT,
            rider_id=RIDER,
            platform=KITE,
            unit=SANITATION,
            service_code="garbage",
            outcome=CloseOutcome.FIXED,
        ),
    )


def test_what_is_not_done_goes_back_to_the_same_unit_which_need_not_accept_again() -> None:
    given(*RESOLVED).when(FAIL, by=INSPECTION).then(
        ReworkOrdered(
            case_id=REPORT,
            rider_id=RIDER,
            unit=SANITATION,
            verifier=INSPECTION,
            reworks=1,
            note="没有清完",
        )
    )
    resolve = ResolveWork(case_id=REPORT, result="又清了一遍")
    given(*RESOLVED, reworked(SANITATION)).when(resolve, by=SANITATION).then(WorkResolved)


def test_a_second_rework_escalates_the_case() -> None:
    again = (*RESOLVED, reworked(SANITATION), resolved(SANITATION))
    given(*again).when(FAIL, by=INSPECTION).then(
        a(ReworkOrdered, reworks=2), CaseEscalated(case_id=REPORT, returns=0, reworks=2, level=1)
    )


def test_how_often_is_too_often_is_said_by_the_rulebook() -> None:
    strict = BOOK.escalation.model_copy(update={"returns": 1, "reworks": 1})
    rules = Rules(BOOK.model_copy(update={"escalation": strict}))
    given(*AT_SANITATION, rules=rules).when(RETURN, by=SANITATION).then(
        WorkReturned, CaseDispatched, CaseEscalated
    )
    given(*RESOLVED, rules=rules).when(FAIL, by=INSPECTION).then(ReworkOrdered, CaseEscalated)


def test_a_dispatcher_closes_what_was_nothing() -> None:
    close = CloseCase(case_id=REPORT, note="现场无此情况")
    given(OPENED, dispatched(WEST)).when(close, by=WEST).then(
        a(CaseClosed, unit=WEST, outcome=CloseOutcome.UNFOUNDED, note="现场无此情况")
    )


def test_an_office_reply_from_history_closes_the_case_as_answered() -> None:
    reply = RecordHandling(case_id=REPORT, result="已答复来信人")
    given(*AT_SANITATION).when(reply, by="archive", history=True).then(
        a(WorkResolved, unit=SANITATION, result="已答复来信人"),
        a(CaseClosed, outcome=CloseOutcome.ANSWERED, unit=SANITATION),
    )


def test_every_decision_names_the_rules_it_was_made_by() -> None:
    newer = Rules(BOOK.model_copy(update={"version": 9}))
    opened = given(rules=newer).when(opening(), by="router").facts
    assert {getattr(fact, "rulebook", None) for fact in opened} == {"small@9"}


@pytest.mark.parametrize(
    ("facts", "zh", "en"),
    [
        (
            given(OPENED, dispatched(WEST))
            .when(DispatchCase(case_id=REPORT, unit=FIRE), by=WEST)
            .facts,
            ["西街办事处"],
            ["West Street Office"],
        ),
        (
            given(*AT_SANITATION).when(RETURN, by=SANITATION).facts,
            ["环卫中心", "西街办事处"],
            ["Sanitation", "West Street Office"],
        ),
    ],
    ids=["dispatched", "returned"],
)
def test_a_clerk_reads_who_moved_the_case(
    facts: tuple[Fact, ...], zh: list[str], en: list[str]
) -> None:
    moved = facts[-1]
    assert isinstance(moved, CaseDispatched)
    assert all(name in moved.explanation.zh for name in zh)
    assert all(name in moved.explanation.en for name in en)
