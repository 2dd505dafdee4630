"""Rows of the catalogue: items, assets in double entry, stations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contracts import reward as r
from contracts.envelope import Fact, Recorded, Words
from eventlog.projection import Key
from services.points.shelf import NONE, Asset, budget_after, quota_after, stock_after


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of the store, on the terms of now."""

    item_id: str
    kind: str
    price: int
    name: Words
    terms: r.Terms
    counted: bool
    withdrawn: bool
    wish: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One asset: `STOCK/<item>`, `QUOTA/<item>/<period>[/<rider>]`, `BUDGET/<sponsor>`."""

    asset: str
    about: str
    """The item or sponsor."""
    counted: bool
    """False for the stock of an item of which there are as many as are asked for."""
    source: int
    free: int
    held: int
    used: int
    sequence: int

    @property
    def balances(self) -> Asset:
        """The four balances."""
        return Asset(self.source, self.free, self.held, self.used)


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station, as it is known now."""

    station_id: str
    station_class: str
    name: Words
    lat: float
    lng: float
    place: r.Place
    closed: bool
    sequence: int


def item(row: ItemRow | None, fact: Recorded) -> ItemRow | None:
    """The item after a fact."""
    match fact.body:
        case r.ItemOffered() as new:
            return ItemRow(
                item_id=new.reward_id,
                kind=new.terms.kind,
                price=new.terms.price,
                name=new.terms.name,
                terms=new.terms,
                counted=new.stock is not None,
                withdrawn=False,
                wish=new.wish,
                sequence=fact.sequence,
            )
        case r.ItemChanged(terms=terms) if row:
            return replace(
                row,
                kind=terms.kind,
                price=terms.price,
                name=terms.name,
                terms=terms,
                sequence=fact.sequence,
            )
        case r.ItemWithdrawn() if row:
            return replace(row, withdrawn=True, sequence=fact.sequence)
        case _:
            return row


def asset(row: AssetRow | None, fact: Recorded, key: Key) -> AssetRow | None:
    """The asset after a fact, by the very movements that the decision is made on (`shelf`)."""
    (name,) = key
    before, counted = (row.balances, row.counted) if row else (NONE, True)
    if isinstance(fact.body, r.ItemOffered):
        counted = fact.body.stock is not None
    after = _moved(before, fact.body, name, counted=counted)
    return AssetRow(
        asset=name,
        about=fact.body.stream_id,
        counted=counted,
        source=after.source,
        free=after.free,
        held=after.held,
        used=after.used,
        sequence=fact.sequence,
    )


def _moved(balances: Asset, fact: Fact, name: str, *, counted: bool) -> Asset:
    kind, *rest = name.split("/")
    match kind, fact:
        case "STOCK", _:
            return stock_after(balances, fact, counted=counted)
        case "BUDGET", _:
            return budget_after(balances, fact)
        case "QUOTA", r.StockHeld(per_rider=of_rider, in_all=of_all):
            limit = of_rider if len(rest) > len(("item", "period")) else of_all
            return quota_after(balances, fact, limit or 0)
        case _:
            return quota_after(balances, fact, 0)


def station(row: StationRow | None, fact: Recorded) -> StationRow | None:
    """The station after a fact."""
    match fact.body:
        case r.StationOpened(place=place) | r.StationChanged(place=place):
            return StationRow(
                station_id=fact.body.stream_id,
                station_class=place.station_class,
                name=place.name,
                lat=place.position.lat,
                lng=place.position.lng,
                place=place,
                closed=False,
                sequence=fact.sequence,
            )
        case r.StationClosed() if row:
            return replace(row, closed=True, sequence=fact.sequence)
        case _:
            return row


def items_of(fact: Recorded) -> Iterator[tuple[str]]:
    """The item whose terms a fact is about."""
    match fact.body:
        case r.ItemOffered() | r.ItemChanged() | r.ItemWithdrawn() as said:
            yield (said.reward_id,)


def stations_of(fact: Recorded) -> Iterator[tuple[str]]:
    """The station that a fact is about."""
    match fact.body:
        case r.StationOpened() | r.StationChanged() | r.StationClosed() as said:
            yield (said.reward_id,)


def assets_of(fact: Recorded) -> Iterator[tuple[str]]:
    """The assets that a fact moves."""
    match fact.body:
        case r.StockHeld() | r.StockReleased() | r.StockUsed() as moved:
            yield (f"STOCK/{moved.reward_id}",)
            if moved.in_all is not None:
                yield (f"QUOTA/{moved.reward_id}/{moved.period}",)
            if moved.per_rider is not None:
                yield (f"QUOTA/{moved.reward_id}/{moved.period}/{moved.rider_id}",)
        case r.ItemOffered() | r.StockAdded() | r.StockRemoved() as stocked:
            yield (f"STOCK/{stocked.reward_id}",)
        case r.SponsorFunded() | r.BudgetHeld() | r.BudgetReleased() | r.BudgetSpent() as paid:
            yield (f"BUDGET/{paid.reward_id}",)
