"""The wish list: what riders would like to get for their points."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import Command, Fact, PartyId, Personal, RiderId, Words
from contracts.reward.words import DeclineReason, ItemId, RewardKind, WishId
from contracts.rulebook.parts import Named


class SuggestWish(Command, room="points"):
    """A rider's wish, handed in by the rider's platform."""

    reward_id: WishId
    """Made by the client before it sends."""
    rider_id: RiderId
    kind: RewardKind
    text: Annotated[str, Field(min_length=1, max_length=2_000)]
    """In the rider's own words; only officers read them."""


class ListWish(Command, room="points"):
    """An officer has read the wish and puts it on the public list, under words of the office."""

    reward_id: WishId
    name: Named


class SupportWish(Command, room="points"):
    """One more rider would like that; a rider counts once, whatever is sent."""

    reward_id: WishId
    rider_id: RiderId


class MergeWish(Command, room="points"):
    """The wish says the same as another one: its supporters count there from now on."""

    reward_id: WishId
    into: WishId


class ApproveWish(Command, room="points"):
    """An officer says yes: somebody now looks for a way to offer it."""

    reward_id: WishId
    note: Named | None = None


class DeclineWish(Command, room="points"):
    """An officer says no, and why."""

    reward_id: WishId
    reason: DeclineReason
    note: Named


class WishSuggested(Fact, stream="reward"):
    """A rider has a wish."""

    introduces: ClassVar[bool] = True

    reward_id: WishId
    rider_id: RiderId
    platform: PartyId
    kind: RewardKind
    text: Personal[str]


class WishListed(Fact, stream="reward"):
    """The wish stands on the public list."""

    reward_id: WishId
    rider_id: RiderId
    """Whose wish it is."""
    name: Words
    by: PartyId


class WishSupported(Fact, stream="reward"):
    """One more rider would like that."""

    reward_id: WishId
    rider_id: RiderId
    """Who supports it."""
    platform: PartyId


class WishMerged(Fact, stream="reward"):
    """Another wish says the same and goes on for both."""

    reward_id: WishId
    rider_id: RiderId
    into: WishId
    name: Words
    """Of the wish that goes on."""
    by: PartyId


class WishGathered(Fact, stream="reward"):
    """The riders behind another wish stand behind this one from now on."""

    reward_id: WishId
    other: WishId
    riders: tuple[RiderId, ...]
    """Those who did not stand behind it yet; the other's wisher among them."""


class WishApproved(Fact, stream="reward"):
    """The answer is yes; everybody who stands behind the wish is told."""

    reward_id: WishId
    rider_id: RiderId
    supporters: tuple[RiderId, ...]
    name: Words
    note: Words | None = None
    by: PartyId


class WishDeclined(Fact, stream="reward"):
    """The answer is no, with the reason; everybody who stands behind the wish is told."""

    reward_id: WishId
    rider_id: RiderId
    supporters: tuple[RiderId, ...]
    name: Words | None = None
    """None where it was never listed."""
    reason: DeclineReason
    note: Words
    by: PartyId


class WishFulfilled(Fact, stream="reward"):
    """The wish has become an item; everybody who stands behind it is told."""

    reward_id: WishId
    rider_id: RiderId
    supporters: tuple[RiderId, ...]
    item_id: ItemId
    name: Words
    """Of the item."""
    price: int
    by: PartyId
