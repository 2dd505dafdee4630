"""How points come, become spendable and pass, and what shared limits count."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.account.words import Amount, CapName, Entry, GrantKind, Inputs, Points
from contracts.envelope import CaseId, Fact, Id, PartyId, ReportId, RiderId, ServiceCode, Time


class PointsAwarded(Entry, stream="account"):
    """The rider has earned points: once for a report and a rule (ledger invariant L4).

    They are a lot of their own, pending until it is activated.
    """

    rider_id: RiderId
    platform: PartyId
    report_id: ReportId
    case_id: CaseId
    service_code: ServiceCode
    condition: Id | None = None
    points: Points
    rule: str
    """What gave the points: `condition:<code>`, `earning:<code>` of an earning rule, or
    `role:<role>` for a role's bonus."""
    rulebook: str
    """`<name>@<version>` of the rules that decided (ledger invariant L22)."""
    lot: Id | None = None
    """Its lot: UUIDv5 of report, rule and rider; None in facts older than lots."""
    activates_at: Time | None = None
    """The end of its pending window; None: there was none."""
    lifetime_days: Annotated[int, Field(gt=0)] | None = None
    """How long it can be spent once it is active; None: for ever."""
    inputs: Inputs | None = None


class PointsWithheld(Fact, stream="account"):
    """The report would have earned, but a limit is reached. It will not earn later either."""

    rider_id: RiderId
    platform: PartyId
    report_id: ReportId
    case_id: CaseId
    service_code: ServiceCode
    condition: Id | None = None
    rule: str
    rulebook: str
    caps: tuple[CapName, ...]
    """Every limit that left nothing."""
    inputs: Inputs


class PointsGranted(Entry, stream="account"):
    """Points for a volunteer act, or an honour, granted by an officer by a published rule."""

    rider_id: RiderId
    kind: GrantKind
    occasion: Id
    points: Points
    rule: str
    """`act:<code>` or `honour:<code>`."""
    rulebook: str
    by: PartyId
    lot: Id
    activates_at: Time | None = None
    lifetime_days: Annotated[int, Field(gt=0)] | None = None
    inputs: Inputs


class PointsActivated(Entry, stream="account"):
    """A lot can be spent. What is owed was repaid from it first."""

    rider_id: RiderId
    lot: Id
    points: Points
    """All that was pending of it."""
    repaid: Amount = 0
    """So many of these went to the debt."""
    expires_at: Time | None = None
    """Fixed now, once for all (ledger invariant L9)."""


class PointsExpired(Entry, stream="account"):
    """What was left of a lot is gone by time."""

    rider_id: RiderId
    lot: Id
    points: Points
    expired_at: Time


class AwardCounted(Fact, stream="cap"):
    """An award counts towards a limit that several riders share (ledger invariant L23)."""

    cap_id: Id
    cap: CapName
    of: str
    """The case, or the area and the day."""
    rider_id: RiderId
    report_id: ReportId
    points: Amount
    """Together with the bonus of a role; none where another limit left nothing."""
    limit: Amount | None = None
