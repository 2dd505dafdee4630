"""How points are held, spent, taken back, given back and set right by hand."""

from __future__ import annotations

from contracts.account.words import (
    AdjustmentReason,
    Amount,
    Change,
    Entry,
    LotPart,
    Points,
    ReleaseReason,
    ReversalReason,
)
from contracts.envelope import CaseId, Fact, Id, PartyId, Personal, ReportId, RiderId, Time


class PointsHeld(Entry, stream="account"):
    """Points are reserved for a redemption: first to expire first, then oldest."""

    rider_id: RiderId
    hold_id: Id
    """The redemption's."""
    item: Id
    points: Points
    parts: tuple[LotPart, ...]
    """Which lots they come from."""


class PointsReleased(Entry, stream="account"):
    """Held points go back to the lots that they came from, with the expiry that these had."""

    rider_id: RiderId
    hold_id: Id
    item: Id
    points: Points
    parts: tuple[LotPart, ...]
    because: ReleaseReason


class PointsRedeemed(Entry, stream="account"):
    """Held points are spent."""

    rider_id: RiderId
    hold_id: Id
    item: Id
    points: Points
    parts: tuple[LotPart, ...]


class DebtRepaid(Entry, stream="account"):
    """Points that became available go to what is owed."""

    rider_id: RiderId
    points: Points
    parts: tuple[LotPart, ...]


class PointsReversed(Entry, stream="account"):
    """An earn is taken back: from pending points, from its own lot, from others, the rest is owed.

    The earn itself stays as it is; this is an entry of its own (ledger invariant L8).
    """

    rider_id: RiderId
    reversal_id: Id
    lot: Id
    """The lot whose earn is taken back."""
    report_id: ReportId | None = None
    case_id: CaseId | None = None
    reason: ReversalReason
    points: Points
    pending: tuple[LotPart, ...] = ()
    available: tuple[LotPart, ...] = ()
    debt: Amount = 0
    by: PartyId
    appeal_until: Time | None = None
    """Until when the rider may say that it was wrong."""
    note: Personal[str] | None = None


class ReversalAppealed(Fact, stream="account"):
    """The rider contests a reversal; another officer decides."""

    rider_id: RiderId
    reversal_id: Id
    platform: PartyId
    note: Personal[str]


class ReversalUpheld(Fact, stream="account"):
    """Looked at again: the reversal was right."""

    rider_id: RiderId
    reversal_id: Id
    by: PartyId
    note: Personal[str]


class PointsRestored(Entry, stream="account"):
    """Looked at again: the reversal was wrong. Its points come as a new lot, active at once.

    A correcting entry, not a reversal of a reversal (ledger invariant L8).
    """

    rider_id: RiderId
    reversal_id: Id
    points: Points
    repaid: Amount = 0
    lot: Id
    expires_at: Time | None = None
    by: PartyId
    note: Personal[str]


class AdjustmentProposed(Fact, stream="account"):
    """It waits for another officer."""

    rider_id: RiderId
    adjustment_id: Id
    points: Change
    reason: AdjustmentReason
    by: PartyId
    note: Personal[str]


class PointsAdjusted(Entry, stream="account"):
    """Points were given or taken by hand, by two officers (ledger invariant L19)."""

    rider_id: RiderId
    adjustment_id: Id
    points: Change
    reason: AdjustmentReason
    by: PartyId
    """Who proposed it."""
    approved_by: PartyId
    repaid: Amount = 0
    """Of points given: so many went to the debt."""
    lot: Id | None = None
    """Of points given: the lot that they are."""
    expires_at: Time | None = None
    parts: tuple[LotPart, ...] = ()
    """Of points taken: which lots they were."""


class AdjustmentDeclined(Fact, stream="account"):
    """The other officer said no. Nothing moved."""

    rider_id: RiderId
    adjustment_id: Id
    by: PartyId
    note: Personal[str] | None = None
