"""What follows for points from facts."""

from __future__ import annotations

import pytest

from contracts.account import AwardPoints
from contracts.case import CaseClosed, CloseOutcome
from contracts.envelope import Fact
from services.points.reactions import award
from tests.contracts.examples import EXAMPLES
from tests.district import KITE, REPORT, RIDER, SANITATION, closed
from tests.given import recorded


def test_a_case_closed_as_fixed_earns_its_reporter_points() -> None:
    assert award(recorded(closed(SANITATION))) == AwardPoints(
        rider_id=RIDER,
        platform=KITE,
        report_id=REPORT,
        case_id=REPORT,
        service_code="garbage",
    )


@pytest.mark.parametrize("outcome", [o for o in CloseOutcome if o is not CloseOutcome.FIXED])
def test_a_case_closed_otherwise_earns_nothing(outcome: CloseOutcome) -> None:
    assert award(recorded(closed(SANITATION, outcome))) is None


@pytest.mark.parametrize("outcome", CloseOutcome)
def test_history_earns_nothing(outcome: CloseOutcome) -> None:
    assert award(recorded(closed(SANITATION, outcome), history=True)) is None


def test_who_was_erased_earns_nothing_any_more() -> None:
    assert award(recorded(closed(SANITATION)), frozenset({RIDER})) is None
    assert award(recorded(closed(SANITATION)), frozenset({"another"})) is not None


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_no_other_fact_earns_anything(fact: Fact) -> None:
    assert (award(recorded(fact)) is not None) is isinstance(fact, CaseClosed)
