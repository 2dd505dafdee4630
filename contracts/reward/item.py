"""The catalogue: goods, services and rights, their stock, and who pays for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Command, Fact, Id, PartyId, RiderId, Time, Words
from contracts.reward.words import (
    Budget,
    Count,
    ItemId,
    Period,
    Price,
    RedemptionId,
    RewardKind,
    SponsorId,
    StationId,
    WishId,
)
from contracts.rulebook.parts import Named

Stock = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class Quota(BaseModel):
    """How many of an item may be redeemed in a period; at least one of the two is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Period
    per_rider: Count | None = None
    in_all: Count | None = None


class Terms(BaseModel):
    """What an item is and on which terms it is had. A hold freezes the price it was made at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Named
    about: Named | None = None
    kind: RewardKind
    price: Price
    quota: Quota | None = None
    visible_from: Time | None = None
    visible_until: Time | None = None
    areas: tuple[Id, ...] = ()
    """For riders who work in one of these areas or a part of it; for all where none is named."""
    station: StationId | None = None
    """Where it is picked up; who keeps that station takes the code."""
    sponsor: SponsorId | None = None
    """Who answers for the points; the item ends where the budget does."""
    refundable: bool = True
    """Whether the rider may still give it back once there is a code."""
    approved_first: bool = False
    """Whether an officer looks at each redemption before there is a code."""
    hold_days: Annotated[int, Field(ge=1, le=60)] = 7
    """Days in which it has to be approved."""
    code_days: Annotated[int, Field(ge=1, le=366)] = 30
    """Days in which the code has to be used."""


class OfferItem(Command, room="points"):
    """Put an item into the store."""

    reward_id: ItemId
    terms: Terms
    stock: Stock | None = None
    """How many there are; None where they are not counted."""
    wish: WishId | None = None
    """The wish that it fulfils."""


class ChangeItem(Command, room="points"):
    """Offer it on other terms from now on. What is held already keeps its price."""

    reward_id: ItemId
    terms: Terms


class WithdrawItem(Command, room="points"):
    """Take it out of the store; what is held or issued goes on."""

    reward_id: ItemId


class AddStock(Command, room="points"):
    """More pieces have come."""

    reward_id: ItemId
    count: Count


class RemoveStock(Command, room="points"):
    """Pieces are gone without a redemption: broken, or given back. Only free ones can go."""

    reward_id: ItemId
    count: Count


class FundSponsor(Command, room="points"):
    """A sponsor answers for so many points more."""

    reward_id: SponsorId
    points: Budget
    name: Named | None = None


class ItemOffered(Fact, stream="reward"):
    """The item is in the store."""

    reward_id: ItemId
    terms: Terms
    stock: int | None = None
    wish: WishId | None = None
    by: PartyId


class ItemChanged(Fact, stream="reward"):
    """The item is on other terms from now on."""

    reward_id: ItemId
    terms: Terms
    by: PartyId


class ItemWithdrawn(Fact, stream="reward"):
    """The item is out of the store."""

    reward_id: ItemId
    by: PartyId


class StockAdded(Fact, stream="reward"):
    """Asset STOCK/<item>: source to free."""

    reward_id: ItemId
    count: Count
    by: PartyId


class StockRemoved(Fact, stream="reward"):
    """Asset STOCK/<item>: free to source."""

    reward_id: ItemId
    count: Count
    by: PartyId


class StockHeld(Fact, stream="reward"):
    """One piece and the quota for it are set aside: free to held, in every asset of the item.

    Written in one batch with the hold of the points, or not at all (ledger invariant L12).
    """

    reward_id: ItemId
    redemption_id: RedemptionId
    rider_id: RiderId
    price: Price
    """As it is now, and stays for this redemption."""
    period: str
    """The period that the quota is taken from: `2026-11`; empty where there is no quota."""
    per_rider: Count | None = None
    """The quota in force: asset QUOTA/<item>/<period>/<rider>."""
    in_all: Count | None = None
    """The quota in force: asset QUOTA/<item>/<period>."""


class StockReleased(Fact, stream="reward"):
    """What was set aside is free again, in the period it was taken from."""

    reward_id: ItemId
    redemption_id: RedemptionId
    rider_id: RiderId
    period: str
    per_rider: Count | None = None
    """As when it was held."""
    in_all: Count | None = None


class StockUsed(Fact, stream="reward"):
    """What was set aside has been handed over: held to used."""

    reward_id: ItemId
    redemption_id: RedemptionId
    rider_id: RiderId
    period: str
    per_rider: Count | None = None
    """As when it was held."""
    in_all: Count | None = None


class SponsorFunded(Fact, stream="reward"):
    """Asset BUDGET/<sponsor>: source to free."""

    reward_id: SponsorId
    points: Budget
    name: Words | None = None
    by: PartyId


class BudgetHeld(Fact, stream="reward"):
    """Asset BUDGET/<sponsor>: free to held, with the hold of the points."""

    reward_id: SponsorId
    redemption_id: RedemptionId
    points: Price


class BudgetReleased(Fact, stream="reward"):
    """Asset BUDGET/<sponsor>: held to free."""

    reward_id: SponsorId
    redemption_id: RedemptionId
    points: Price


class BudgetSpent(Fact, stream="reward"):
    """Asset BUDGET/<sponsor>: held to used."""

    reward_id: SponsorId
    redemption_id: RedemptionId
    points: Price
