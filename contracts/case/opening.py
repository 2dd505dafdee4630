"""How a case begins: opened, gathered under another, checked first, or not opened at all."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from contracts.case.words import SeparationReason
from contracts.envelope import (
    CaseId,
    Fact,
    Id,
    PartyId,
    Personal,
    Reason,
    ReportId,
    RiderId,
    ServiceCode,
    Time,
    UnitCode,
    Words,
)
from contracts.report import Position


class Gathered(BaseModel):
    """One more report that is about a case, and whose it is."""

    model_config = ConfigDict(frozen=True)

    report_id: ReportId
    rider_id: RiderId
    platform: PartyId


class CaseOpened(Fact, stream="case"):
    """There is a case, and where it lies."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    """The exact state that makes it a case; the service's default until somebody says better."""
    position: Position | None = None
    asset: Id | None = None
    area: Id | None = None
    """The smallest area that it lies in."""
    street: UnitCode | None = None
    """Who answers for the territory."""
    rulebook: str
    """`<name>@<version>` of the rules that decided."""


class CaseRejected(Fact, stream="case"):
    """No case is opened for the report, with every reason. The report itself stays."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    service_code: ServiceCode | None = None
    reasons: tuple[Reason, ...]
    note: Personal[str] | None = None
    gathered: tuple[Gathered, ...] = ()
    """Other reports that were about it, while somebody was sent to look."""
    rulebook: str


class CheckOrdered(Fact, stream="case"):
    """Somebody is sent to look before a case is opened."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    asset: Id | None = None
    area: Id | None = None
    street: UnitCode | None = None
    unit: UnitCode
    """Who looks."""
    explanation: Words
    due_at: Time
    rulebook: str


class CaseJoined(Fact, stream="case"):
    """The report is about the same thing as an open case, and gathers there."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    asset: Id | None = None
    area: Id | None = None
    street: UnitCode | None = None
    into: CaseId
    """The original."""
    gathered: tuple[Gathered, ...] = ()
    """Reports that had gathered here, and go along."""
    distance_metres: int | None = None
    by: PartyId | None = None
    """Who said so; None: the rule of the condition."""
    explanation: Words
    rulebook: str


class CaseSeparated(Fact, stream="case"):
    """It is about another thing after all: what follows is a case of its own."""

    case_id: CaseId
    rider_id: RiderId
    origin: CaseId
    """The case that it was gathered under."""
    because: SeparationReason
    by: PartyId


class ReportJoined(Fact, stream="case"):
    """One more report is about this case."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    distance_metres: int | None = None
    reports: int
    """How many reports are about this case now, the first one included."""


class ReportSeparated(Fact, stream="case"):
    """A gathered report stands by itself again."""

    case_id: CaseId
    report_id: ReportId
    reports: int


class CaseCorrected(Fact, stream="case"):
    """The kind or the place was wrong. What follows was decided by what is right."""

    case_id: CaseId
    rider_id: RiderId
    by: PartyId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    asset: Id | None = None
    """The one that it had, where nobody corrected it."""
    area: Id | None = None
    street: UnitCode | None = None
    note: Personal[str] | None = None
    rulebook: str
