"""Who may make a party known, change what is known of it, give it a role, or forget it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.party import (
    EndRole,
    EraseRider,
    GiveRole,
    PartyKind,
    PartyRefusal,
    PartyRegistered,
    RegisterParty,
    RiderErased,
    RoleEnded,
    RoleGiven,
)
from eventlog.decider import Decider
from services.intake import roles
from services.intake.roles import PROVISIONER

OFFICER: Final = "officer"
"""The party that answers for personal data; it alone may have a rider forgotten."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the party."""

    kind: PartyKind | None = None
    platform: str | None = None
    erased: bool = False
    rider_id: str | None = None
    """Of an officer who also rides."""
    terms: tuple[RoleGiven, ...] = ()
    """The roles that it was given, each until it was ended."""


def decide(issued: Issued[Any], state: State, giver: PartyKind | None) -> list[Fact]:
    """Register a party, give it a role, or forget a rider; `giver` is what gives the role."""
    match issued.command:
        case GiveRole():
            return roles.give(issued, state, giver)
        case EndRole():
            return roles.end(issued, state, giver)
        case EraseRider():
            return erase(issued, state)
        case RegisterParty():
            return register(issued, state)
        case unknown:
            raise TypeError(f"intake does not decide on a {type(unknown).__name__}")


def erase(issued: Issued[EraseRider], state: State) -> list[Fact]:
    """Forget the rider, whether or not they were ever registered; nothing when it is done."""
    rider = issued.command.rider_id
    if issued.actor != OFFICER:
        detail = f"only the party '{OFFICER}' may have a rider forgotten; you are {issued.actor}"
        raise Refused(Reason(code=PartyRefusal.NOT_ALLOWED, detail=detail))
    if state.kind not in (None, PartyKind.RIDER):
        detail = f"{rider} is known as a {state.kind}; only riders can be forgotten"
        raise Refused(Reason(code=PartyRefusal.NOT_A_RIDER, field="rider_id", detail=detail))
    if state.erased:
        return []
    return [RiderErased(party_id=rider, reason=issued.command.reason, by=issued.actor)]


def register(issued: Issued[RegisterParty], state: State) -> list[Fact]:
    """Register the party. A platform speaks for its own riders, everybody for themselves."""
    party = issued.command
    if state.erased:
        detail = f"{party.party_id} is erased; use a new id"
        raise Refused(Reason(code=PartyRefusal.PERSON_ERASED, field="party_id", detail=detail))
    if reason := _objection(issued, state):
        raise Refused(reason)
    return [
        PartyRegistered(
            party_id=party.party_id,
            kind=party.kind,
            language=party.language,
            platform=party.platform,
            name=party.name,
            phone=party.phone,
            webhook=party.webhook,
            webhook_secret=party.webhook_secret,
            rider_id=party.rider_id,
        )
    ]


def _objection(issued: Issued[RegisterParty], state: State) -> Reason | None:
    party, actor = issued.command, issued.actor
    if actor == PROVISIONER:
        return None
    if state.kind is not None and state.kind is not party.kind:
        detail = f"{party.party_id} is known as a {state.kind}"
        return Reason(code=PartyRefusal.NOT_ALLOWED, field="kind", detail=detail)
    if party.kind is PartyKind.RIDER:
        if party.platform != actor or state.platform not in (None, actor):
            detail = f"riders are registered by the platform they work for; you are {actor}"
            return Reason(code=PartyRefusal.NOT_YOUR_RIDER, field="platform", detail=detail)
        return None
    if party.kind is PartyKind.OFFICER and (
        state.kind is not PartyKind.OFFICER or party.rider_id != state.rider_id
    ):
        detail = "who is an officer, and as whom they ride, is said by who sets the house up"
        return Reason(code=PartyRefusal.NOT_ALLOWED, field="kind", detail=detail)
    if party.party_id != actor:
        detail = f"{actor} may register itself and its riders only"
        return Reason(code=PartyRefusal.NOT_ALLOWED, field="party_id", detail=detail)
    return None


def evolve(state: State, fact: Fact) -> State:
    """The last registration counts; an erasure is for ever."""
    match fact:
        case PartyRegistered(kind=kind, platform=platform, rider_id=rider_id):
            return replace(state, kind=kind, platform=platform, rider_id=rider_id)
        case RoleGiven():
            return replace(state, terms=(*state.terms, fact))
        case RoleEnded():
            return replace(state, terms=roles.after_end(state.terms, fact))
        case RiderErased():
            return replace(state, erased=True)
        case _:
            return state


PARTY = Decider("party", State(), decide, evolve)
