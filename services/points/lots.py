"""Lots: every earn is one, and whatever is spent, expires or is taken back names its lots. Pure.

First to expire is spent first, then the oldest (ledger invariant L9). Lots are kept in the order
in which they were opened, so of equals the older one comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from contracts import account as a
from contracts.account import LotPart
from contracts.envelope import Fact

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When a lot without a lifetime expires."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What became of one earn."""

    lot: str
    rule: str
    points: int
    """As earned."""
    free: int
    """What is pending, or available, of it."""
    held: int = 0
    pending: bool = False
    activates_at: datetime | None = None
    lifetime_days: int | None = None
    expires_at: datetime | None = None
    report_id: str | None = None
    case_id: str | None = None
    spent: int = 0
    expired: int = 0
    repaid: int = 0
    """Went to a debt."""
    taken: int = 0
    """Taken back, by a reversal of this or another lot, or by hand."""

    @property
    def due_at(self) -> datetime | None:
        """When it has to be activated or expires next; None where it waits for nothing."""
        if not self.free:
            return None
        return self.activates_at if self.pending else self.expires_at

    @property
    def by_hand(self) -> bool:
        """Whether it was given by officers, not earned."""
        return self.rule.startswith("adjust:")

    @property
    def gone(self) -> int:
        """What is no longer in it."""
        return self.spent + self.expired + self.repaid + self.taken


Lots: TypeAlias = Mapping[str, Lot]


def to_spend(lots: Iterable[Lot], points: int) -> tuple[LotPart, ...] | None:
    """Which lots so many available points come from; None where they are not there."""
    parts = _take(sorted((lot for lot in lots if not lot.pending), key=_first_to_go), points)
    return parts if sum(part.points for part in parts) == points else None


def to_reverse(
    lots: Lots, reversed_lot: str
) -> tuple[tuple[LotPart, ...], tuple[LotPart, ...], int]:
    """What taking an earn back takes: pending points, available points, and what is then owed.

    Of the pending the lot's own first, then those that would be active last; of the available
    the lot's own first, then what is spent first otherwise (ledger invariant L11). What is held
    stays held. What of the lot has expired is gone already and not taken again.
    """
    earn = lots[reversed_lot]
    owed = earn.points - earn.expired
    waiting = sorted(
        (lot for lot in lots.values() if lot.pending),
        key=lambda lot: (lot.lot != reversed_lot, -(lot.activates_at or NEVER).timestamp()),
    )
    pending = _take(waiting, owed)
    owed -= sum(part.points for part in pending)
    spendable = sorted(
        (lot for lot in lots.values() if not lot.pending),
        key=lambda lot: (lot.lot != reversed_lot, _first_to_go(lot)),
    )
    available = _take(spendable, owed)
    return pending, available, owed - sum(part.points for part in available)


def touched(fact: Fact) -> tuple[str, ...]:
    """The lots that a fact opens or changes."""
    match fact:
        case a.PointsAwarded():
            return (lot_of(fact),)
        case a.PointsGranted() | a.PointsActivated() | a.PointsExpired() | a.PointsRestored():
            return (fact.lot,)
        case a.PointsReversed():
            return tuple(part.lot for part in (*fact.pending, *fact.available))
        case a.PointsAdjusted() if fact.points > 0:
            return (fact.lot or fact.adjustment_id,)
        case (
            a.PointsHeld()
            | a.PointsReleased()
            | a.PointsRedeemed()
            | a.DebtRepaid()
            | a.PointsAdjusted()
        ):
            return tuple(part.lot for part in fact.parts)
        case _:
            return ()


def after(lot: Lot | None, fact: Fact, name: str) -> Lot | None:
    """The lot of that name after a fact that touches it.

    A lot that nobody knows stays unknown: the check of the ledger finds it.
    """
    match fact:
        case a.PointsAwarded():
            return _earned(fact, name, fact.report_id, fact.case_id)
        case a.PointsGranted():
            return _earned(fact, name)
        case a.PointsRestored():
            return _given(fact, name)
        case a.PointsAdjusted() if fact.points > 0:
            return _given(fact, name)
        case _:
            return _changed(lot, fact) if lot is not None else None


def lot_of(fact: a.PointsAwarded) -> str:
    """The lot of an award; in facts older than lots the report stands for it."""
    return fact.lot or fact.report_id


def _earned(
    fact: a.PointsAwarded | a.PointsGranted,
    name: str,
    report_id: str | None = None,
    case_id: str | None = None,
) -> Lot:
    return Lot(
        lot=name,
        rule=fact.rule,
        points=fact.points,
        free=fact.points,
        pending=fact.activates_at is not None,
        activates_at=fact.activates_at,
        lifetime_days=fact.lifetime_days,
        report_id=report_id,
        case_id=case_id,
    )


def _given(fact: a.PointsRestored | a.PointsAdjusted, name: str) -> Lot:
    """Points that came by hand: a lot that is active at once."""
    return Lot(
        lot=name,
        rule=f"adjust:{fact.by}",
        points=fact.points,
        free=fact.points - fact.repaid,
        repaid=fact.repaid,
        expires_at=fact.expires_at,
    )


def _changed(lot: Lot, fact: Fact) -> Lot:
    match fact:
        case a.PointsActivated(repaid=repaid):
            return replace(
                lot,
                pending=False,
                expires_at=fact.expires_at,
                free=lot.free - repaid,
                repaid=lot.repaid + repaid,
            )
        case a.PointsExpired(points=points):
            return replace(lot, free=lot.free - points, expired=lot.expired + points)
        case a.PointsHeld(parts=parts):
            points = _of(parts, lot)
            return replace(lot, free=lot.free - points, held=lot.held + points)
        case a.PointsReleased(parts=parts):
            points = _of(parts, lot)
            return replace(lot, free=lot.free + points, held=lot.held - points)
        case a.PointsRedeemed(parts=parts):
            points = _of(parts, lot)
            return replace(lot, held=lot.held - points, spent=lot.spent + points)
        case a.DebtRepaid(parts=parts):
            points = _of(parts, lot)
            return replace(lot, free=lot.free - points, repaid=lot.repaid + points)
        case a.PointsReversed():
            points = _of((*fact.pending, *fact.available), lot)
            return replace(lot, free=lot.free - points, taken=lot.taken + points)
        case a.PointsAdjusted(parts=parts):
            points = _of(parts, lot)
            return replace(lot, free=lot.free - points, taken=lot.taken + points)
        case _:
            return lot


def _of(parts: Iterable[a.LotPart], lot: Lot) -> int:
    return sum(part.points for part in parts if part.lot == lot.lot)


def _first_to_go(lot: Lot) -> datetime:
    return lot.expires_at or NEVER


def _take(lots: Iterable[Lot], points: int) -> tuple[LotPart, ...]:
    """Up to so many points from the lots, in this order."""
    parts: list[LotPart] = []
    for lot in lots:
        if points <= 0:
            break
        if taken := min(lot.free, points):
            parts.append(LotPart(lot=lot.lot, points=taken))
            points -= taken
    return tuple(parts)
