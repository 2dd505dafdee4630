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
from services.points import lots as of_lots
from services.points import postings
from services.points.lots import Lot


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
        yield from sorted(waiting, key=lambda lot: lot.due_at or at)


NO_ACCOUNT: Final = Account()


def evolve(account: Account, fact: Fact) -> Account:
    """The account after a fact. Never refuses: it has happened."""
    if isinstance(fact, a.Entry):
        account = Account(
            fact.stream_id,
            account.version + 1,
            moved(account.balances, fact),
            _lots(account.lots, fact),
            account.holds,
            account.reports,
            account.cases,
            account.reversals,
            account.adjustments,
            account.counts,
        )
    follows = _FOLLOWS.get(type(fact))
    return follows(account, fact) if follows else account


def _lots(lots: Mapping[str, Lot], fact: Fact) -> Mapping[str, Lot]:
    after = dict(lots)
    for name in of_lots.touched(fact):
        if (lot := of_lots.after(after.get(name), fact, name)) is not None:
            after[name] = lot
    return after


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
    counts = dict(account.counts)
    if fact.inputs is not None:
        for period in (fact.inputs.day, fact.inputs.day[:7]):
            counts[period] = counts.get(period, 0) + fact.points
    return replace(
        account,
        counts=counts,
        reports=account.reports | {fact.report_id},
        cases=account.cases | {fact.case_id},
    )


def _withheld(account: Account, fact: a.PointsWithheld) -> Account:
    return replace(account, reports=account.reports | {fact.report_id})


def _granted(account: Account, fact: a.PointsGranted) -> Account:
    times = times_of(fact.rule, fact.inputs.day)
    return replace(account, counts={**account.counts, times: account.counts.get(times, 0) + 1})


def times_of(rule: str, day: str) -> str:
    """Under what it is counted how often an act earned in a month."""
    return f"{rule} {day[:7]}"


def _held(account: Account, fact: a.PointsHeld) -> Account:
    hold = Hold(fact.hold_id, fact.item, fact.points, fact.parts)
    return replace(account, holds={**account.holds, fact.hold_id: hold})


def _resolved(account: Account, fact: a.PointsReleased | a.PointsRedeemed) -> Account:
    """The hold without these parts, and no longer open."""
    hold = account.holds.get(fact.hold_id)
    if hold is None:
        return account
    gone = {part.lot: part.points for part in fact.parts}
    left = tuple(
        a.LotPart(lot=part.lot, points=part.points - gone.get(part.lot, 0))
        for part in hold.parts
        if part.points > gone.get(part.lot, 0)
    )
    resolved = replace(hold, parts=left, resolved=True)
    return replace(account, holds={**account.holds, fact.hold_id: resolved})


def _reversed(account: Account, fact: a.PointsReversed) -> Account:
    return _with(account, Reversal(fact))


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


def _proposed(account: Account, fact: a.AdjustmentProposed) -> Account:
    adjustments = {**account.adjustments, fact.adjustment_id: Adjustment(fact)}
    return replace(account, adjustments=adjustments)


def _settled(account: Account, fact: a.PointsAdjusted | a.AdjustmentDeclined) -> Account:
    adjustment = account.adjustments.get(fact.adjustment_id)
    if adjustment is None:
        return account
    adjustments = {**account.adjustments, fact.adjustment_id: replace(adjustment, decided=True)}
    return replace(account, adjustments=adjustments)


_FOLLOWS: Final[Mapping[type[Fact], Callable[[Account, Any], Account]]] = {
    a.PointsAwarded: _awarded,
    a.PointsWithheld: _withheld,
    a.PointsGranted: _granted,
    a.PointsHeld: _held,
    a.PointsReleased: _resolved,
    a.PointsRedeemed: _resolved,
    a.PointsReversed: _reversed,
    a.ReversalAppealed: _appealed,
    a.ReversalUpheld: _upheld,
    a.PointsRestored: _upheld,
    a.AdjustmentProposed: _proposed,
    a.PointsAdjusted: _settled,
    a.AdjustmentDeclined: _settled,
}
