"""The course of a case: every stay with a unit, as evaluation counts it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contracts.case import (
    CaseClosed,
    CaseCorrected,
    CaseDispatched,
    CaseJoined,
    CaseOpened,
    CaseReopened,
    CaseSuspended,
    ClockName,
    ClockPaused,
    ClockResumed,
    CloseOutcome,
    DeadlinePassed,
    ExtensionGranted,
    ReworkOrdered,
    Task,
    TimeoutExcused,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkTransferred,
)
from contracts.envelope import Recorded
from eventlog.columns import changed


class Ended(StrEnum):
    """How a stay with a unit ended."""

    RETURNED = "returned"
    TRANSFERRED = "transferred"
    HANDED_ON = "handed_on"
    """Dispatched or routed elsewhere."""
    CLOSED = "closed"
    JOINED = "joined"


class Stay(BaseModel):
    """One unit's time with a case, from one handover to the next."""

    model_config = ConfigDict(frozen=True)

    unit: str
    task: Task
    dispatched_at: datetime
    accepted_at: datetime | None = None
    due_at: datetime
    paused: bool = False
    resolved_at: datetime | None = None
    first_resolved_at: datetime | None = None
    late: bool = False
    excused: bool = False
    reworks: int = 0
    extensions: int = 0
    suspensions: int = 0
    ended_at: datetime | None = None
    ended: Ended | None = None

    @property
    def handles(self) -> bool:
        """Whether the unit was to handle it, or has done so without being asked."""
        return self.task is Task.HANDLE or self.first_resolved_at is not None


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One case, as it is counted."""

    case_id: str
    rider_id: str
    platform: str
    history: bool
    opened_at: datetime
    sequence: int
    service_code: str | None = None
    condition: str | None = None
    area: str | None = None
    due_at: datetime | None = None
    """Of the unit that handled it last; None where nobody has to, or its clock stands still."""
    closed_at: datetime | None = None
    outcome: CloseOutcome | None = None
    joined: bool = False
    reopens: int = 0
    stays: tuple[Stay, ...] = ()


def course(row: CourseRow | None, fact: Recorded) -> CourseRow | None:
    """The course of a case after a fact."""
    match fact.body:
        case CaseOpened() as opened:
            return CourseRow(
                case_id=opened.case_id,
                rider_id=opened.rider_id,
                platform=opened.platform,
                history=fact.history,
                opened_at=fact.happened_at,
                sequence=fact.sequence,
                service_code=opened.service_code,
                condition=opened.condition,
                area=opened.area,
                stays=row.stays if row else (),
            )
    if row is None:
        return None
    after = _moved(row, fact)
    if after is row:
        return row
    return changed(after, {"due_at": _due(after), "sequence": fact.sequence})


def decisive(row: CourseRow) -> Stay | None:
    """The stay that a case is judged by: the last one with a unit that was to handle it, or did.

    A street office that was to dispatch it and has done the work itself is judged by the deadline
    that it had. Who gave it back or handed it on is not judged: its time was over with that.
    """
    stay = next((stay for stay in reversed(row.stays) if stay.handles), None)
    return stay if stay and stay.ended in (None, Ended.CLOSED) else None


def _due(row: CourseRow) -> datetime | None:
    stay = decisive(row)
    waits = stay is None or (stay.paused and stay.resolved_at is None)
    return None if waits or stay is None else stay.due_at


def _moved(row: CourseRow, fact: Recorded) -> CourseRow:
    at = fact.happened_at
    match fact.body:
        case CaseDispatched() as to:
            row = _ended(row, at, Ended.HANDED_ON)
            stay = Stay(
                unit=to.unit, task=to.task, dispatched_at=at, due_at=to.due_at, late=to.late
            )
            about = {
                "service_code": to.service_code,
                "condition": to.condition,
                "area": to.area,
                "closed_at": None,
                "outcome": None,
                "joined": False,
            }
            return changed(row, about | {"stays": (*row.stays, stay)})
        case CaseCorrected(service_code=service, condition=condition, area=area):
            return changed(row, {"service_code": service, "condition": condition, "area": area})
        case WorkReturned():
            return _ended(row, at, Ended.RETURNED)
        case WorkTransferred():
            return _ended(row, at, Ended.TRANSFERRED)
        case CaseJoined():
            return changed(_ended(row, at, Ended.JOINED), {"joined": True})
        case CaseClosed(outcome=outcome):
            row = _ended(row, at, Ended.CLOSED)
            return changed(row, {"closed_at": at, "outcome": outcome})
        case CaseReopened(reopens=reopens):
            return changed(row, {"reopens": reopens})
        case TimeoutExcused(unit=unit):
            stays = tuple(
                stay.model_copy(update={"excused": stay.late and stay.unit == unit})
                for stay in row.stays
            )
            return changed(row, {"stays": stays})
        case _:
            return _stayed(row, fact)


def _stayed(row: CourseRow, fact: Recorded) -> CourseRow:
    """What happens while one unit has the case."""
    if not row.stays:
        return row
    stay = row.stays[-1]
    changes: dict[str, object]
    match fact.body:
        case WorkAccepted():
            changes = {"accepted_at": fact.happened_at}
        case WorkResolved():
            first = stay.first_resolved_at or fact.happened_at
            changes = {"resolved_at": fact.happened_at, "first_resolved_at": first}
        case ReworkOrdered():
            changes = {"resolved_at": None, "reworks": stay.reworks + 1}
        case ExtensionGranted(due_at=due_at):
            changes = {"due_at": due_at, "extensions": stay.extensions + 1}
        case CaseSuspended():
            changes = {"suspensions": stay.suspensions + 1}
        case ClockPaused():
            changes = {"paused": True}
        case ClockResumed(due_at=due_at):
            changes = {"paused": False, "due_at": due_at}
        case DeadlinePassed(clock=ClockName.HANDLE | ClockName.DISPATCH):
            changes = {"late": True}
        case _:
            return row
    return changed(row, {"stays": (*row.stays[:-1], stay.model_copy(update=changes))})


def _ended(row: CourseRow, at: datetime, how: Ended) -> CourseRow:
    if not row.stays or row.stays[-1].ended is not None:
        return row
    ended = row.stays[-1].model_copy(update={"ended_at": at, "ended": how})
    return changed(row, {"stays": (*row.stays[:-1], ended)})
