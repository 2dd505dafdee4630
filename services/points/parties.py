"""Who is who, as far as points must know: officers, and which platform speaks for a rider. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.envelope import Recorded
from contracts.party import PartyKind, PartyRegistered, RiderErased


@dataclass(frozen=True, slots=True)
class Known:
    """What the last registration of a party says."""

    kind: PartyKind
    platform: str | None = None
    """Of a rider; None once the rider is erased: nobody speaks for them any more."""
    rider_id: str | None = None
    """Of an officer who also rides."""


@dataclass(slots=True)
class Parties:
    """Every registered party. Grows in place: one house has one, and nobody keeps an older one."""

    known: dict[str, Known] = field(default_factory=dict)

    def heard(self, fact: Recorded) -> Parties:
        """One more fact of the log."""
        match fact.body:
            case PartyRegistered(party_id=party_id) as party:
                self.known[party_id] = Known(party.kind, party.platform, party.rider_id)
            case RiderErased(party_id=party_id):
                self.known[party_id] = Known(PartyKind.RIDER)
        return self

    def is_officer(self, party_id: str) -> bool:
        """Whether a party is registered as an officer."""
        known = self.known.get(party_id)
        return known is not None and known.kind is PartyKind.OFFICER

    def platform_of(self, rider_id: str) -> str | None:
        """The platform that has registered a rider; None where nobody has."""
        known = self.known.get(rider_id)
        return known.platform if known and known.kind is PartyKind.RIDER else None
