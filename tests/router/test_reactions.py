"""What follows for router from facts: a case for an accepted report, an order for its holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import case as c
from contracts.case import Why, WorkOrder
from contracts.envelope import Fact
from contracts.report import ReportAccepted
from services.router import reactions
from services.router.decider.case import CASE, Case
from services.router.reactions import asks_for_work, open_case, supported, work_order
from tests.contracts.examples import EXAMPLES
from tests.district import (
    EAST,
    IN_WEST,
    INSPECTION,
    KITE,
    OPENED,
    REPORT,
    RIDER,
    SANITATION,
    TRIAGE,
    WEST,
    accepted,
    dispatched,
    resolved,
    reworked,
)
from tests.given import NOON, recorded
from tests.router.lives import JOIN, handling, joined
from tests.router.lives import resolved as resolved_life

DUE = NOON + timedelta(hours=6)
DISPATCHED = dispatched(SANITATION, 2, why=Why.BY_DISPATCHER, due_at=DUE)
REWORKED = reworked(SANITATION)
STORY = (
    OPENED,
    dispatched(WEST),
    DISPATCHED,
    accepted(SANITATION),
    resolved(SANITATION),
    REWORKED,
)

each_fact = pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)


def test_a_report_names_its_condition_and_the_number_on_the_thing_to_router() -> None:
    said = recorded(
        ReportAccepted(
            report_id=REPORT,
            rider_id=RIDER,
            platform=KITE,
            seen_at=NOON,
            service_code="cover",
            condition="cover-worse",
            asset="33010100017",
            position=IN_WEST,
            text="x",
        )
    )
    command = open_case(said)
    assert command is not None
    assert (command.condition, command.asset) == ("cover-worse", "33010100017")


def case_after(fact: Fact) -> Case:
    return CASE.fold(STORY[: STORY.index(fact) + 1])


def order_for(fact: Fact, sequence: int = 7) -> WorkOrder:
    order = work_order(recorded(fact, sequence), case_after(fact))
    assert order is not None
    return order


@each_fact
@pytest.mark.parametrize("history", [False, True], ids=["today", "history"])
def test_an_accepted_report_asks_for_a_case_and_nothing_else_does(
    fact: Fact, history: bool
) -> None:
    command = open_case(recorded(fact, history=history))
    assert (command is not None) is isinstance(fact, ReportAccepted)


def test_a_case_is_asked_for_with_what_the_report_says() -> None:
    [report] = [fact for fact in EXAMPLES if isinstance(fact, ReportAccepted)]
    command = open_case(recorded(report))
    assert command is not None
    for name in ("report_id", "rider_id", "platform", "service_code", "position"):
        assert getattr(command, name) == getattr(report, name)


@each_fact
def test_a_unit_is_told_to_work_when_something_is_to_be_done(fact: Fact) -> None:
    to_do = c.CaseDispatched | c.ReworkOrdered | c.CheckOrdered | c.SupportAsked | c.WorkResolved
    assert asks_for_work(recorded(fact)) is isinstance(fact, to_do)


@each_fact
def test_history_sends_nobody_anywhere(fact: Fact) -> None:
    assert not asks_for_work(recorded(fact, history=True))


@each_fact
def test_an_order_follows_from_just_those_facts(fact: Fact) -> None:
    assert (work_order(recorded(fact), case_after(REWORKED)) is not None) is asks_for_work(
        recorded(fact)
    )


def test_an_order_tells_the_holder_what_where_until_when_and_why() -> None:
    assert order_for(DISPATCHED, sequence=9) == WorkOrder(
        order_id=f"{REPORT}.2",
        case_id=REPORT,
        unit=SANITATION,
        kind="handle",
        service_code="garbage",
        position=IN_WEST,
        area="a-west",
        due_at=DUE,
        why=Why.BY_DISPATCHER,
        explanation=DISPATCHED.explanation,
        suggested=SANITATION,
        sequence=9,
    )


def test_who_verifies_is_told_where_it_was_done_and_until_when() -> None:
    [fact] = resolved_life().told(c.WorkResolved)
    order = work_order(recorded(fact, 9), resolved_life().state)
    assert order is not None
    assert (order.kind, order.unit, order.order_id) == ("verify", INSPECTION, f"{REPORT}.v9")
    assert order.due_at == fact.verify_by


def test_whoever_is_to_help_is_told_by_the_dispatch_or_by_the_asking() -> None:
    sent = dispatched(SANITATION, supporting=(EAST, WEST))
    orders = [
        work_order(replace(recorded(sent, 9), body=asked), case_after(DISPATCHED))
        for asked in supported(recorded(sent, 9))
    ]
    assert [(o.kind, o.unit) for o in orders if o] == [("support", EAST), ("support", WEST)]
    assert len({o.order_id for o in orders if o}) == 2


def test_a_report_that_joins_is_told_to_the_case_with_all_it_brings_along() -> None:
    gather = c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=KITE)
    life = handling().after(gather, "router").after(JOIN, TRIAGE)
    [fact] = life.told(c.CaseJoined)
    commands = list(reactions.gather(recorded(fact)))
    assert [(one.case_id, one.report_id) for one in commands] == [("r-0", REPORT), ("r-0", "r-2")]
    apart = reactions.apart(fact)
    assert (apart.case_id, apart.because) == (REPORT, c.SeparationReason.ORIGINAL_OVER)


def test_a_report_that_leaves_is_told_to_the_case_that_it_leaves() -> None:
    life = joined().after(c.SeparateCase(case_id=REPORT), TRIAGE)
    [fact] = life.told(c.CaseSeparated)
    assert reactions.drop(recorded(fact)) == c.DropReport(case_id="r-0", report_id=REPORT)


def test_a_rework_is_ordered_as_the_work_was_under_an_id_of_its_own() -> None:
    first, again = order_for(DISPATCHED, sequence=9), order_for(REWORKED, sequence=12)
    assert again == first.model_copy(
        update={"order_id": f"{REPORT}.r1", "kind": "rework", "sequence": 12}
    )


def test_an_order_heard_late_is_still_the_same_order() -> None:
    later = case_after(REWORKED)
    assert work_order(recorded(DISPATCHED), later) == order_for(DISPATCHED)


def test_a_rework_heard_after_the_case_moved_on_goes_to_the_same_unit_under_the_same_id() -> None:
    moved = CASE.fold([*STORY, dispatched(WEST, 3), dispatched(SANITATION, 4)])
    late, prompt = work_order(recorded(REWORKED), moved), order_for(REWORKED)
    assert late is not None
    assert (late.order_id, late.unit) == (prompt.order_id, prompt.unit)
