"""Rows that follow from router's facts: one for each case. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseOpened,
    CaseRejected,
    ReworkOrdered,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Recorded
from eventlog.projection import Projection, Table


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Where a case stands, and how it came there."""

    case_id: str
    report_id: str
    rider_id: str
    step: str
    service_code: str | None
    lat: float | None
    lng: float | None
    area: str | None
    unit: str | None
    why: str | None
    due_at: datetime | None
    dispatches: int
    returns: int
    reworks: int
    level: int
    """0, or how high it has been escalated."""
    verifier: str | None
    outcome: str | None
    rulebook: str
    opened_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    sequence: int


def case(row: CaseRow | None, fact: Recorded) -> CaseRow | None:
    """The case after a fact."""
    match fact.body:
        case CaseOpened() as opened:
            return CaseRow(
                case_id=opened.case_id,
                report_id=opened.report_id,
                rider_id=opened.rider_id,
                step="opened",
                service_code=opened.service_code,
                lat=opened.position.lat if opened.position else None,
                lng=opened.position.lng if opened.position else None,
                area=opened.area,
                unit=None,
                why=None,
                due_at=None,
                dispatches=0,
                returns=0,
                reworks=0,
                level=0,
                verifier=None,
                outcome=None,
                rulebook=opened.rulebook,
                opened_at=fact.happened_at,
                resolved_at=None,
                closed_at=None,
                sequence=fact.sequence,
            )
        case CaseRejected():
            return row
    return _moved(row, fact) if row else None


def _moved(row: CaseRow, fact: Recorded) -> CaseRow:
    """The row of a case that is open, after one more fact."""
    at, sequence = fact.happened_at, fact.sequence
    match fact.body:
        case CaseDispatched() as to:
            return replace(
                row,
                step="dispatched",
                unit=to.unit,
                why=to.why,
                service_code=to.service_code,
                due_at=to.due_at,
                dispatches=to.dispatch,
                sequence=sequence,
            )
        case WorkAccepted():
            return replace(row, step="handling", sequence=sequence)
        case WorkReturned(returns=returns):
            return replace(row, returns=returns, sequence=sequence)
        case CaseEscalated(level=level):
            return replace(row, level=level, sequence=sequence)
        case WorkResolved():
            return replace(row, step="resolved", resolved_at=at, sequence=sequence)
        case ReworkOrdered(reworks=reworks):
            return replace(
                row, step="handling", reworks=reworks, resolved_at=None, sequence=sequence
            )
        case WorkVerified(verifier=verifier):
            return replace(row, verifier=verifier, sequence=sequence)
        case CaseClosed(outcome=outcome):
            return replace(row, step="closed", outcome=outcome, closed_at=at, sequence=sequence)
        case _:
            return row


def _keys(fact: Recorded) -> Iterator[tuple[str]]:
    if fact.body.stream == "case":
        yield (fact.body.stream_id,)


ROUTER: Final = Projection(
    name="router",
    version=1,
    subjects=("log.case.>",),
    tables=(
        Table(
            name="case",
            row=CaseRow,
            key=("case_id",),
            keys=_keys,
            fold=case,
            indexes=("unit", "rider_id", "due_at"),
        ),
    ),
)
