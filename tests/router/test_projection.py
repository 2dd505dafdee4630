"""The row of a case follows every step of its story."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.case import (
    CaseEscalated,
    CaseOpened,
    CloseOutcome,
    Why,
    WorkVerified,
)
from contracts.envelope import Fact, Recorded
from services.router.projection import ROUTER, CaseRow, case
from tests.contracts.examples import EXAMPLES
from tests.district import (
    IN_WEST,
    INSPECTION,
    OPENED,
    REJECTED,
    REPORT,
    RIDER,
    SANITATION,
    WEST,
    accepted,
    closed,
    dispatched,
    resolved,
    returned,
    reworked,
)
from tests.folding import folded, never_raises, rows_of
from tests.given import NOON, recorded

DUE = NOON + timedelta(hours=6)
VERIFIED = WorkVerified(case_id=REPORT, rider_id=RIDER, unit=SANITATION, verifier=INSPECTION)
ESCALATED = CaseEscalated(case_id=REPORT, returns=3, reworks=0, level=1)


def told(*facts: Fact) -> list[Recorded]:
    """The facts at sequences 1, 2, ..., a minute after each other."""
    return [
        recorded(fact, number, at=NOON + timedelta(minutes=number))
        for number, fact in enumerate(facts, start=1)
    ]


def minute(number: int) -> Any:
    return NOON + timedelta(minutes=number)


def row_after(*facts: Fact) -> CaseRow:
    [row] = folded(ROUTER, told(*facts)).values()
    assert isinstance(row, CaseRow)
    return row


NEW = CaseRow(
    case_id=REPORT,
    report_id=REPORT,
    rider_id=RIDER,
    step="opened",
    service_code="garbage",
    lat=IN_WEST.lat,
    lng=IN_WEST.lng,
    area="a-west",
    unit=None,
    why=None,
    due_at=None,
    dispatches=0,
    returns=0,
    reworks=0,
    level=0,
    verifier=None,
    outcome=None,
    rulebook="small@1",
    opened_at=minute(1),
    resolved_at=None,
    closed_at=None,
    sequence=1,
)


def test_an_opened_case_is_a_row() -> None:
    assert row_after(OPENED) == NEW


STEPS: list[tuple[Fact, dict[str, Any]]] = [
    (
        dispatched(SANITATION, 2, service_code="bulky", why=Why.BY_DISPATCHER, due_at=DUE),
        {
            "step": "dispatched",
            "unit": SANITATION,
            "why": Why.BY_DISPATCHER,
            "service_code": "bulky",
            "due_at": DUE,
            "dispatches": 2,
        },
    ),
    (accepted(SANITATION), {"step": "handling"}),
    (returned(SANITATION, 2), {"returns": 2}),
    (ESCALATED, {"level": 1}),
    (resolved(SANITATION), {"step": "resolved", "resolved_at": minute(2)}),
    (reworked(SANITATION, 2), {"step": "handling", "reworks": 2}),
    (VERIFIED, {"verifier": INSPECTION}),
    (
        closed(SANITATION, CloseOutcome.UNFOUNDED),
        {"step": "closed", "outcome": CloseOutcome.UNFOUNDED, "closed_at": minute(2)},
    ),
]


@pytest.mark.parametrize(("fact", "changes"), STEPS, ids=[type(fact).__name__ for fact, _ in STEPS])
def test_the_row_changes_by(fact: Fact, changes: dict[str, Any]) -> None:
    row = row_after(OPENED, fact)
    names = [name for name in CaseRow.__slots__ if getattr(row, name) != getattr(NEW, name)]
    assert {name: getattr(row, name) for name in names} == changes | {"sequence": 2}


def test_every_fact_of_a_case_moves_its_row() -> None:
    moving = {type(fact) for fact, _ in STEPS} | {CaseOpened, type(REJECTED)}
    assert moving == {type(fact) for fact in EXAMPLES if fact.stream == "case"}


def test_what_was_resolved_and_sent_back_is_not_resolved() -> None:
    assert row_after(OPENED, resolved(SANITATION), reworked(SANITATION)).resolved_at is None


def test_a_whole_story_is_one_row() -> None:
    row = row_after(
        OPENED,
        dispatched(WEST),
        dispatched(SANITATION, 2),
        accepted(SANITATION),
        resolved(SANITATION),
        VERIFIED,
        closed(SANITATION),
    )
    assert (row.step, row.unit, row.verifier) == ("closed", SANITATION, INSPECTION)
    assert (row.opened_at, row.resolved_at, row.closed_at) == (minute(1), minute(5), minute(7))
    assert (row.outcome, row.dispatches, row.sequence) == (CloseOutcome.FIXED, 2, 7)


def test_a_report_without_a_case_has_no_row() -> None:
    assert folded(ROUTER, told(REJECTED)) == {}


def test_a_fact_of_a_case_that_was_never_opened_makes_no_row() -> None:
    assert case(None, recorded(dispatched(SANITATION))) is None


def test_a_fact_touches_the_row_of_its_case_and_no_other_stream_touches_any() -> None:
    for fact in EXAMPLES:
        touched = [("case", (fact.stream_id,))] if fact.stream == "case" else []
        assert rows_of(ROUTER, fact) == touched


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(ROUTER, fact)
