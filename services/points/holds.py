"""What a redemption does to an account: hold points, give them back, or spend them. Pure.

Each gives the facts of the account that follow, ready to be written beside the facts of the store
in one decision, or raises `Refused` with the reason. The clock is heard first: what has become
active or has expired by `at` is a fact of its own, so nothing expired is ever spent, however late
the loop is that looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from contracts.account import (
    AccountRefusal,
    DebtRepaid,
    LotPart,
    PointsActivated,
    PointsExpired,
    PointsHeld,
    PointsRedeemed,
    PointsReleased,
    ReleaseReason,
)
from contracts.envelope import Fact, Reason, Refused
from services.points.account import Account, Hold, entered, evolve
from services.points.lots import Lot, to_spend
from services.points.postings import points_of


def hold(
    account: Account, rider_id: str, *, hold_id: str, item: str, points: int, at: datetime
) -> list[Fact]:
    """Reserve `points` for the redemption `hold_id`: `PointsHeld`, behind what the clock says.

    The price is frozen in the hold. Raises `Refused`: `hold_exists`, `bad_amount`, or
    `not_enough` with how many points are missing.
    """
    if hold_id in account.holds:
        raise _refused(AccountRefusal.HOLD_EXISTS, f"{hold_id} holds points already")
    if points <= 0:
        raise _refused(AccountRefusal.BAD_AMOUNT, f"{points} points cannot be held")
    heard = list(hear(account, at))
    now = _after(account, heard)
    parts = to_spend(now.lots.values(), points)
    if parts is None:
        missing = points - now.available
        detail = f"{points} points are needed and {now.available} available: {missing} are missing"
        raise _refused(AccountRefusal.NOT_ENOUGH, detail)
    reserved = PointsHeld(rider_id=rider_id, hold_id=hold_id, item=item, points=points, parts=parts)
    return entered(account, [*heard, reserved])


def release(account: Account, *, hold_id: str, because: ReleaseReason, at: datetime) -> list[Fact]:
    """Give the points of a hold back to the same lots: `PointsReleased`.

    What comes back to a lot whose time is over expires at once, and what is owed is repaid from
    the rest. Raises `Refused`: `unknown_hold`, `hold_resolved`.
    """
    open_hold = _open(account, hold_id)
    return entered(account, _given_back(account, open_hold, open_hold.parts, because, at))


def post(account: Account, *, hold_id: str, at: datetime, points: int | None = None) -> list[Fact]:
    """Spend the points of a hold, or only `points` of them: `PointsRedeemed`.

    The remainder goes back, as with `release`. Raises `Refused`: `unknown_hold`,
    `hold_resolved`, `bad_amount`, `more_than_held`.
    """
    open_hold = _open(account, hold_id)
    spent = open_hold.points if points is None else points
    if spent <= 0:
        raise _refused(AccountRefusal.BAD_AMOUNT, f"{spent} points cannot be spent")
    if spent > open_hold.points:
        detail = f"{spent} points are more than the {open_hold.points} that are held"
        raise _refused(AccountRefusal.MORE_THAN_HELD, detail)
    used, left = _split(open_hold.parts, spent)
    facts: list[Fact] = [
        PointsRedeemed(
            rider_id=account.rider_id,
            hold_id=hold_id,
            item=open_hold.item,
            points=spent,
            parts=used,
        )
    ]
    if left:
        now = _after(account, facts)
        facts += _given_back(now, open_hold, left, ReleaseReason.REMAINDER, at)
    return entered(account, facts)


def hear(account: Account, at: datetime) -> Iterator[Fact]:
    """What the clock has to say by `at`: lots that become active, lots that expire, in order."""
    while lot := next(account.due(at), None):
        fact = activated(account, lot) if lot.pending else expired(account, lot)
        account = evolve(account, fact)
        yield fact


def activated(account: Account, lot: Lot) -> PointsActivated:
    """The pending window of a lot is over: what is owed is repaid first.

    Its time counts from the end of the window, however late that was noticed.
    """
    lasts = lot.lifetime_days
    ends = lot.activates_at + timedelta(days=lasts) if lot.activates_at and lasts else None
    return PointsActivated(
        rider_id=account.rider_id,
        lot=lot.lot,
        points=lot.free,
        repaid=min(account.debt, lot.free),
        expires_at=ends,
    )


def expired(account: Account, lot: Lot) -> PointsExpired:
    """The time of a lot is over. What is held of it is not touched."""
    if lot.expires_at is None:
        raise ValueError(f"lot {lot.lot} never expires")
    return PointsExpired(
        rider_id=account.rider_id, lot=lot.lot, points=lot.free, expired_at=lot.expires_at
    )


def _given_back(
    account: Account, to: Hold, parts: Sequence[LotPart], because: ReleaseReason, at: datetime
) -> list[Fact]:
    released = PointsReleased(
        rider_id=account.rider_id,
        hold_id=to.hold_id,
        item=to.item,
        points=points_of(parts),
        parts=tuple(parts),
        because=because,
    )
    facts: list[Fact] = [released, *hear(evolve(account, released), at)]
    now = _after(account, facts)
    if repaid := min(now.debt, now.available):
        from_lots = to_spend(now.lots.values(), repaid) or ()
        facts.append(DebtRepaid(rider_id=account.rider_id, points=repaid, parts=from_lots))
    return facts


def _open(account: Account, hold_id: str) -> Hold:
    found = account.holds.get(hold_id)
    if found is None:
        raise _refused(AccountRefusal.UNKNOWN_HOLD, f"nothing is held for {hold_id}")
    if found.resolved:
        raise _refused(AccountRefusal.HOLD_RESOLVED, f"{hold_id} was spent or given back already")
    return found


def _split(
    parts: Sequence[LotPart], points: int
) -> tuple[tuple[LotPart, ...], tuple[LotPart, ...]]:
    """The first `points` of the parts, and the rest."""
    used: list[LotPart] = []
    left: list[LotPart] = []
    for part in parts:
        now = min(part.points, points)
        points -= now
        if now:
            used.append(LotPart(lot=part.lot, points=now))
        if part.points > now:
            left.append(LotPart(lot=part.lot, points=part.points - now))
    return tuple(used), tuple(left)


def _after(account: Account, facts: Sequence[Fact]) -> Account:
    for fact in facts:
        account = evolve(account, fact)
    return account


def _refused(code: AccountRefusal, detail: str) -> Refused:
    return Refused(Reason(code=code, detail=detail))
