"""Stream `party.<id>`: who takes part, and who was forgotten. Written by intake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from contracts.envelope import Command, Fact, PartyId, Personal, Recorded, RiderId, Time


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
    """Why intake refuses a registration, or an erasure."""

    NOT_YOUR_RIDER = "not_your_rider"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_TERM = "no_such_term"
    NOT_A_RIDER = "not_a_rider"
    PERSON_ERASED = "person_erased"


class ErasureReason(StrEnum):
    """Why a rider is forgotten. A code and no text: the log keeps it for ever."""

    ASKED = "asked"
    """The rider asked for it."""
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ACCOUNT_CLOSED = "account_closed"
    NOT_NEEDED = "not_needed"
    """The purpose is served, or the days of the table are over."""
    UNLAWFUL = "unlawful"
    """It should not have been collected."""


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


class GiveRole(Command, room="intake"):
    """Appoint a rider to a role for a term. An officer or a unit does so."""

    party_id: PartyId
    role: RoleName
    first: Time
    last: Time | None = None
    """Until this moment; None: until it is ended."""


class EndRole(Command, room="intake"):
    """A role ends before its term does."""

    party_id: PartyId
    role: RoleName
    at: Time


class EraseRider(Command, room="intake"):
    """Forget a rider: whatever the log holds of them in sealed words is never readable again.

    An officer's command. What others did and decided stays, under an id that names nobody.
    """

    rider_id: RiderId
    reason: ErasureReason


class RiderErased(Fact, stream="party"):
    """The rider is forgotten: the key is destroyed, and nothing more is written about them."""

    party_id: PartyId
    reason: ErasureReason
    by: PartyId


class PartyRegistered(Fact, stream="party", version=2):
    """This is what is known of the party from now on; the last one counts."""

    key_of: ClassVar[str] = "party_id"
    introduces: ClassVar[bool] = True
    upcasters: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: dict}

    party_id: PartyId
    kind: PartyKind
    language: Language = "zh"
    platform: PartyId | None = None
    name: Personal[str] | None = None
    phone: Personal[str] | None = None
    webhook: Personal[str] | None = None
    """Sealed since version 2: the address of a rider may tell who it is."""
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


def erased(known: frozenset[str], fact: Recorded) -> frozenset[str]:
    """Everybody who is forgotten, after one more fact of the log."""
    match fact.body:
        case RiderErased(party_id=rider):
            return known | {rider}
        case _:
            return known


NOBODY_ERASED: Final[frozenset[str]] = frozenset()
"""Before the first fact."""
