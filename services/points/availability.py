"""Whether a rider can have an item now, and everything that is in the way. One function. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from contracts.envelope import Reason
from contracts.reward import Period, StoreRefusal, Terms
from services.points.periods import period_of
from services.points.shelf import NONE, Item, Sponsor


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, when, and with what in hand."""

    rider_id: str
    points: int
    """That the rider can spend."""
    at: datetime
    zone: tzinfo
    areas: tuple[str, ...] = ()
    """Where the rider works: the area and what it is part of."""
    seen_price: int | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """The answer: nothing in the way, or every reason at once."""

    reasons: tuple[Reason, ...]
    points_missing: int = 0
    """How many points more it takes; also where something else is in the way."""

    @property
    def available(self) -> bool:
        """Whether it can be had."""
        return not self.reasons


def availability(item: Item, sponsor: Sponsor | None, asked: Asked) -> Availability:
    """Every reason why the rider cannot have a piece now, and how many points are missing."""
    terms = item.terms
    if terms is None:
        return Availability((_no(StoreRefusal.NOT_THERE, "there is no such item"),))
    reasons = (
        *_offered(item, terms, asked),
        *_limits(item, terms, asked),
        *_paid_for(terms, sponsor, asked),
    )
    return Availability(reasons, max(0, terms.price - asked.points))


def _offered(item: Item, terms: Terms, asked: Asked) -> Iterator[Reason]:
    """Is it offered, now, and to this rider?"""
    if item.withdrawn:
        yield _no(StoreRefusal.WITHDRAWN, "it is not in the store any more")
    if terms.visible_from is not None and asked.at < terms.visible_from:
        yield _no(StoreRefusal.NOT_YET, f"from {terms.visible_from.isoformat()} on")
    if terms.visible_until is not None and asked.at >= terms.visible_until:
        yield _no(StoreRefusal.NO_LONGER, f"until {terms.visible_until.isoformat()}")
    if terms.areas and set(terms.areas).isdisjoint(asked.areas):
        where = ", ".join(terms.areas)
        yield _no(StoreRefusal.NOT_IN_YOUR_AREA, f"for riders who work in {where}", "area")


def _limits(item: Item, terms: Terms, asked: Asked) -> Iterator[Reason]:
    """Is there a piece, and quota for it?"""
    if item.counted and item.stock.free < 1:
        yield _no(StoreRefusal.OUT_OF_STOCK, f"none is left; {item.stock.held} may come back")
    quota = terms.quota
    if quota is None:
        return
    period = period_of(quota.period, asked.at, asked.zone)
    within = "ever" if quota.period is Period.EVER else f"in {period}"
    if quota.per_rider is not None:
        own = item.per_rider.get((period, asked.rider_id), NONE)
        if own.held + own.used >= quota.per_rider:
            detail = f"{quota.per_rider} a rider {within}; {own.held + own.used} taken"
            yield _no(StoreRefusal.QUOTA_OF_RIDER, detail)
    if quota.in_all is not None:
        all_of = item.in_all.get(period, NONE)
        if all_of.held + all_of.used >= quota.in_all:
            yield _no(StoreRefusal.QUOTA_OF_ALL, f"{quota.in_all} in all {within}; all are taken")


def _paid_for(terms: Terms, sponsor: Sponsor | None, asked: Asked) -> Iterator[Reason]:
    """Can sponsor and rider pay what it costs now?"""
    if terms.sponsor is not None and (sponsor is None or sponsor.budget.free < terms.price):
        left = sponsor.budget.free if sponsor else 0
        yield _no(StoreRefusal.NO_BUDGET, f"the budget of {terms.sponsor} has {left} points left")
    if asked.seen_price is not None and asked.seen_price != terms.price:
        detail = f"it costs {terms.price} now, not {asked.seen_price}"
        yield _no(StoreRefusal.PRICE_CHANGED, detail, "seen_price")
    if asked.points < terms.price:
        missing = terms.price - asked.points
        detail = f"{missing} points are missing: it costs {terms.price}, there are {asked.points}"
        yield _no(StoreRefusal.POINTS_MISSING, detail)


def _no(code: StoreRefusal, detail: str, field: str | None = None) -> Reason:
    return Reason(code=code, detail=detail, field=field)
