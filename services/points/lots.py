"""Lots: every earn is one, and whatever is spent, expires or is taken back names its lots. Pure.

First to expire is spent first, then the oldest (ledger invariant L9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from contracts.account import LotPart

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When a lot without a lifetime expires."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What became of one earn."""

    lot: str
    rule: str
    points: int
    """As earned."""
    opened: int
    """The version of the account that it came with: its age."""
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
        key=lambda lot: (lot.lot != reversed_lot, *_first_to_go(lot)),
    )
    available = _take(spendable, owed)
    return pending, available, owed - sum(part.points for part in available)


def changed(lots: Lots, parts: Iterable[LotPart], **by: int) -> dict[str, Lot]:
    """The lots after each part has moved: `free=-1, held=+1` for points that are held.

    Of a lot that nobody knows nothing changes: the check of the ledger finds it.
    """
    after = dict(lots)
    for part in parts:
        if (lot := after.get(part.lot)) is not None:
            moved = {name: getattr(lot, name) + sign * part.points for name, sign in by.items()}
            after[part.lot] = replace(lot, **moved)
    return after


def _first_to_go(lot: Lot) -> tuple[datetime, int]:
    return lot.expires_at or NEVER, lot.opened


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
