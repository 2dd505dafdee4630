"""What is known of one thing of the store: wish, item, station, sponsor, redemption. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from contracts import reward as r
from contracts.envelope import Fact, Words
from contracts.reward import TakeStep, WishStep
from services.points.shelf import NO_ITEM, NO_SPONSOR, Item, Sponsor, after, funded_after


@dataclass(frozen=True, slots=True)
class Wish:
    """A rider's wish, and who stands behind it."""

    step: WishStep = WishStep.NONE
    rider_id: str = ""
    name: Words | None = None
    supporters: frozenset[str] = frozenset()
    """Beside the wisher."""
    into: str | None = None

    @property
    def riders(self) -> frozenset[str]:
        """Everybody who stands behind it."""
        return self.supporters | {self.rider_id}

    @property
    def told(self) -> tuple[str, ...]:
        """Who is told beside the wisher, in one order for ever."""
        return tuple(sorted(self.supporters))


@dataclass(frozen=True, slots=True)
class Station:
    """A station."""

    place: r.Place | None = None
    closed: bool = False

    @property
    def there(self) -> bool:
        """Whether it is on the map."""
        return self.place is not None and not self.closed


@dataclass(frozen=True, slots=True)
class Take:
    """A redemption."""

    step: TakeStep = TakeStep.NONE
    held: r.RedemptionHeld | None = None
    """What was agreed when it was held: never changes."""
    issue: int = 0
    code_hash: str = ""
    use_by: datetime | None = None
    tries: int = 0

    @property
    def due_at(self) -> datetime | None:
        """The moment that it waits for, where it waits for one."""
        match self.step:
            case TakeStep.HELD:
                return self.held.hold_until if self.held else None
            case TakeStep.ISSUED:
                return self.use_by
            case _:
                return None

    @property
    def open(self) -> bool:
        """Whether points and a piece are set aside for it."""
        return self.step in (TakeStep.HELD, TakeStep.ISSUED)


NO_WISH: Final = Wish()
NO_STATION: Final = Station()
NO_TAKE: Final = Take()

Thing: TypeAlias = Wish | Item | Station | Sponsor | Take
NOTHING: Final = None
"""Of a stream id of which there is no fact."""

_WISH: Final = (
    r.WishSuggested,
    r.WishListed,
    r.WishSupported,
    r.WishMerged,
    r.WishGathered,
    r.WishApproved,
    r.WishDeclined,
    r.WishFulfilled,
)
_ITEM: Final = (
    r.ItemOffered,
    r.ItemChanged,
    r.ItemWithdrawn,
    r.StockAdded,
    r.StockRemoved,
    r.StockHeld,
    r.StockReleased,
    r.StockUsed,
)
_SPONSOR: Final = (r.SponsorFunded, r.BudgetHeld, r.BudgetReleased, r.BudgetSpent)
_STATION: Final = (r.StationOpened, r.StationChanged, r.StationClosed)
_TAKE: Final = (
    r.RedemptionHeld,
    r.CodeIssued,
    r.CodeRefused,
    r.RedemptionUsed,
    r.RedemptionCancelled,
    r.RedemptionExpired,
)


def evolve(thing: Thing | None, fact: Fact) -> Thing | None:
    """The thing after a fact. An id says what it names, so a fact always finds its own kind."""
    if isinstance(fact, _WISH):
        return wish_after(thing if isinstance(thing, Wish) else NO_WISH, fact)
    if isinstance(fact, _ITEM):
        return after(thing if isinstance(thing, Item) else NO_ITEM, fact)
    if isinstance(fact, _TAKE):
        return take_after(thing if isinstance(thing, Take) else NO_TAKE, fact)
    if isinstance(fact, _SPONSOR):
        return funded_after(thing if isinstance(thing, Sponsor) else NO_SPONSOR, fact)
    if isinstance(fact, _STATION):
        return station_after(thing if isinstance(thing, Station) else NO_STATION, fact)
    return thing


def wish_after(wish: Wish, fact: Fact) -> Wish:
    """The wish after a fact."""
    match fact:
        case r.WishSuggested(rider_id=rider_id):
            return Wish(WishStep.SUGGESTED, rider_id)
        case r.WishListed(name=name):
            return replace(wish, step=WishStep.LISTED, name=name)
        case r.WishSupported(rider_id=rider_id):
            return replace(wish, supporters=wish.supporters | {rider_id})
        case r.WishGathered(riders=riders):
            return replace(wish, supporters=wish.supporters | set(riders))
        case r.WishMerged(into=into):
            return replace(wish, step=WishStep.MERGED, into=into)
        case r.WishApproved():
            return replace(wish, step=WishStep.APPROVED)
        case r.WishDeclined():
            return replace(wish, step=WishStep.DECLINED)
        case r.WishFulfilled():
            return replace(wish, step=WishStep.FULFILLED)
        case _:
            return wish


def station_after(station: Station, fact: Fact) -> Station:
    """The station after a fact."""
    match fact:
        case r.StationOpened(place=place) | r.StationChanged(place=place):
            return Station(place)
        case r.StationClosed():
            return replace(station, closed=True)
        case _:
            return station


def take_after(take: Take, fact: Fact) -> Take:
    """The redemption after a fact."""
    match fact:
        case r.RedemptionHeld():
            return Take(TakeStep.HELD, fact)
        case r.CodeIssued(issue=issue, code_hash=code_hash, use_by=use_by):
            return replace(
                take,
                step=TakeStep.ISSUED,
                issue=issue,
                code_hash=code_hash,
                use_by=use_by,
                tries=0,
            )
        case r.CodeRefused(tries=tries):
            return replace(take, tries=tries)
        case r.RedemptionUsed():
            return replace(take, step=TakeStep.USED)
        case r.RedemptionCancelled():
            return replace(take, step=TakeStep.CANCELLED)
        case r.RedemptionExpired():
            return replace(take, step=TakeStep.EXPIRED)
        case _:
            return take


@dataclass(frozen=True, slots=True)
class Things:
    """Everything that a decision looks at, by its id."""

    by_id: Mapping[str, Any]

    def wish(self, wish_id: str) -> Wish:
        """The wish of that id; one without a fact where there is none."""
        found = self.by_id.get(wish_id)
        return found if isinstance(found, Wish) else NO_WISH

    def item(self, item_id: str) -> Item:
        """The item of that id; one without a fact where there is none."""
        found = self.by_id.get(item_id)
        return found if isinstance(found, Item) else NO_ITEM

    def station(self, station_id: str | None) -> Station:
        """The station of that id; one without a fact where there is none."""
        found = self.by_id.get(station_id or "")
        return found if isinstance(found, Station) else NO_STATION

    def sponsor(self, sponsor_id: str | None) -> Sponsor:
        """The sponsor of that id; one without a fact where there is none."""
        found = self.by_id.get(sponsor_id or "")
        return found if isinstance(found, Sponsor) else NO_SPONSOR

    def take(self, redemption_id: str) -> Take:
        """The redemption of that id; one without a fact where there is none."""
        found = self.by_id.get(redemption_id)
        return found if isinstance(found, Take) else NO_TAKE


def about(command: Any, known: Things) -> Iterator[str]:
    """The ids of the store that a command concerns, the one that it is about first.

    They follow from the command and from what never changes: an item keeps its sponsor, and a
    redemption what it was agreed with. So the same command always concerns the same ids.
    """
    yield command.reward_id
    match command:
        case r.MergeWish(into=into):
            yield into
        case r.OfferItem(terms=terms, wish=wish):
            yield from (each for each in (wish, terms.station, terms.sponsor) if each)
        case r.ChangeItem(terms=terms) if terms.station:
            yield terms.station
        case r.RedeemItem(item_id=item_id):
            yield item_id
            if (offered := known.item(item_id).terms) and offered.sponsor:
                yield offered.sponsor
        case r.UseRedemption() if held := known.take(command.reward_id).held:
            yield from (each for each in (held.item_id, held.sponsor, held.station) if each)
        case _ if held := known.take(command.reward_id).held:
            yield from (each for each in (held.item_id, held.sponsor) if each)
