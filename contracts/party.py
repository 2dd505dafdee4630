"""Stream `party.<id>`: who takes part: riders, units, platforms, officers. Written by intake."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import Command, Fact, PartyId, Personal


class PartyKind(StrEnum):
    """What a party is."""

    RIDER = "rider"
    PLATFORM = "platform"
    UNIT = "unit"
    OFFICER = "officer"


class PartyRefusal(StrEnum):
    """Why intake refuses a registration."""

    NOT_YOUR_RIDER = "not_your_rider"
    NOT_ALLOWED = "not_allowed"


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
