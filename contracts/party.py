"""Stream `party.<id>`: who takes part: riders, units, platforms, officers. Written by intake."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import Command, Fact, PartyId, Personal, Time


class PartyKind(StrEnum):
    """What a party is."""

    RIDER = "rider"
    PLATFORM = "platform"
    UNIT = "unit"
    OFFICER = "officer"


class RoleName(StrEnum):
    """What a rider can be beside a rider, for a term, by somebody's appointment."""

    GRID_MEMBER = "grid_member"
    """移动网格员, also 兼职, 编外 or 流动网格员."""
    FOOD_SAFETY_SUPERVISOR = "food_safety_supervisor"
    """食品安全监督员."""
    VOLUNTEER = "volunteer"
    """志愿者."""
    COMMITTEE_MEMBER = "committee_member"
    """小区党组织委员."""


class PartyRefusal(StrEnum):
    """Why intake refuses a registration."""

    NOT_YOUR_RIDER = "not_your_rider"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_TERM = "no_such_term"


Language = Literal["zh", "en"]


class RegisterParty(Command, room="intake"):
    """Make a party known, or change what is known. A platform registers its own riders."""

    party_id: PartyId
    kind: PartyKind
    language: Language = "zh"
    platform: PartyId | None = None
    """The platform that a rider works for."""
    name: str | None = None
    phone: str | None = None
    webhook: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)] | None = None
    """Where notices for this party are posted (Standard Webhooks)."""
    webhook_secret: (
        Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/]{16,}={0,2}$", max_length=200)] | None
    ) = None
    """`whsec_` and base64: signs what is posted there."""
    rider_id: PartyId | None = None
    """An officer who also rides: as which rider, so that nobody decides on points of their own."""


class PartyRegistered(Fact, stream="party"):
    """This is what is known of the party from now on; the last one counts."""

    key_of: ClassVar[str] = "party_id"

    party_id: PartyId
    kind: PartyKind
    language: Language = "zh"
    platform: PartyId | None = None
    name: Personal[str] | None = None
    phone: Personal[str] | None = None
    webhook: str | None = None
    webhook_secret: Personal[str] | None = None
    rider_id: PartyId | None = None
    """An officer who also rides: as which rider."""


class RoleGiven(Fact, stream="party"):
    """A rider holds a role from one moment to another."""

    key_of: ClassVar[str] = "party_id"

    party_id: PartyId
    role: RoleName
    first: Time
    last: Time | None = None
    by: PartyId
    """Who appointed."""


class RoleEnded(Fact, stream="party"):
    """The terms of a role that hold at that moment end then; later ones do not begin."""

    key_of: ClassVar[str] = "party_id"

    party_id: PartyId
    role: RoleName
    at: Time
    by: PartyId
