"""What can be asked of points about an account, and what the house asks of itself."""

from __future__ import annotations

from contracts.account.words import (
    Amount,
    Standing,
)
from contracts.envelope import CaseId, Command, Id, PartyId, ReportId, RiderId, ServiceCode, Time


class AwardPoints(Command, room="points"):
    """Award the points of a report whose case was closed as fixed."""

    rider_id: RiderId
    platform: PartyId
    report_id: ReportId
    case_id: CaseId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    """The exact state that made the case."""
    area: Id | None = None
    standing: Standing = Standing.FIRST
    place: Amount = 0
    """0 for the first reporter, then the confirmers as they came."""
    reported_at: Time | None = None
    """When it was reported; None: the moment of the award stands in."""
