"""A rider's account as it follows from its facts. Pure.

Balances are the fold of the transfers alone (`postings`); lots, holds, reversals and adjustments
are folded beside them. That the two agree is ledger invariant L9, and checked, not assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from contracts import account as a
from contracts.envelope import Fact
from services.points import postings
from services.points.lots import Lot, changed


@dataclass(frozen=True, slots=True)
class Hold:
    """Points that a redemption has reserved."""

    hold_id: str
    item: str
    points: int
    """As it was made."""
    parts: tuple[a.LotPart, ...]
    """What is still held of it."""
    resolved: bool = False
    """It was posted or released (ledger invariant L7)."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """An earn that was taken back."""

    fact: a.PointsReversed
    appealed: bool = False
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change by hand, proposed or decided."""

    fact: a.AdjustmentProposed
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a rider's points."""

    rider_id: str = ""
    version: int = 0
    """How many entries there are."""
    balances: Mapping[str, int] = field(default_factory=dict)
    """Of every account that the rider's entries moved points from or to, as they alone moved it."""
    lots: Mapping[str, Lot] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    reports: frozenset[str] = frozenset()
    """Reports that have been decided on, whether they earned or not."""
    cases: frozenset[str] = frozenset()
    """Cases that the rider was awarded for."""
    reversals: Mapping[str, Reversal] = field(default_factory=dict)
    adjustments: Mapping[str, Adjustment] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    """Earned by day and by month, and how often by act and month: what limits count."""

    @property
    def pending(self) -> int:
        """Earned, not yet to be spent."""
        return self.balances.get(postings.pending(self.rider_id), 0)

    @property
    def available(self) -> int:
        """What can be spent."""
        return self.balances.get(postings.available(self.rider_id), 0)

    @property
    def held(self) -> int:
        """Reserved by redemptions."""
        return self.balances.get(postings.held(self.rider_id), 0)

    @property
    def debt(self) -> int:
        """What is owed."""
        return -self.balances.get(postings.debt(self.rider_id), 0)

    @property
    def after(self) -> a.Balances:
        """Where the account stands, as an entry says it."""
        return a.Balances(
            version=self.version,
            pending=self.pending,
            available=self.available,
            held=self.held,
            debt=self.debt,
        )

    def due(self, at: datetime) -> Iterator[Lot]:
        """Lots whose pending window or whose time is over by `at`, the earliest first."""
        waiting = [lot for lot in self.lots.values() if lot.due_at and lot.due_at <= at]
        yield from sorted(waiting, key=lambda lot: (lot.due_at, lot.opened))


NO_ACCOUNT: Final = Account()


def evolve(account: Account, fact: Fact) -> Account:
    """The account after a fact. Never refuses: it has happened."""
    if isinstance(fact, a.Entry):
        account = replace(
            account,
            rider_id=fact.stream_id,
            version=account.version + 1,
            balances=moved(account.balances, fact),
        )
    follows = _FOLLOWS.get(type(fact))
    return follows(account, fact) if follows else account


def moved(balances: Mapping[str, int], fact: Fact) -> dict[str, int]:
    """The balances after what the fact moves."""
    after = dict(balances)
    for transfer in postings.transfers(fact):
        after[transfer.source] = after.get(transfer.source, 0) - transfer.points
        after[transfer.target] = after.get(transfer.target, 0) + transfer.points
    return after


def entered(account: Account, facts: Iterable[Fact]) -> list[Fact]:
    """The facts of a decision, each entry with where the account stands after it."""
    written: list[Fact] = []
    for fact in facts:
        account = evolve(account, fact)
        written.append(
            fact.model_copy(update={"after": account.after}) if isinstance(fact, a.Entry) else fact
        )
    return written


def _awarded(account: Account, fact: a.PointsAwarded) -> Account:
    account = _counted(account, fact.points, fact.inputs)
    lot = fact.lot or fact.report_id
    return replace(
        account,
        reports=account.reports | {fact.report_id},
        cases=account.cases | {fact.case_id},
        lots={**account.lots, lot: _opened(account, fact, lot, fact.report_id, fact.case_id)},
    )


def _withheld(account: Account, fact: a.PointsWithheld) -> Account:
    return replace(account, reports=account.reports | {fact.report_id})


def _granted(account: Account, fact: a.PointsGranted) -> Account:
    account = _counted(account, fact.points, fact.inputs)
    counts = dict(account.counts)
    times = times_of(fact.rule, fact.inputs.day)
    counts[times] = counts.get(times, 0) + 1
    return replace(
        account, counts=counts, lots={**account.lots, fact.lot: _opened(account, fact, fact.lot)}
    )


def times_of(rule: str, day: str) -> str:
    """Under what it is counted how often an act earned in a month."""
    return f"{rule} {day[:7]}"


def _counted(account: Account, points: int, inputs: a.Inputs | None) -> Account:
    if inputs is None:
        return account
    counts = dict(account.counts)
    for period in (inputs.day, inputs.day[:7]):
        counts[period] = counts.get(period, 0) + points
    return replace(account, rider_id=account.rider_id, counts=counts)


def _opened(
    account: Account,
    fact: a.PointsAwarded | a.PointsGranted,
    lot: str,
    report_id: str | None = None,
    case_id: str | None = None,
) -> Lot:
    return Lot(
        lot=lot,
        rule=fact.rule,
        points=fact.points,
        opened=account.version,
        free=fact.points,
        pending=fact.activates_at is not None,
        activates_at=fact.activates_at,
        lifetime_days=fact.lifetime_days,
        report_id=report_id,
        case_id=case_id,
    )


def _activated(account: Account, fact: a.PointsActivated) -> Account:
    lot = account.lots.get(fact.lot)
    if lot is None:
        return account
    active = replace(
        lot,
        pending=False,
        expires_at=fact.expires_at,
        free=lot.free - fact.repaid,
        repaid=lot.repaid + fact.repaid,
    )
    return replace(account, lots={**account.lots, fact.lot: active})


def _expired(account: Account, fact: a.PointsExpired) -> Account:
    parts = (a.LotPart(lot=fact.lot, points=fact.points),)
    return replace(account, lots=changed(account.lots, parts, free=-1, expired=1))


def _held(account: Account, fact: a.PointsHeld) -> Account:
    hold = Hold(fact.hold_id, fact.item, fact.points, fact.parts)
    return replace(
        account,
        lots=changed(account.lots, fact.parts, free=-1, held=1),
        holds={**account.holds, fact.hold_id: hold},
    )


def _released(account: Account, fact: a.PointsReleased) -> Account:
    account = _resolved(account, fact.hold_id, fact.parts)
    return replace(account, lots=changed(account.lots, fact.parts, held=-1, free=1))


def _redeemed(account: Account, fact: a.PointsRedeemed) -> Account:
    account = _resolved(account, fact.hold_id, fact.parts)
    return replace(account, lots=changed(account.lots, fact.parts, held=-1, spent=1))


def _resolved(account: Account, hold_id: str, parts: Iterable[a.LotPart]) -> Account:
    """The hold without these parts, and no longer open."""
    hold = account.holds.get(hold_id)
    if hold is None:
        return account
    gone = {part.lot: part.points for part in parts}
    left = tuple(
        a.LotPart(lot=part.lot, points=part.points - gone.get(part.lot, 0))
        for part in hold.parts
        if part.points > gone.get(part.lot, 0)
    )
    resolved = replace(hold, parts=left, resolved=True)
    return replace(account, holds={**account.holds, hold_id: resolved})


def _repaid(account: Account, fact: a.DebtRepaid) -> Account:
    return replace(account, lots=changed(account.lots, fact.parts, free=-1, repaid=1))


def _reversed(account: Account, fact: a.PointsReversed) -> Account:
    lots = changed(account.lots, (*fact.pending, *fact.available), free=-1, taken=1)
    reversals = {**account.reversals, fact.reversal_id: Reversal(fact)}
    return replace(account, lots=lots, reversals=reversals)


def _appealed(account: Account, fact: a.ReversalAppealed) -> Account:
    reversal = account.reversals.get(fact.reversal_id)
    if reversal is None:
        return account
    return _with(account, replace(reversal, appealed=True))


def _upheld(account: Account, fact: a.ReversalUpheld | a.PointsRestored) -> Account:
    reversal = account.reversals.get(fact.reversal_id)
    if reversal is None:
        return account
    return _with(account, replace(reversal, decided=True))


def _with(account: Account, reversal: Reversal) -> Account:
    return replace(account, reversals={**account.reversals, reversal.fact.reversal_id: reversal})


def _restored(account: Account, fact: a.PointsRestored) -> Account:
    account = _upheld(account, fact)
    return _given(account, fact.lot, postings.adjust(fact.by), fact)


def _given(
    account: Account, lot: str, rule: str, fact: a.PointsRestored | a.PointsAdjusted
) -> Account:
    """Points that came by hand: a lot that is active at once."""
    given = Lot(
        lot=lot,
        rule=rule,
        points=fact.points,
        opened=account.version,
        free=fact.points - fact.repaid,
        repaid=fact.repaid,
        expires_at=fact.expires_at,
    )
    return replace(account, lots={**account.lots, lot: given})


def _proposed(account: Account, fact: a.AdjustmentProposed) -> Account:
    adjustments = {**account.adjustments, fact.adjustment_id: Adjustment(fact)}
    return replace(account, adjustments=adjustments)


def _settled(account: Account, adjustment_id: str) -> Account:
    adjustment = account.adjustments.get(adjustment_id)
    if adjustment is None:
        return account
    adjustments = {**account.adjustments, adjustment_id: replace(adjustment, decided=True)}
    return replace(account, adjustments=adjustments)


def _adjusted(account: Account, fact: a.PointsAdjusted) -> Account:
    account = _settled(account, fact.adjustment_id)
    if fact.points < 0:
        return replace(account, lots=changed(account.lots, fact.parts, free=-1, taken=1))
    return _given(account, fact.lot or fact.adjustment_id, postings.adjust(fact.by), fact)


def _declined(account: Account, fact: a.AdjustmentDeclined) -> Account:
    return _settled(account, fact.adjustment_id)


_FOLLOWS: Final[Mapping[type[Fact], Callable[[Account, Any], Account]]] = {
    a.PointsAwarded: _awarded,
    a.PointsWithheld: _withheld,
    a.PointsGranted: _granted,
    a.PointsActivated: _activated,
    a.PointsExpired: _expired,
    a.PointsHeld: _held,
    a.PointsReleased: _released,
    a.PointsRedeemed: _redeemed,
    a.DebtRepaid: _repaid,
    a.PointsReversed: _reversed,
    a.ReversalAppealed: _appealed,
    a.ReversalUpheld: _upheld,
    a.PointsRestored: _restored,
    a.AdjustmentProposed: _proposed,
    a.PointsAdjusted: _adjusted,
    a.AdjustmentDeclined: _declined,
}
