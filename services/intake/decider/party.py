"""Who may make a party known, or change what is known of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.party import PartyKind, PartyRefusal, PartyRegistered, RegisterParty
from eventlog.decider import Decider

PROVISIONER: Final = "provisioner"
"""The party that sets the house up; it may register anybody."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the party."""

    kind: PartyKind | None = None
    platform: str | None = None


def decide(issued: Issued[RegisterParty], state: State, rules: None) -> list[Fact]:
    """Register the party. A platform speaks for its own riders, everybody for themselves."""
    party = issued.command
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
    if party.party_id != actor:
        detail = f"{actor} may register itself and its riders only"
        return Reason(code=PartyRefusal.NOT_ALLOWED, field="party_id", detail=detail)
    return None


def evolve(state: State, fact: Fact) -> State:
    """The last registration counts."""
    match fact:
        case PartyRegistered(kind=kind, platform=platform):
            return State(kind, platform)
        case _:
            return state


PARTY = Decider("party", State(), decide, evolve)
