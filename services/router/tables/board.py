"""The board: where each case stands, who has it, and what it waits for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.case import (
    CaseClosed,
    CaseCorrected,
    CaseDispatched,
    CaseEscalated,
    CaseJoined,
    CaseOpened,
    CaseRejected,
    CaseReopened,
    CaseSeparated,
    CaseSuspended,
    CheckOrdered,
    ClockName,
    ClockPaused,
    ClockResumed,
    CloseOutcome,
    ClosingContested,
    ContestDismissed,
    DeadlinePassed,
    ExtensionAsked,
    ExtensionGranted,
    PauseReason,
    ReportJoined,
    ReportSeparated,
    RequestKind,
    RequestRefused,
    ReworkOrdered,
    Step,
    SuspensionAsked,
    SuspensionEnded,
    Task,
    TimeoutExcused,
    Why,
    WorkAccepted,
    WorkClaimed,
    WorkReleased,
    WorkResolved,
    WorkReturned,
    WorkTransferred,
    WorkVerified,
)
from contracts.envelope import Recorded
from eventlog.columns import changed
from services.router import timers
from services.router.timers import Timers


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Where a case stands, and how it came there."""

    case_id: str
    report_id: str
    rider_id: str
    platform: str
    step: Step
    rulebook: str
    history: bool
    opened_at: datetime
    sequence: int
    service_code: str | None = None
    condition: str | None = None
    lat: float | None = None
    lng: float | None = None
    area: str | None = None
    street: str | None = None
    unit: str | None = None
    task: Task | None = None
    clerk: str | None = None
    """Whose own hands it is in."""
    why: Why | None = None
    due_at: datetime | None = None
    """Until when the holder has to do its task; None while the clock stands still."""
    dispatches: int = 0
    returns: int = 0
    reworks: int = 0
    transfers: int = 0
    reopens: int = 0
    reports: int = 1
    """How many reports are about it."""
    level: int = 0
    """0, or how high it has been escalated."""
    overdue: bool = False
    """The present holder is late."""
    late: bool = False
    """Whoever handled it was late; that stands."""
    excused: bool = False
    request: RequestKind | None = None
    """What the holder has asked for and nobody has answered."""
    request_until: datetime | None = None
    paused: PauseReason | None = None
    suspended_until: datetime | None = None
    inspector: str | None = None
    """Who is to verify it, or to look before it is opened."""
    verifier: str | None = None
    """Who has verified it."""
    contested: bool = False
    origin: str | None = None
    """The case that it gathers under."""
    outcome: CloseOutcome | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    check_by: datetime | None = None
    accept_by: datetime | None = None
    warn_at: datetime | None = None
    due_by: datetime | None = None
    escalate_at: datetime | None = None
    resume_at: datetime | None = None
    verify_by: datetime | None = None
    next_at: datetime | None = None
    """When the clock has something to say; None where it has not."""

    @property
    def timers(self) -> Timers:
        """What the case waits for."""
        return Timers(
            check_by=self.check_by,
            accept_by=self.accept_by,
            warn_at=self.warn_at,
            due_at=self.due_by,
            escalate_at=self.escalate_at,
            resume_at=self.resume_at,
            verify_by=self.verify_by,
        )


def case(row: CaseRow | None, fact: Recorded) -> CaseRow | None:
    """The case after a fact. History waits for nothing: its moments are long over."""
    match fact.body:
        case CaseOpened() | CheckOrdered() | CaseJoined() as told:
            row = row or _first(told, fact)
            changes = _known(told, fact)
        case CaseRejected():
            changes = {"step": Step.REJECTED, "unit": None, "due_at": None}
        case _:
            changes = _changes(row, fact) if row else {}
    if row is None:
        return None
    waits = timers.NONE if fact.history else timers.after(row.timers, fact.body)
    return changed(row, changes | _waiting(waits) | {"sequence": fact.sequence})


def _waiting(waits: Timers) -> dict[str, Any]:
    return {
        "check_by": waits.check_by,
        "accept_by": waits.accept_by,
        "warn_at": waits.warn_at,
        "due_by": waits.due_at,
        "escalate_at": waits.escalate_at,
        "resume_at": waits.resume_at,
        "verify_by": waits.verify_by,
        "next_at": waits.next_at,
    }


def _first(told: CaseOpened | CheckOrdered | CaseJoined, fact: Recorded) -> CaseRow:
    return CaseRow(
        case_id=told.case_id,
        report_id=told.report_id,
        rider_id=told.rider_id,
        platform=told.platform,
        step=Step.NONE,
        rulebook=told.rulebook,
        history=fact.history,
        opened_at=fact.happened_at,
        sequence=fact.sequence,
    )


def _known(told: CaseOpened | CheckOrdered | CaseJoined, fact: Recorded) -> dict[str, Any]:
    """What the case is about, as it was told first, or again after a check or a separation."""
    about = {
        "service_code": told.service_code,
        "condition": told.condition,
        "lat": told.position.lat if told.position else None,
        "lng": told.position.lng if told.position else None,
        "area": told.area,
        "street": told.street,
        "rulebook": told.rulebook,
    }
    match told:
        case CaseOpened():
            return about | {"opened_at": fact.happened_at, "origin": None}
        case CheckOrdered(unit=unit, due_at=due_at):
            checking = {"step": Step.CHECKING, "unit": unit, "inspector": unit}
            return about | checking | {"due_at": due_at}
        case CaseJoined(into=into):
            return about | {"step": Step.JOINED, "origin": into, "unit": None, "due_at": None}


def _changes(row: CaseRow, fact: Recorded) -> dict[str, Any]:
    """What changes in the row of a case that is known."""
    for part in (_of_holding, _of_handling, _of_time, _of_gathering):
        if (changes := part(fact, row)) is not None:
            return changes
    return {}


def _of_holding(fact: Recorded, row: CaseRow) -> dict[str, Any] | None:
    match fact.body:
        case CaseDispatched() as to:
            return {
                "step": Step.DISPATCHED,
                "unit": to.unit,
                "task": to.task,
                "clerk": None,
                "why": to.why,
                "service_code": to.service_code,
                "condition": to.condition,
                "due_at": None if to.imported else to.due_at,
                "dispatches": to.dispatch,
                "overdue": to.late,
                "request": None,
                "request_until": None,
                "paused": None,
                "inspector": to.verifier,
                "outcome": None,
                "closed_at": None,
                "resolved_at": None,
                "contested": False,
            }
        case CaseCorrected() as right:
            return {
                "service_code": right.service_code,
                "condition": right.condition,
                "lat": right.position.lat if right.position else None,
                "lng": right.position.lng if right.position else None,
                "area": right.area,
                "street": right.street,
            }
        case WorkAccepted():
            return {"step": Step.HANDLING}
        case WorkClaimed(clerk=clerk):
            return {"clerk": clerk}
        case WorkReleased():
            return {"clerk": None}
        case WorkReturned(returns=returns):
            return {"returns": returns}
        case WorkTransferred(transfers=transfers):
            return {"transfers": transfers}
        case CaseEscalated(level=level):
            return {"level": max(row.level, level)}
        case _:
            return None


def _of_handling(fact: Recorded, row: CaseRow) -> dict[str, Any] | None:
    at = fact.happened_at
    match fact.body:
        case WorkResolved(verifier=verifier):
            looks = verifier or row.inspector
            done = {"step": Step.RESOLVED, "resolved_at": at, "inspector": looks}
            return done | {"request": None, "request_until": None}
        case ReworkOrdered(reworks=reworks):
            return {"step": Step.HANDLING, "reworks": reworks, "resolved_at": None}
        case WorkVerified(verifier=verifier):
            return {"verifier": verifier}
        case CaseClosed(outcome=outcome):
            ended = {"outcome": outcome, "closed_at": at, "clerk": None, "paused": None}
            return {"step": Step.CLOSED, "request": None, "due_at": None, **ended}
        case CaseReopened(reopens=reopens):
            return {"reopens": reopens}
        case ClosingContested():
            return {"contested": True}
        case ContestDismissed():
            return {"contested": False}
        case TimeoutExcused():
            return {"excused": True}
        case _:
            return None


def _of_time(fact: Recorded, _: CaseRow) -> dict[str, Any] | None:
    match fact.body:
        case ExtensionAsked(until=until):
            return {"request": RequestKind.EXTENSION, "request_until": until}
        case SuspensionAsked(until=until):
            return {"request": RequestKind.SUSPENSION, "request_until": until}
        case RequestRefused():
            return {"request": None, "request_until": None}
        case ExtensionGranted(due_at=due_at):
            return {"request": None, "request_until": None, "due_at": due_at}
        case CaseSuspended(until=until):
            asked = {"request": None, "request_until": None}
            return {"step": Step.SUSPENDED, "suspended_until": until, **asked}
        case SuspensionEnded():
            return {"step": Step.HANDLING, "suspended_until": None}
        case ClockPaused(because=because):
            return {"due_at": None, "paused": because}
        case ClockResumed(due_at=due_at):
            return {"due_at": due_at, "paused": None}
        case DeadlinePassed(clock=ClockName.HANDLE):
            return {"overdue": True, "late": True, "request": None, "request_until": None}
        case DeadlinePassed(clock=ClockName.DISPATCH | ClockName.CHECK):
            return {"overdue": True}
        case _:
            return None


def _of_gathering(fact: Recorded, _: CaseRow) -> dict[str, Any] | None:
    match fact.body:
        case ReportJoined(reports=reports) | ReportSeparated(reports=reports):
            return {"reports": reports}
        case CaseSeparated():
            return {"origin": None}
        case _:
            return None
