"""What the facts of the store say, in one plain sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts import reward as r
from contracts.envelope import Fact

_MOMENT: Final = "%Y-%m-%d %H:%M %z"

STORE: Final[Mapping[type[Fact], str]] = {
    r.WishSuggested: "{f.rider_id} of {f.platform} has a wish ({f.kind})",
    r.WishListed: "{f.by} puts the wish on the public list as '{f.name.en}'",
    r.WishSupported: "{f.rider_id} supports the wish",
    r.WishMerged: "the wish goes on with {f.into}, says {f.by}",
    r.WishGathered: "the riders behind {f.other} stand behind this wish now",
    r.WishApproved: "{f.by} approves the wish",
    r.WishDeclined: "{f.by} declines the wish: {f.reason} ({f.note.en})",
    r.WishFulfilled: "the wish has become {f.item_id}, for {f.price} points",
    r.ItemOffered: "{f.by} offers '{f.terms.name.en}' for {f.terms.price} points, stock {f.stock}",
    r.ItemChanged: "{f.by} offers it on other terms: {f.terms.price} points",
    r.ItemWithdrawn: "{f.by} takes it out of the store",
    r.StockAdded: "{f.count} more are there",
    r.StockRemoved: "{f.count} are gone without a redemption",
    r.StockHeld: "one is set aside for {f.redemption_id}, at {f.price} points",
    r.StockReleased: "the one for {f.redemption_id} is free again",
    r.StockUsed: "the one for {f.redemption_id} was handed over",
    r.SponsorFunded: "the sponsor answers for {f.points} points more",
    r.BudgetHeld: "{f.points} points of the budget are set aside for {f.redemption_id}",
    r.BudgetReleased: "{f.points} points of the budget are free again",
    r.BudgetSpent: "{f.points} points of the budget are spent on {f.redemption_id}",
    r.StationOpened: "{f.by} puts '{f.place.name.en}' on the map",
    r.StationChanged: "{f.by} says anew what is known of '{f.place.name.en}'",
    r.StationClosed: "{f.by} takes the station off the map",
    r.RedemptionHeld: "{f.rider_id} takes '{f.name.en}' for {f.price} points: all is set aside",
    r.CodeIssued: f"code {{f.issue}} is issued, to be used by {{f.use_by:{_MOMENT}}}",
    r.CodeRefused: "{f.by} tried a wrong code, try {f.tries}",
    r.RedemptionUsed: "{f.by} hands over '{f.name.en}': {f.price} points are spent",
    r.RedemptionCancelled: "cancelled by {f.ended_by}: everything goes back",
    r.RedemptionExpired: "expired ({f.ended_by}): everything goes back",
}
"""By class; `f` is the fact."""
