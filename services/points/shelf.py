"""What is on the shelf: items and sponsors, counted in double entry beside the points. Pure.

STOCK/<item>, QUOTA/<item>/<period>, QUOTA/<item>/<period>/<rider> and BUDGET/<sponsor> are assets
of one shape: a source, free, held, used. Every movement takes from one and gives to another, so the
four add up to nothing (ledger invariant L1); only the source may be negative (L3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from contracts.envelope import Fact, Words
from contracts.reward import (
    BudgetHeld,
    BudgetReleased,
    BudgetSpent,
    ItemChanged,
    ItemOffered,
    ItemWithdrawn,
    Period,
    SponsorFunded,
    StockAdded,
    StockHeld,
    StockReleased,
    StockRemoved,
    StockUsed,
    Terms,
)

Leg = Literal["source", "free", "held", "used"]


@dataclass(frozen=True, slots=True)
class Asset:
    """The four balances of an asset."""

    source: int = 0
    free: int = 0
    held: int = 0
    used: int = 0

    def move(self, giver: Leg, taker: Leg, amount: int = 1) -> Asset:
        """So many from one balance to another."""
        taken = replace(self, **{giver: getattr(self, giver) - amount})
        return replace(taken, **{taker: getattr(taken, taker) + amount})

    def faults(self) -> Iterator[str]:
        """Which ledger invariant does not hold."""
        if self.source + self.free + self.held + self.used:
            yield "L1: the four balances do not add up to nothing"
        if low := [leg for leg in ("free", "held", "used") if getattr(self, leg) < 0]:
            yield f"L3: {' and '.join(low)} below nothing"

    def limited_to(self, limit: int) -> Asset:
        """The asset of a quota under this limit: free is what the limit leaves."""
        left = max(0, limit - self.held - self.used)
        return self.move("source", "free", left - self.free)


NONE: Final = Asset()


@dataclass(frozen=True, slots=True)
class Held:
    """What one redemption has set aside of an item."""

    rider_id: str
    period: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the store."""

    terms: Terms | None = None
    withdrawn: bool = False
    counted: bool = True
    """Whether there are so many and no more; otherwise the source gives what is asked for."""
    stock: Asset = NONE
    in_all: Mapping[str, Asset] = field(default_factory=dict)
    """By period."""
    per_rider: Mapping[tuple[str, str], Asset] = field(default_factory=dict)
    """By period and rider; of periods that are over only where something is still held."""
    holds: Mapping[str, Held] = field(default_factory=dict)
    """By redemption."""

    def faults(self) -> Iterator[str]:
        """Which ledger invariants do not hold."""
        assets = {"STOCK": self.stock}
        assets |= {f"QUOTA {period}": asset for period, asset in self.in_all.items()}
        assets |= {f"QUOTA {' '.join(of)}": asset for of, asset in self.per_rider.items()}
        for name, asset in assets.items():
            yield from (f"{name}: {fault}" for fault in asset.faults())
        if self.stock.held != len(self.holds):
            yield f"L7: {self.stock.held} pieces are held for {len(self.holds)} redemptions"


NO_ITEM: Final = Item()


@dataclass(frozen=True, slots=True)
class Sponsor:
    """Who answers for points."""

    name: Words | None = None
    budget: Asset = NONE
    holds: Mapping[str, int] = field(default_factory=dict)

    @property
    def funded(self) -> bool:
        """Whether it has ever answered for anything."""
        return self.budget.source < 0


NO_SPONSOR: Final = Sponsor()


def after(item: Item, fact: Fact) -> Item:
    """The item after a fact."""
    match fact:
        case ItemOffered(terms=terms, stock=stock):
            counted = stock is not None
            return Item(terms, counted=counted, stock=stock_after(NONE, fact, counted=counted))
        case ItemChanged(terms=terms):
            return replace(item, terms=terms)
        case ItemWithdrawn():
            return replace(item, withdrawn=True)
        case StockAdded() | StockRemoved():
            return replace(item, stock=stock_after(item.stock, fact, counted=item.counted))
        case StockHeld():
            hold = Held(fact.rider_id, fact.period)
            return replace(_moved(item, fact), holds={**item.holds, fact.redemption_id: hold})
        case StockReleased() | StockUsed() if fact.redemption_id in item.holds:
            left = {k: h for k, h in item.holds.items() if k != fact.redemption_id}
            return replace(_moved(item, fact), holds=left)
        case _:  # of a hold that is not there any more nothing moves (L7)
            return item


def _moved(item: Item, fact: StockHeld | StockReleased | StockUsed) -> Item:
    """Stock and quotas after a hold or its end."""
    now, rider = fact.period, fact.rider_id
    in_all, per_rider = dict(item.in_all), item.per_rider
    if fact.in_all is not None:
        in_all[now] = quota_after(in_all.get(now, NONE), fact, fact.in_all)
    if fact.per_rider is not None:
        kept = {k: q for k, q in per_rider.items() if q.held or not _is_over(k[0], now)}
        own = per_rider.get((now, rider), NONE)
        per_rider = {**kept, (now, rider): quota_after(own, fact, fact.per_rider)}
    stock = stock_after(item.stock, fact, counted=item.counted)
    return replace(item, stock=stock, in_all=in_all, per_rider=per_rider)


def _is_over(period: str, now: str) -> bool:
    """Whether a period lies before the one that counts now; periods of another length stay."""
    return len(period) == len(now) and period < now and now != Period.EVER


def stock_after(stock: Asset, fact: Fact, *, counted: bool) -> Asset:
    """STOCK/<item> after a fact. What is not counted comes from the source and goes back there."""
    shelf: Leg = "free" if counted else "source"
    match fact:
        case ItemOffered(stock=count):
            return stock.move("source", "free", count or 0)
        case StockAdded(count=count):
            return stock.move("source", "free", count)
        case StockRemoved(count=count):
            return stock.move("free", "source", count)
        case StockHeld():
            return stock.move(shelf, "held")
        case StockReleased():
            return stock.move("held", shelf)
        case StockUsed():
            return stock.move("held", "used")
        case _:
            return stock


def quota_after(quota: Asset, fact: Fact, limit: int) -> Asset:
    """QUOTA/<item>/<period> and that of a rider after a fact, under the limit of that time."""
    match fact:
        case StockHeld():
            return quota.limited_to(limit).move("free", "held")
        case StockReleased():
            return quota.move("held", "free")
        case StockUsed():
            return quota.move("held", "used")
        case _:
            return quota


def budget_after(budget: Asset, fact: Fact) -> Asset:
    """BUDGET/<sponsor> after a fact."""
    match fact:
        case SponsorFunded(points=points):
            return budget.move("source", "free", points)
        case BudgetHeld(points=points):
            return budget.move("free", "held", points)
        case BudgetReleased(points=points):
            return budget.move("held", "free", points)
        case BudgetSpent(points=points):
            return budget.move("held", "used", points)
        case _:
            return budget


def funded_after(sponsor: Sponsor, fact: Fact) -> Sponsor:
    """The sponsor after a fact."""
    budget = budget_after(sponsor.budget, fact)
    match fact:
        case SponsorFunded(name=name):
            return replace(sponsor, name=name or sponsor.name, budget=budget)
        case BudgetHeld(redemption_id=redemption_id, points=points):
            return replace(sponsor, budget=budget, holds={**sponsor.holds, redemption_id: points})
        case BudgetReleased() | BudgetSpent() if fact.redemption_id in sponsor.holds:
            left = {k: p for k, p in sponsor.holds.items() if k != fact.redemption_id}
            return replace(sponsor, budget=budget, holds=left)
        case _:  # of a hold that is not there any more nothing moves (L7)
            return sponsor
