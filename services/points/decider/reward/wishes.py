"""The wish list, decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.envelope import Fact, Issued, Refused, Words
from contracts.reward import (
    MOST_SUPPORTERS,
    ApproveWish,
    DeclineWish,
    ListWish,
    MergeWish,
    StoreRefusal,
    SuggestWish,
    SupportWish,
    WishApproved,
    WishDeclined,
    WishGathered,
    WishListed,
    WishMerged,
    WishStep,
    WishSuggested,
    WishSupported,
)
from services.points.decider.reward.counter import Counter, no
from services.points.decider.reward.state import Things, Wish


def suggest(issued: Issued[SuggestWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """A rider has a wish, once under its id."""
    said = issued.command
    counter.insist_on_platform(issued, said.rider_id)
    wish = things.wish(said.reward_id)
    if wish.step is not WishStep.NONE:
        if wish.rider_id == said.rider_id:
            return []
        raise Refused(no(StoreRefusal.EXISTS_ALREADY, "a wish of this id is there; use a new id"))
    return [
        WishSuggested(
            reward_id=said.reward_id,
            rider_id=said.rider_id,
            platform=issued.actor,
            kind=said.kind,
            text=said.text,
        )
    ]


def put_on_list(issued: Issued[ListWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """An officer has read it: everybody may see it, under the words of the office.

    Listed again under other words it is the same wish, better said.
    """
    counter.insist_on_officer(issued)
    wish, name = things.wish(issued.command.reward_id), issued.command.name
    _insist(wish, WishStep.SUGGESTED, WishStep.LISTED)
    if wish.name == name:
        return []
    return [
        WishListed(
            reward_id=issued.command.reward_id, rider_id=wish.rider_id, name=name, by=issued.actor
        )
    ]


def support(issued: Issued[SupportWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """One rider counts once; a wisher stands behind the own wish already."""
    said = issued.command
    counter.insist_on_platform(issued, said.rider_id)
    wish = things.wish(said.reward_id)
    if said.rider_id in wish.riders:
        return []
    _insist(wish, WishStep.LISTED)
    _insist_on_room(len(wish.supporters) + 1)
    return [WishSupported(reward_id=said.reward_id, rider_id=said.rider_id, platform=issued.actor)]


def merge(issued: Issued[MergeWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """Whoever stands behind the one stands behind the other from now on."""
    counter.insist_on_officer(issued)
    this, into = issued.command.reward_id, issued.command.into
    if this == into:
        raise Refused(no(StoreRefusal.SAME_WISH, "a wish cannot be merged into itself", "into"))
    wish, other = things.wish(this), things.wish(into)
    if wish.step is WishStep.MERGED and wish.into == into:
        return []
    _insist(wish, WishStep.SUGGESTED, WishStep.LISTED)
    name = _listed(other, "into")
    new = wish.riders - other.riders
    _insist_on_room(len(other.supporters) + len(new))
    return [
        WishMerged(reward_id=this, rider_id=wish.rider_id, into=into, name=name, by=issued.actor),
        WishGathered(reward_id=into, other=this, riders=tuple(sorted(new))),
    ]


def approve(issued: Issued[ApproveWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """Yes; everybody who stands behind it is told."""
    counter.insist_on_officer(issued)
    said, wish = issued.command, things.wish(issued.command.reward_id)
    if wish.step is WishStep.APPROVED:
        return []
    name = _listed(wish)
    return [
        WishApproved(
            reward_id=said.reward_id,
            rider_id=wish.rider_id,
            supporters=wish.told,
            name=name,
            note=said.note,
            by=issued.actor,
        )
    ]


def decline(issued: Issued[DeclineWish], things: Things, counter: Counter) -> Sequence[Fact]:
    """No, and why; also after a yes that could not be kept."""
    counter.insist_on_officer(issued)
    said, wish = issued.command, things.wish(issued.command.reward_id)
    if wish.step is WishStep.DECLINED:
        return []
    _insist(wish, WishStep.SUGGESTED, WishStep.LISTED, WishStep.APPROVED)
    return [
        WishDeclined(
            reward_id=said.reward_id,
            rider_id=wish.rider_id,
            supporters=wish.told,
            name=wish.name,
            reason=said.reason,
            note=said.note,
            by=issued.actor,
        )
    ]


def _insist(wish: Wish, *steps: WishStep, field: str | None = None) -> None:
    if wish.step is WishStep.NONE:
        raise Refused(no(StoreRefusal.NOT_THERE, "there is no such wish", field))
    if wish.step not in steps:
        possible = " or ".join(steps)
        detail = f"the wish is {wish.step}; this is possible while it is {possible}"
        raise Refused(no(StoreRefusal.NOT_NOW, detail, field))


def _listed(wish: Wish, field: str | None = None) -> Words:
    """The name of a wish that is on the list."""
    _insist(wish, WishStep.LISTED, field=field)
    if wish.name is None:
        raise Refused(no(StoreRefusal.NOT_NOW, "the wish has no name yet; list it", field))
    return wish.name


def _insist_on_room(supporters: int) -> None:
    if supporters > MOST_SUPPORTERS:
        detail = f"{MOST_SUPPORTERS} riders stand behind it: no more can"
        raise Refused(no(StoreRefusal.ENOUGH_SUPPORT, detail))
