"""Who is who, as far as points must know: officers, platforms of riders, roles and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.envelope import Recorded
from contracts.party import PartyKind, PartyRegistered, RiderErased, RoleEnded, RoleGiven, RoleName


@dataclass(frozen=True, slots=True)
class Term:
    """A role, from a moment until before another."""

    role: RoleName
    first: datetime
    last: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it is held at a moment."""
        return self.first <= at and (self.last is None or at < self.last)


@dataclass(frozen=True, slots=True)
class Known:
    """What the last registration of a party says, and the roles that it was given."""

    kind: PartyKind | None = None
    platform: str | None = None
    """Of a rider."""
    rider_id: str | None = None
    """Of an officer who also rides."""
    terms: tuple[Term, ...] = ()


@dataclass(slots=True)
class Parties:
    """Every party. Grows in place: one house has one, and nobody keeps an older one."""

    known: dict[str, Known] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    """Riders who are forgotten."""

    def heard(self, fact: Recorded) -> Parties:
        """One more fact of the log."""
        match fact.body:
            case PartyRegistered(party_id=party_id) as party:
                self.known[party_id] = replace(
                    self.of(party_id),
                    kind=party.kind,
                    platform=party.platform,
                    rider_id=party.rider_id,
                )
            case RoleGiven(party_id=party_id, role=role, first=first, last=last):
                known = self.of(party_id)
                term = Term(role, first, last)
                self.known[party_id] = replace(known, terms=(*known.terms, term))
            case RoleEnded(party_id=party_id, role=role, at=at):
                known = self.of(party_id)
                ended = tuple(_until(term, role, at) for term in known.terms)
                self.known[party_id] = replace(known, terms=ended)
            case RiderErased(party_id=party_id):
                self.erased.add(party_id)
        return self

    def of(self, party_id: str) -> Known:
        """What is known of a party; nothing of a stranger."""
        return self.known.get(party_id) or Known()

    def is_officer(self, party_id: str) -> bool:
        """Whether a party is registered as an officer."""
        return self.of(party_id).kind is PartyKind.OFFICER

    def platform_of(self, rider_id: str) -> str | None:
        """The platform that has registered a rider; None where nobody has."""
        known = self.of(rider_id)
        return known.platform if known.kind is PartyKind.RIDER else None

    def roles(self, rider_id: str, at: datetime) -> frozenset[RoleName]:
        """The roles that a rider holds at a moment."""
        return frozenset(term.role for term in self.of(rider_id).terms if term.holds(at))


def _until(term: Term, role: RoleName, at: datetime) -> Term:
    """The term, ended at a moment if it is of that role and has not ended before."""
    if term.role is not role or (term.last is not None and term.last <= at):
        return term
    return replace(term, last=max(at, term.first))
