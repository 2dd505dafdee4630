"""The ledger as rows: accounts, their entries, lots, and each rider's passbook. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from contracts import account as a
from contracts.account import Balances, Entry
from contracts.envelope import Fact, Recorded
from eventlog.projection import Key, Table
from services.points import lots as of_lots
from services.points.lots import Lot
from services.points.postings import EXPIRED, REVERSED, Transfer, transfers


@dataclass(frozen=True, slots=True)
class PassbookRow:
    """What a rider has, had, and owes."""

    rider_id: str
    pending: int
    available: int
    held: int
    debt: int
    lifetime: int
    """All that was ever earned."""
    spent: int
    expired: int
    reversed: int
    """Taken back, what is owed of it included."""
    adjusted: int
    """Given by hand less taken by hand."""
    awards: int
    """Reports and acts that earned."""
    version: int
    as_of: int
    """The sequence of the last fact counted."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One transfer: a line of the ledger, written once and never changed."""

    rider_id: str
    sequence: int
    leg: int
    version: int | None
    """Which entry of the rider's account it belongs to."""
    entry: str
    """The fact that it follows from."""
    source: str
    target: str
    points: int
    lot: str | None
    report_id: str | None
    case_id: str | None
    hold_id: str | None
    item: str | None
    service_code: str | None
    rule: str | None
    rulebook: str | None
    by: str | None
    pending: int | None
    available: int | None
    held: int | None
    debt: int | None
    """Where the account stood after the entry."""
    event_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot, and when the clock has something to say about it."""

    rider_id: str
    lot: str
    rule: str
    report_id: str | None
    case_id: str | None
    points: int
    free: int
    held: int
    spent: int
    expired: int
    repaid: int
    taken: int
    pending: bool
    activates_at: datetime | None
    expires_at: datetime | None
    lifetime_days: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """An account of the chart, over all riders. Neither side ever falls (invariant L14)."""

    account: str
    debits: int
    """All that was taken from it."""
    credits: int
    """All that came to it."""
    entries: int
    as_of: int


def passbook(row: PassbookRow | None, fact: Recorded) -> PassbookRow | None:
    """The rider's totals after an entry."""
    if not isinstance(fact.body, Entry):
        return row
    rider = fact.body.stream_id
    sums = {f.name: getattr(row, f.name) if row else 0 for f in _SUMS}
    for transfer in transfers(fact.body):
        _move(sums, transfer)
    if isinstance(fact.body, a.PointsAwarded | a.PointsGranted):
        sums["awards"] += 1
    sums["version"] += 1
    return PassbookRow(rider_id=rider, as_of=fact.sequence, **sums)


_SUMS: Final = tuple(f for f in fields(PassbookRow) if f.name not in {"rider_id", "as_of"})
_ELSEWHERE: Final = {"redeemed": "spent", EXPIRED: "expired", REVERSED: "reversed"}


def _move(sums: dict[str, int], transfer: Transfer) -> None:
    for account, points in (
        (transfer.source, -transfer.points),
        (transfer.target, transfer.points),
    ):
        kind, _, rest = account.partition(":")
        if kind == "rider":
            pocket = rest.rpartition(":")[2]
            sums[pocket] += -points if pocket == "debt" else points
        elif kind == "issue":
            sums["lifetime"] -= points
        elif kind == "adjust":
            sums["adjusted"] -= points
        else:
            sums[_ELSEWHERE[kind]] += points


def entry(row: EntryRow | None, fact: Recorded, key: Key) -> EntryRow | None:
    """One transfer of an entry."""
    body = fact.body
    if not isinstance(body, Entry):
        return row
    transfer = transfers(body)[key[2]]
    stands: Balances | None = body.after
    return EntryRow(
        rider_id=body.stream_id,
        sequence=fact.sequence,
        leg=key[2],
        version=stands.version if stands else None,
        entry=fact.type,
        source=transfer.source,
        target=transfer.target,
        points=transfer.points,
        lot=_text(body, "lot"),
        report_id=_text(body, "report_id"),
        case_id=_text(body, "case_id"),
        hold_id=_text(body, "hold_id"),
        item=_text(body, "item"),
        service_code=_text(body, "service_code"),
        rule=_text(body, "rule"),
        rulebook=_text(body, "rulebook"),
        by=_text(body, "by"),
        pending=stands.pending if stands else None,
        available=stands.available if stands else None,
        held=stands.held if stands else None,
        debt=stands.debt if stands else None,
        event_at=fact.happened_at,
        recorded_at=fact.recorded_at,
    )


def lot(row: LotRow | None, fact: Recorded, key: Key) -> LotRow | None:
    """A lot after a fact that touches it: the fold that decisions rest on, as a row."""
    after = of_lots.after(_lot(row) if row else None, fact.body, key[1])
    return lot_row(fact.body.stream_id, after) if after else row


def lot_row(rider_id: str, lot: Lot) -> LotRow:
    """A lot as its row."""
    return LotRow(
        rider_id=rider_id,
        due_at=lot.due_at,
        **{f.name: getattr(lot, f.name) for f in fields(Lot)},
    )


def _lot(row: LotRow) -> Lot:
    return Lot(**{f.name: getattr(row, f.name) for f in fields(Lot)})


def balance(row: BalanceRow | None, fact: Recorded, key: Key) -> BalanceRow | None:
    """An account of the chart after an entry."""
    (account,) = key
    after = row or BalanceRow(account, debits=0, credits=0, entries=0, as_of=0)
    for transfer in transfers(fact.body):
        if account == transfer.source:
            after = replace(after, debits=after.debits + transfer.points, entries=after.entries + 1)
        if account == transfer.target:
            after = replace(
                after, credits=after.credits + transfer.points, entries=after.entries + 1
            )
    return replace(after, as_of=fact.sequence)


def _text(fact: Fact, name: str) -> str | None:
    value = getattr(fact, name, None)
    return str(value) if value is not None else None


def _rider(fact: Recorded) -> Iterator[Key]:
    if isinstance(fact.body, Entry):
        yield (fact.body.stream_id,)


def _legs(fact: Recorded) -> Iterator[Key]:
    for leg in range(len(transfers(fact.body))):
        yield (fact.body.stream_id, fact.sequence, leg)


def _lots(fact: Recorded) -> Iterator[Key]:
    for name in dict.fromkeys(of_lots.touched(fact.body)):
        yield (fact.body.stream_id, name)


def _accounts(fact: Recorded) -> Iterator[Key]:
    moves = transfers(fact.body)
    for account in dict.fromkeys(side for t in moves for side in (t.source, t.target)):
        yield (account,)


LEDGER: Final[tuple[Table[Any], ...]] = (
    Table(
        name="passbook",
        row=PassbookRow,
        key=("rider_id",),
        keys=_rider,
        fold=passbook,
        stream="account",
    ),
    Table(
        name="entry",
        row=EntryRow,
        key=("rider_id", "sequence", "leg"),
        keys=_legs,
        fold_key=entry,
        stream="account",
    ),
    Table(
        name="lot",
        row=LotRow,
        key=("rider_id", "lot"),
        keys=_lots,
        fold_key=lot,
        indexes=("due_at",),
        stream="account",
    ),
    Table(name="balance", row=BalanceRow, key=("account",), keys=_accounts, fold_key=balance),
)
"""The tables of the ledger."""

__all__ = ["LEDGER", "BalanceRow", "EntryRow", "LotRow", "PassbookRow", "lot_row"]
