"""How a case is handled: who holds it, who helps, what comes of it."""

from __future__ import annotations

from contracts.case.words import Pace, ReturnReason, Task, UnitKind, Why
from contracts.envelope import (
    CaseId,
    Fact,
    Id,
    PartyId,
    Personal,
    RiderId,
    ServiceCode,
    Time,
    UnitCode,
    Words,
)


class CaseDispatched(Fact, stream="case"):
    """One unit is accountable for the case from now on."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    unit_kind: UnitKind
    dispatch: int
    """Counts the handovers of this case, from 1."""
    task: Task
    service_code: ServiceCode | None = None
    condition: Id | None = None
    area: Id | None = None
    why: Why
    explanation: Words
    """The rule in words that a clerk reads."""
    rule: str = ""
    """The same for programs: condition, mode, and the way of every role."""
    considered: tuple[Words, ...] = ()
    """What was looked at and not taken, or taken for want of better."""
    suggested: UnitCode | None = None
    """The department that the rules would choose, for a dispatcher's eyes."""
    supporting: tuple[UnitCode, ...] = ()
    """Units that help; not accountable."""
    limit: str
    """As the rules write it, such as `4 work_hours`."""
    pace: Pace
    limit_seconds: int
    """The limit in seconds of its pace."""
    due_at: Time
    warn_at: Time | None = None
    accept_by: Time | None = None
    late: bool = False
    """Whether the clock that goes on here had run out before."""
    escalate_at: Time | None = None
    """When a superior is told next, where it is late already."""
    imported: bool = False
    """Of history from another system: its moments were over before anybody could wait for them."""
    verifier: UnitCode | None = None
    """Who says whether it is done, where the unit is to handle it."""
    rulebook: str


class WorkAccepted(Fact, stream="case"):
    """The holder has taken the case on."""

    case_id: CaseId
    unit: UnitCode


class WorkClaimed(Fact, stream="case"):
    """One clerk of the holder has it in own hands."""

    case_id: CaseId
    unit: UnitCode
    clerk: Id


class WorkReleased(Fact, stream="case"):
    """It is at the unit's desk again."""

    case_id: CaseId
    unit: UnitCode
    clerk: Id


class WorkReturned(Fact, stream="case"):
    """The unit says: not ours. It is the one who said so."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    reason: ReturnReason
    returns: int
    """How often this case has been returned by now."""
    note: Personal[str] | None = None


class WorkTransferred(Fact, stream="case"):
    """The handling unit has handed it on directly."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    to: UnitCode
    transfers: int
    """How often this case has been handed on so by now."""
    note: Personal[str] | None = None


class SupportAsked(Fact, stream="case"):
    """Another unit is asked to help."""

    case_id: CaseId
    unit: UnitCode
    by: UnitCode


class SupportGiven(Fact, stream="case"):
    """The helping unit reports what it has done."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    result: Personal[str]


class WorkResolved(Fact, stream="case"):
    """The department reports its result. Whether it is fixed, somebody else says."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    result: Personal[str]
    photo: Personal[str] | None = None
    verifier: UnitCode | None = None
    """Who is to look."""
    verify_by: Time | None = None


class WorkVerified(Fact, stream="case"):
    """Somebody other than the handler has seen that it is done."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    verifier: PartyId
    note: Personal[str] | None = None


class ReworkOrdered(Fact, stream="case"):
    """Somebody other than the handler has seen that it is not done: back to the same unit."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    verifier: PartyId
    reworks: int
    """How often this case has been sent back by now."""
    note: Personal[str] | None = None
