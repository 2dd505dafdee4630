"""What follows for points from facts of a case: awards, and what is taken back again. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from contracts.account import AwardPoints, ReversalReason, ReversePoints, Standing
from contracts.case import CancelReason, CaseClosed, CloseOutcome, Gathered
from contracts.envelope import Recorded


def awards(fact: Recorded, erased: Container[str] = ()) -> tuple[AwardPoints, ...]:
    """A case closed as fixed was verified by somebody else; that earns.

    History earns nothing, and neither does a rider who was erased by then: nobody could spend it.
    The first reporter comes first, then those whose reports gathered, as they came. A rider keeps
    the place of their first report: sending more of them takes nobody else's.
    """
    match fact.body:
        case CaseClosed(outcome=CloseOutcome.FIXED) as closed if not fact.history:
            first = AwardPoints(
                rider_id=closed.rider_id,
                platform=closed.platform,
                report_id=closed.report_id,
                case_id=closed.case_id,
                service_code=closed.service_code,
                condition=closed.condition,
                area=closed.area,
            )
            found = [first]
            for other, place in placed(closed.rider_id, closed.gathered):
                confirms = {
                    "rider_id": other.rider_id,
                    "platform": other.platform,
                    "report_id": other.report_id,
                    "standing": Standing.CONFIRMER,
                    "place": place,
                }
                found.append(first.model_copy(update=confirms))
            return tuple(one for one in found if one.rider_id not in erased)
        case _:
            return ()


def placed(first: str, gathered: Iterable[Gathered]) -> Iterator[tuple[Gathered, int]]:
    """Every report that gathered, and which rider's it is, counted from the first reporter, 0."""
    places = {first: 0}
    for other in gathered:
        yield other, places.setdefault(other.rider_id, len(places))


def award(fact: Recorded, erased: Container[str] = ()) -> AwardPoints | None:
    """The award of the first reporter."""
    first = next(iter(awards(fact, erased)), None)
    return first if first and first.standing is Standing.FIRST else None


def taken_back(fact: Recorded) -> tuple[ReversePoints, ...]:
    """A case that turns out to be unfounded or a false report earns nothing, also afterwards.

    Only a case that was fixed, earned, and was opened again can have earned before. Being opened
    again takes nothing back: the rider saw what was there.
    """
    match fact.body:
        case (
            CaseClosed(outcome=CloseOutcome.UNFOUNDED)
            | CaseClosed(outcome=CloseOutcome.CANCELLED, reason=CancelReason.FALSE_REPORT)
        ) if not fact.history:
            closed = fact.body
            reports = [(closed.rider_id, closed.report_id)]
            reports += [(other.rider_id, other.report_id) for other in closed.gathered]
            return tuple(
                ReversePoints(rider_id=rider, report_id=report, reason=ReversalReason.CASE_VOID)
                for rider, report in reports
            )
        case _:
            return ()
