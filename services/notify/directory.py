"""Who can be told: the language and the address of a party, as its last registration says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from contracts.envelope import Recorded, plain
from contracts.party import PartyKind, PartyRegistered, RiderErased, erased
from contracts.rulebook import Rulebook
from services.notify.words import DEFAULT_LANGUAGE


@dataclass(frozen=True, slots=True)
class Address:
    """Where notices are posted, and the secret that signs them there."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The last registration of every party, as the log has it: personal fields still sealed."""

    registrations: Mapping[str, Recorded]
    erased: frozenset[str] = frozenset()
    """Who is forgotten: there is nobody to tell."""

    @classmethod
    def of(cls, facts: Iterable[Recorded]) -> Directory:
        """The directory after these facts of the log, in their order."""
        return cls({r.body.party_id: r for r in facts if isinstance(r.body, PartyRegistered)})

    def language_of(self, receiver: str, rules: Rulebook | None) -> str:
        """As registered; else, for a unit, as the rulebook says; else Chinese."""
        if party := self._party(receiver):
            return party.language
        units = rules.units if rules else ()
        return next((unit.language for unit in units if unit.code == receiver), DEFAULT_LANGUAGE)

    def listing_of(self, receiver: str) -> Recorded | None:
        """The registration that says where the receiver's notices are posted.

        Its own; for a rider without an address, that of the rider's platform. It holds the
        signing secret sealed: open it, then ask `address_in`.
        """
        party = self._party(receiver)
        if (
            party is None
            or party.webhook
            or party.kind is not PartyKind.RIDER
            or not party.platform
        ):
            return self.registrations.get(receiver)
        return self.registrations.get(party.platform)

    def is_posted_to(self, receiver: str) -> bool:
        """Whether a registration gives an address for the receiver's notices."""
        listing = self.listing_of(receiver)
        party = listing.body if listing else None
        return isinstance(party, PartyRegistered) and bool(party.webhook)

    def _party(self, party_id: str) -> PartyRegistered | None:
        recorded = self.registrations.get(party_id)
        return recorded.body if recorded and isinstance(recorded.body, PartyRegistered) else None


NOBODY: Final = Directory({})
"""A directory that knows nobody: everyone is told in Chinese, in the outbox only."""


def gathered(directory: Directory, fact: Recorded) -> Directory:
    """The directory after one more fact of the log."""
    match fact.body:
        case PartyRegistered(party_id=party_id):
            return replace(directory, registrations={**directory.registrations, party_id: fact})
        case RiderErased(party_id=party_id):
            left = {who: r for who, r in directory.registrations.items() if who != party_id}
            return Directory(left, erased(directory.erased, fact))
        case _:
            return directory


def address_in(party: PartyRegistered) -> Address | None:
    """The address that an opened registration gives, or None where nothing is to be posted.

    An address without a readable secret is none: unsigned, a notice could be anybody's; and the
    secret of a party that was erased is gone.
    """
    secret = plain(party.webhook_secret)
    url = plain(party.webhook)
    return Address(url, secret) if url and secret else None
