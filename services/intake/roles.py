"""Who may give a rider a role, for how long, and when it ends. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.party import (
    EndRole,
    GiveRole,
    PartyKind,
    PartyRefusal,
    RoleEnded,
    RoleGiven,
    RoleName,
)

PROVISIONER: Final = "provisioner"
"""The party that sets the house up; it may register anybody, and appoint."""


class Terms(Protocol):
    """What must be known of a rider."""

    @property
    def kind(self) -> PartyKind | None:
        """What the party is."""

    @property
    def erased(self) -> bool:
        """Whether the party is forgotten."""

    @property
    def terms(self) -> tuple[RoleGiven, ...]:
        """The roles that it was given, each until it was ended."""


def give(issued: Issued[GiveRole], state: Terms, giver: PartyKind | None) -> list[Fact]:
    """Units and officers appoint riders, for a term."""
    asked = issued.command
    _insist(issued, state, giver)
    if state.kind is not PartyKind.RIDER:
        detail = f"{asked.party_id} is not known as a rider"
        raise Refused(Reason(code=PartyRefusal.NOT_ALLOWED, field="party_id", detail=detail))
    if asked.last is not None and asked.last <= asked.first:
        detail = "a term ends after it begins"
        raise Refused(Reason(code=PartyRefusal.NO_SUCH_TERM, field="last", detail=detail))
    given = RoleGiven(
        party_id=asked.party_id,
        role=asked.role,
        first=asked.first,
        last=asked.last,
        by=issued.actor,
    )
    return [] if given in state.terms else [given]


def end(issued: Issued[EndRole], state: Terms, giver: PartyKind | None) -> list[Fact]:
    """A role ends; what was earned while it was held stays as it is."""
    asked = issued.command
    _insist(issued, state, giver)
    if not any(goes_on(term, asked.role, asked.at) for term in state.terms):
        detail = f"{asked.party_id} is no {asked.role} at or after that moment"
        raise Refused(Reason(code=PartyRefusal.NO_SUCH_TERM, field="role", detail=detail))
    return [RoleEnded(party_id=asked.party_id, role=asked.role, at=asked.at, by=issued.actor)]


def _insist(
    issued: Issued[GiveRole] | Issued[EndRole], state: Terms, giver: PartyKind | None
) -> None:
    """Who may appoint, and that the rider is not forgotten."""
    if issued.actor != PROVISIONER and giver not in (PartyKind.UNIT, PartyKind.OFFICER):
        detail = "units and officers appoint to roles"
        raise Refused(Reason(code=PartyRefusal.NOT_ALLOWED, detail=detail))
    if state.erased:
        detail = f"{issued.command.party_id} is erased; nothing more is written about them"
        raise Refused(Reason(code=PartyRefusal.PERSON_ERASED, field="party_id", detail=detail))


def after_end(terms: tuple[RoleGiven, ...], ended: RoleEnded) -> tuple[RoleGiven, ...]:
    """Terms of the role that hold at that moment end then, so it can still be set earlier."""
    left: list[RoleGiven] = []
    for term in terms:
        if not goes_on(term, ended.role, ended.at):
            left.append(term)
        elif term.first < ended.at:
            left.append(term.model_copy(update={"last": ended.at}))
    return tuple(left)


def goes_on(term: RoleGiven, role: RoleName, at: datetime) -> bool:
    """Whether a term is of that role and not over by then."""
    return term.role is role and (term.last is None or term.last > at)
