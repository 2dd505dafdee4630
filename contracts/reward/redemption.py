"""A redemption: points set aside, a code issued, and used once; or everything given back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.envelope import Answer, Command, Fact, Id, PartyId, Reason, RiderId, Time, Words
from contracts.reward.words import (
    CodeHash,
    Count,
    EndedBy,
    ItemId,
    Price,
    RedemptionId,
    RewardKind,
    SponsorId,
    StationId,
    TakeStep,
)

Code = Annotated[str, Field(min_length=1, max_length=64)]
"""As it was read or typed: letters of either case, with or without hyphens."""


class RedeemItem(Command, room="points"):
    """A rider takes one piece of an item, through the rider's platform."""

    reward_id: RedemptionId
    """Made by the client before it sends."""
    rider_id: RiderId
    item_id: ItemId
    seen_price: Price | None = None
    """What the rider was shown; another price now is a refusal, not a surprise."""
    area: Id | None = None
    """Where the rider works, for items that are for an area."""


class ApproveRedemption(Command, room="points"):
    """An officer has looked: the code may be issued."""

    reward_id: RedemptionId


class CancelRedemption(Command, room="points"):
    """Give everything back: by the rider's platform, or by an officer."""

    reward_id: RedemptionId


class ReissueCode(Command, room="points"):
    """The code was lost or locked: another one, and the old one is of no use any more."""

    reward_id: RedemptionId


class ShowCode(Command, room="points"):
    """Where a redemption stands, with its code, for the platform of its rider. Changes nothing."""

    reward_id: RedemptionId


class UseRedemption(Command, room="points"):
    """The code is shown where the item is handed over: by who keeps the station, or an officer."""

    reward_id: RedemptionId
    code: Code


class ExpireRedemption(Command, room="points"):
    """The moment that a redemption waits for has come; the house says so to itself."""

    reward_id: RedemptionId
    moment: Time


class RedemptionHeld(Fact, stream="reward"):
    """Points, stock, quota and budget are set aside, in one batch with this (L12)."""

    reward_id: RedemptionId
    rider_id: RiderId
    platform: PartyId
    item_id: ItemId
    name: Words
    kind: RewardKind
    price: Price
    """Frozen: whatever the item costs later."""
    period: str
    """Of the quotas that it was taken from; empty where there are none."""
    per_rider: Count | None = None
    in_all: Count | None = None
    sponsor: SponsorId | None = None
    station: StationId | None = None
    refundable: bool
    code_days: int
    hold_until: Time | None = None
    """Until when it has to be approved; None where no approval is needed."""
    rulebook: str


class CodeIssued(Fact, stream="reward"):
    """The rider has a code. Only its hash is here (L13)."""

    reward_id: RedemptionId
    rider_id: RiderId
    name: Words
    issue: int
    """Which code of this redemption: 1, 2, ..."""
    code_hash: CodeHash
    use_by: Time
    by: PartyId


class CodeRefused(Fact, stream="reward"):
    """A wrong code was tried. Counted: after so many the code is locked (L13)."""

    reward_id: RedemptionId
    by: PartyId
    tries: int
    reasons: tuple[Reason, ...]


class RedemptionUsed(Fact, stream="reward"):
    """The item was handed over: the points are spent, in one batch with this."""

    reward_id: RedemptionId
    rider_id: RiderId
    item_id: ItemId
    name: Words
    price: Price
    month: str
    """`2026-11` in the district: what the public ledger adds up."""
    part: int
    """Which third of the month, 1 to 3: all that the public ledger tells of the day."""
    pseudonym: str
    """Stands for the rider in the public ledger, in this month."""
    by: PartyId


class RedemptionCancelled(Fact, stream="reward"):
    """Everything is given back; the same lots, with their old expiry (L9)."""

    reward_id: RedemptionId
    rider_id: RiderId
    item_id: ItemId
    name: Words
    ended_by: EndedBy
    by: PartyId


class RedemptionExpired(Fact, stream="reward"):
    """Time ran out: everything is given back; the same lots, with their old expiry (L9)."""

    reward_id: RedemptionId
    rider_id: RiderId
    item_id: ItemId
    name: Words
    ended_by: EndedBy
    due_at: Time


class Ticket(Answer):
    """The answer to whoever redeems: where it stands and, once issued, the code to show.

    The log keeps no code; it is derived anew for the same command sent again.
    """

    step: TakeStep = TakeStep.NONE
    price: int | None = None
    code: str | None = None
    use_by: Time | None = None
