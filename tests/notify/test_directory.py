"""Who can be told, and where."""

from __future__ import annotations

from typing import Any

from contracts.envelope import ERASED, Sealed
from contracts.party import ErasureReason, PartyKind, PartyRegistered, RiderErased
from services.notify.directory import NOBODY, Address, Directory, address_in, gathered
from tests.notify.given import RULES, accepted, recorded, registered

KITE: dict[str, Any] = {
    "party_id": "platform-kite",
    "kind": PartyKind.PLATFORM,
    "webhook": "https://kite.example/notices",
    "webhook_secret": "whsec_c2VjcmV0",
}


def directory(*parties: PartyRegistered) -> Directory:
    return Directory.of([recorded(party) for party in parties])


def address_of(receiver: str, *parties: PartyRegistered) -> Address | None:
    listing = directory(*parties).listing_of(receiver)
    return (
        address_in(listing.body) if listing and isinstance(listing.body, PartyRegistered) else None
    )


def test_the_last_registration_of_a_party_counts() -> None:
    known = directory(registered(language="en"), registered(language="zh"))
    assert known.language_of("rider-01", RULES) == "zh"


def test_it_grows_fact_by_fact_and_leaves_the_former_one_as_it_was() -> None:
    first = gathered(NOBODY, recorded(registered(language="en")))
    second = gathered(first, recorded(registered(language="zh")))
    assert first.language_of("rider-01", None) == "en"
    assert second.language_of("rider-01", None) == "zh"


def test_other_facts_change_nothing() -> None:
    assert gathered(NOBODY, recorded(accepted())) is NOBODY
    assert Directory.of([recorded(accepted())]) == NOBODY


def test_a_party_is_reached_at_its_own_address() -> None:
    expected = Address("https://kite.example/notices", "whsec_c2VjcmV0")
    assert address_of("platform-kite", registered(**KITE)) == expected


def test_a_rider_without_an_address_is_reached_through_the_platform() -> None:
    rider = registered(platform="platform-kite")
    assert address_of("rider-01", rider, registered(**KITE)) == Address(
        "https://kite.example/notices", "whsec_c2VjcmV0"
    )


def test_a_riders_own_address_goes_before_the_platforms() -> None:
    rider = registered(
        platform="platform-kite", webhook="https://rider.example/", webhook_secret="whsec_b3du"
    )
    assert address_of("rider-01", rider, registered(**KITE)) == Address(
        "https://rider.example/", "whsec_b3du"
    )


def test_a_platform_that_is_not_known_reaches_nobody() -> None:
    assert address_of("rider-01", registered(platform="platform-kite")) is None


def test_whoever_is_not_known_has_no_address() -> None:
    assert address_of("rider-01") is None


def test_only_riders_are_reached_through_a_platform() -> None:
    unit = registered("sanitation", kind=PartyKind.UNIT, platform="platform-kite")
    assert address_of("sanitation", unit, registered(**KITE)) is None


def test_an_address_without_a_readable_secret_is_none() -> None:
    for secret in (None, ERASED, Sealed(key="platform-kite", box="AAAA")):
        assert address_in(registered(**KITE | {"webhook_secret": secret})) is None


def test_who_is_erased_is_nowhere_to_be_reached_not_even_through_the_platform() -> None:
    rider = registered(platform="platform-kite")
    gone = RiderErased(party_id=rider.party_id, reason=ErasureReason.ASKED, by="officer")
    known = directory(registered(**KITE), rider)
    after = gathered(known, recorded(gone))
    assert after.erased == {rider.party_id}
    assert after.listing_of(rider.party_id) is None
    assert after.listing_of("platform-kite") is not None
    assert known.erased == frozenset()
