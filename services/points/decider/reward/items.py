"""The catalogue, its stock and its sponsors, decided. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.reward import (
    AddStock,
    ChangeItem,
    FundSponsor,
    ItemChanged,
    ItemOffered,
    ItemWithdrawn,
    OfferItem,
    RemoveStock,
    SponsorFunded,
    StockAdded,
    StockRemoved,
    StoreRefusal,
    Terms,
    WishFulfilled,
    WishStep,
    WithdrawItem,
)
from services.points.decider.reward.counter import Counter, no
from services.points.decider.reward.state import Things
from services.points.shelf import Item


def offer(issued: Issued[OfferItem], things: Things, counter: Counter) -> Sequence[Fact]:
    """Put an item into the store, and fulfil the wish that it comes from with it, or neither."""
    counter.insist_on_officer(issued)
    said, item = issued.command, things.item(issued.command.reward_id)
    if item.terms is not None:
        detail = "an item of this id is there; change it, or use a new id"
        raise Refused(no(StoreRefusal.EXISTS_ALREADY, detail, "reward_id"))
    reasons = [*_flaws(said.terms, things, counter)]
    if said.terms.sponsor is not None and not things.sponsor(said.terms.sponsor).funded:
        detail = f"{said.terms.sponsor} answers for nothing yet; fund it first"
        reasons.append(no(StoreRefusal.NO_BUDGET, detail, "terms.sponsor"))
    wish = things.wish(said.wish) if said.wish else None
    if wish is not None and wish.step not in (WishStep.LISTED, WishStep.APPROVED):
        detail = f"the wish is {wish.step}; one that is listed or approved can become an item"
        reasons.append(no(StoreRefusal.NOT_NOW, detail, "wish"))
    if reasons:
        raise Refused(*reasons)
    offered = ItemOffered(
        reward_id=said.reward_id,
        terms=said.terms,
        stock=said.stock,
        wish=said.wish,
        by=issued.actor,
    )
    if wish is None or said.wish is None:
        return [offered]
    fulfilled = WishFulfilled(
        reward_id=said.wish,
        rider_id=wish.rider_id,
        supporters=wish.told,
        item_id=said.reward_id,
        name=said.terms.name,
        price=said.terms.price,
        by=issued.actor,
    )
    return [offered, fulfilled]


def change(issued: Issued[ChangeItem], things: Things, counter: Counter) -> Sequence[Fact]:
    """Other terms from now on; whoever holds one already keeps the old ones.

    The sponsor stays, so that every redemption of an item draws on one budget.
    """
    counter.insist_on_officer(issued)
    said, before = issued.command, _on_offer(things.item(issued.command.reward_id))
    if said.terms == before:
        return []
    reasons = [*_flaws(said.terms, things, counter)]
    if said.terms.sponsor != before.sponsor:
        detail = f"the sponsor stays {before.sponsor}; offer another item for another sponsor"
        reasons.append(no(StoreRefusal.SPONSOR_STAYS, detail, "terms.sponsor"))
    if reasons:
        raise Refused(*reasons)
    return [ItemChanged(reward_id=said.reward_id, terms=said.terms, by=issued.actor)]


def withdraw(issued: Issued[WithdrawItem], things: Things, counter: Counter) -> Sequence[Fact]:
    """Nobody can take it any more; what is held or issued goes on."""
    counter.insist_on_officer(issued)
    item = things.item(issued.command.reward_id)
    if item.withdrawn:
        return []
    _on_offer(item)
    return [ItemWithdrawn(reward_id=issued.command.reward_id, by=issued.actor)]


def add_stock(issued: Issued[AddStock], things: Things, counter: Counter) -> Sequence[Fact]:
    """More pieces have come."""
    counter.insist_on_officer(issued)
    said = issued.command
    _insist_on_counted(things.item(said.reward_id))
    return [StockAdded(reward_id=said.reward_id, count=said.count, by=issued.actor)]


def remove_stock(issued: Issued[RemoveStock], things: Things, counter: Counter) -> Sequence[Fact]:
    """Pieces are gone; none that somebody holds (ledger invariant L3)."""
    counter.insist_on_officer(issued)
    said, item = issued.command, things.item(issued.command.reward_id)
    _insist_on_counted(item)
    if said.count > item.stock.free:
        detail = f"{item.stock.free} are free, {item.stock.held} are held for somebody"
        raise Refused(no(StoreRefusal.NOT_THAT_MANY, detail, "count"))
    return [StockRemoved(reward_id=said.reward_id, count=said.count, by=issued.actor)]


def fund(issued: Issued[FundSponsor], things: Things, counter: Counter) -> Sequence[Fact]:
    """A sponsor answers for so many points more."""
    counter.insist_on_officer(issued)
    said, sponsor = issued.command, things.sponsor(issued.command.reward_id)
    if not sponsor.funded and said.name is None:
        raise Refused(no(StoreRefusal.NOT_THERE, "say who the sponsor is, the first time", "name"))
    return [
        SponsorFunded(reward_id=said.reward_id, points=said.points, name=said.name, by=issued.actor)
    ]


def _on_offer(item: Item) -> Terms:
    if item.terms is None:
        raise Refused(no(StoreRefusal.NOT_THERE, "there is no such item", "reward_id"))
    if item.withdrawn:
        raise Refused(no(StoreRefusal.WITHDRAWN, "it is not in the store any more"))
    return item.terms


def _insist_on_counted(item: Item) -> None:
    _on_offer(item)
    if not item.counted:
        detail = "this item is not counted: there is no stock to raise or lower"
        raise Refused(no(StoreRefusal.NOT_COUNTED, detail))


def _flaws(terms: Terms, things: Things, counter: Counter) -> Iterator[Reason]:
    """What is wrong with terms, beside their shape: every reason."""
    first, last = terms.visible_from, terms.visible_until
    if first is not None and last is not None and not first < last:
        yield no(StoreRefusal.WINDOW, "it would end before it begins", "terms.visible_until")
    known = {area.code for area in counter.book.areas}
    for area in terms.areas:
        if area not in known:
            detail = f"the rulebook {counter.book.label} has no area {area}"
            yield no(StoreRefusal.NOT_THERE, detail, "terms.areas")
    if terms.station is not None and not things.station(terms.station).there:
        detail = f"there is no station {terms.station} on the map; open it first"
        yield no(StoreRefusal.UNKNOWN_STATION, detail, "terms.station")
    if terms.quota and terms.quota.per_rider is None and terms.quota.in_all is None:
        detail = "a quota says how many: for a rider, or in all"
        yield no(StoreRefusal.NOT_THAT_MANY, detail, "terms.quota")
