"""What follows for points from facts: an award for a case that was closed as fixed. Pure."""

from __future__ import annotations

from contracts.account import AwardPoints
from contracts.case import CaseClosed, CloseOutcome
from contracts.envelope import Recorded


def award(fact: Recorded, erased: frozenset[str] = frozenset()) -> AwardPoints | None:
    """A case closed as fixed was verified by somebody else; that earns.

    History earns nothing, and neither does a rider who was erased by then: nobody could spend it.
    """
    match fact.body:
        case CaseClosed(outcome=CloseOutcome.FIXED) as closed if not (
            fact.history or closed.rider_id in erased
        ):
            return AwardPoints(
                rider_id=closed.rider_id,
                platform=closed.platform,
                report_id=closed.report_id,
                case_id=closed.case_id,
                service_code=closed.service_code,
                condition=closed.condition,
                area=closed.area,
            )
        case _:
            return None
