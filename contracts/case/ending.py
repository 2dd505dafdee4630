"""How a case ends, and what may still come after."""

from __future__ import annotations

from contracts.case.opening import Gathered
from contracts.case.words import CancelReason, CloseOutcome
from contracts.envelope import (
    CaseId,
    Fact,
    Id,
    PartyId,
    Personal,
    ReportId,
    RiderId,
    ServiceCode,
    Time,
    UnitCode,
)


class CaseClosed(Fact, stream="case"):
    """The file is closed."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    unit: UnitCode | None = None
    service_code: ServiceCode | None = None
    condition: Id | None = None
    area: Id | None = None
    outcome: CloseOutcome
    by: PartyId | None = None
    """Who said so."""
    reason: CancelReason | None = None
    note: Personal[str] | None = None
    gathered: tuple[Gathered, ...] = ()
    """The other reports that were about it."""
    closed_at: Time
    contest_until: Time | None = None
    """Until when a reporter may say that it is not done."""


class ClosingContested(Fact, stream="case"):
    """A reporter says: closed, and not done."""

    case_id: CaseId
    rider_id: RiderId
    platform: PartyId
    decider: UnitCode
    """Who is to look again."""
    note: Personal[str]


class ContestDismissed(Fact, stream="case"):
    """Looked at again: it is done."""

    case_id: CaseId
    rider_id: RiderId
    by: PartyId
    note: Personal[str]


class CaseReopened(Fact, stream="case"):
    """It is not done: what follows says who has it now."""

    case_id: CaseId
    rider_id: RiderId
    by: PartyId
    reopens: int
    note: Personal[str]


class TimeoutAppealed(Fact, stream="case"):
    """The unit that was late asks for the lateness to be left out of the statistic."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    reason: Personal[str]


class AppealReviewed(Fact, stream="case"):
    """One of the reviewers has said yes or no."""

    case_id: CaseId
    rider_id: RiderId
    reviewer: UnitCode
    granted: bool
    note: Personal[str] | None = None


class TimeoutExcused(Fact, stream="case"):
    """All reviewers agree: the case leaves the statistic. That it was late stands."""

    case_id: CaseId
    unit: UnitCode
    reviewers: tuple[UnitCode, ...]


class TimeoutUpheld(Fact, stream="case"):
    """A reviewer does not agree: the case stays in the statistic."""

    case_id: CaseId
    unit: UnitCode
    reviewer: UnitCode
