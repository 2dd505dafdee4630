"""Clocks of a case: more time, standing still, running again, warned, late."""

from __future__ import annotations

from contracts.case.words import ClockName, EscalationReason, PauseReason, RequestKind
from contracts.envelope import CaseId, Fact, PartyId, Personal, RiderId, Time, UnitCode


class ExtensionAsked(Fact, stream="case"):
    """The handling unit asks for more time."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    until: Time
    reason: Personal[str]
    decider: UnitCode
    """The dispatcher who is to answer."""


class SuspensionAsked(Fact, stream="case"):
    """The handling unit asks for the clock to be stopped."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    until: Time
    reason: Personal[str]
    decider: UnitCode


class RequestRefused(Fact, stream="case"):
    """The dispatcher says no. A refusal does not count."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    by: PartyId
    request: RequestKind
    note: Personal[str] | None = None


class ExtensionGranted(Fact, stream="case"):
    """The dispatcher gives more time."""

    case_id: CaseId
    unit: UnitCode
    by: PartyId
    extensions: int
    """How often this assignment has been extended by now."""
    due_at: Time
    warn_at: Time | None = None


class CaseSuspended(Fact, stream="case"):
    """Nothing is to be done until then; it ends by itself."""

    case_id: CaseId
    unit: UnitCode
    by: PartyId
    until: Time
    suspensions: int


class SuspensionEnded(Fact, stream="case"):
    """The unit is to go on."""

    case_id: CaseId
    unit: UnitCode
    ended_at: Time
    """The day that was set, whenever it was noticed; or earlier, when somebody said so."""
    by: PartyId | None = None
    """None: by itself."""


class ClockPaused(Fact, stream="case"):
    """The handling clock stands still."""

    case_id: CaseId
    unit: UnitCode
    because: PauseReason
    left_seconds: int
    """What is left of the limit, in seconds of its pace."""


class ClockResumed(Fact, stream="case"):
    """The handling clock runs again, with what was left."""

    case_id: CaseId
    unit: UnitCode
    due_at: Time
    warn_at: Time | None = None
    late: bool = False
    """It had run out before; then it stays due when it was due."""
    escalate_at: Time | None = None
    """When a superior is told next, where it is late already."""


class DeadlineNear(Fact, stream="case"):
    """Most of the limit is used up: the holder is warned."""

    case_id: CaseId
    unit: UnitCode
    due_at: Time


class DeadlinePassed(Fact, stream="case"):
    """It was not done in time. That stands, also where it is excused afterwards."""

    case_id: CaseId
    unit: UnitCode
    clock: ClockName
    dispatch: int
    due_at: Time
    escalate_at: Time | None = None


class CaseEscalated(Fact, stream="case"):
    """Late, returned, reworked or handed on too often: somebody above must look."""

    case_id: CaseId
    level: int
    because: EscalationReason
    told: tuple[UnitCode, ...] = ()
    returns: int
    reworks: int
    transfers: int = 0
    escalate_at: Time | None = None
    """When the next level is told, where nothing happens."""
