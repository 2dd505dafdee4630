"""Stream `account.<rider>`: what can happen to a rider's points. Written by points."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.envelope import CaseId, Command, Fact, Id, PartyId, ReportId, RiderId, ServiceCode

Points = Annotated[int, Field(gt=0, le=1_000_000, strict=True)]
"""Whole points, more than none (ledger invariant L2)."""


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


class PointsAwarded(Fact, stream="account"):
    """The rider has earned points: once for a report and a rule (ledger invariant L4)."""

    rider_id: RiderId
    platform: PartyId
    report_id: ReportId
    case_id: CaseId
    service_code: ServiceCode
    condition: Id | None = None
    points: Points
    rule: str
    """What gave the points: `condition:<code>`, or `earning:<code>` of an earning rule."""
    rulebook: str
    """`<name>@<version>` of the rules that decided (ledger invariant L22)."""
