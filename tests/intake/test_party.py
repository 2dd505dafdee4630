"""Who may make a party known, change what is known of it, or have a rider forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.envelope import Fact
from contracts.party import (
    EraseRider,
    ErasureReason,
    PartyKind,
    PartyRefusal,
    PartyRegistered,
    RegisterParty,
    RiderErased,
)
from services.intake.decider.party import OFFICER, PARTY
from services.intake.roles import PROVISIONER
from tests.district import KITE, RIDER, SANITATION, SWIFT
from tests.given import Setting, a

given = Setting(PARTY, None)

OTHERS = [kind for kind in PartyKind if kind is not PartyKind.RIDER]


def register(party_id: str, kind: PartyKind = PartyKind.UNIT, **known: Any) -> RegisterParty:
    return RegisterParty(party_id=party_id, kind=kind, **known)


def rider(platform: str | None = KITE, **known: Any) -> RegisterParty:
    return register(RIDER, PartyKind.RIDER, platform=platform, **known)


def known_as(command: RegisterParty) -> PartyRegistered:
    return PartyRegistered(**command.model_dump())


def test_a_platform_registers_its_rider_with_all_that_is_said() -> None:
    said = rider(
        language="en",
        name="陶小满",
        phone="13800000007",
        webhook="https://rider.example/notices",
        webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    given().when(said, by=KITE).then(known_as(said))


def test_a_platform_changes_what_is_known_of_its_rider() -> None:
    given(known_as(rider())).when(rider(language="en"), by=KITE).then(
        a(PartyRegistered, language="en")
    )


@pytest.mark.parametrize("by", [SWIFT, SANITATION, RIDER])
def test_nobody_but_the_platform_registers_its_rider(by: str) -> None:
    given().when(rider(), by=by).then_refused(PartyRefusal.NOT_YOUR_RIDER)


@pytest.mark.parametrize("platform", [None, SWIFT])
def test_a_platform_registers_no_rider_of_nobody_or_of_another(platform: str | None) -> None:
    given().when(rider(platform), by=KITE).then_refused(PartyRefusal.NOT_YOUR_RIDER)


def test_a_rider_is_not_taken_over_by_another_platform() -> None:
    given(known_as(rider())).when(rider(SWIFT), by=SWIFT).then_refused(PartyRefusal.NOT_YOUR_RIDER)


@pytest.mark.parametrize("kind", [kind for kind in OTHERS if kind is not PartyKind.OFFICER])
def test_a_party_registers_itself(kind: PartyKind) -> None:
    given().when(register("me", kind), by="me").then(a(PartyRegistered, party_id="me", kind=kind))


def test_nobody_makes_an_officer_of_themselves() -> None:
    claimed = register("me", PartyKind.OFFICER)
    given().when(claimed, by="me").then_refused(PartyRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_party_registers_nobody_else(kind: PartyKind) -> None:
    given().when(register("you", kind), by="me").then_refused(PartyRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("by", [KITE, RIDER])
def test_a_rider_becomes_nothing_else(kind: PartyKind, by: str) -> None:
    given(known_as(rider())).when(register(RIDER, kind), by=by).then_refused(
        PartyRefusal.NOT_ALLOWED
    )


def test_a_unit_is_not_made_a_rider() -> None:
    known = known_as(register(SANITATION))
    claimed = register(SANITATION, PartyKind.RIDER, platform=KITE)
    given(known).when(claimed, by=KITE).then_refused(PartyRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("command", [rider(SWIFT), rider(None), register(RIDER)])
def test_the_provisioner_registers_anybody_as_anything(command: RegisterParty) -> None:
    given(known_as(rider())).when(command, by=PROVISIONER).then(known_as(command))


def test_after_the_provisioner_moved_a_rider_the_new_platform_speaks_for_the_rider() -> None:
    moved = given(known_as(rider()), known_as(rider(SWIFT)))
    moved.when(rider(SWIFT), by=SWIFT).then(PartyRegistered)
    moved.when(rider(), by=KITE).then_refused(PartyRefusal.NOT_YOUR_RIDER)


FORGET = EraseRider(rider_id=RIDER, reason=ErasureReason.ASKED)
ERASED = RiderErased(party_id=RIDER, reason=ErasureReason.ASKED, by=OFFICER)


@pytest.mark.parametrize("before", [(), (known_as(rider()),)])
def test_an_officer_has_a_rider_forgotten_registered_or_not(before: tuple[Fact, ...]) -> None:
    given(*before).when(FORGET, by=OFFICER).then(ERASED)


@pytest.mark.parametrize("by", [KITE, SANITATION, RIDER, PROVISIONER])
def test_nobody_else_has_a_rider_forgotten(by: str) -> None:
    given(known_as(rider())).when(FORGET, by=by).then_refused(PartyRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("kind", OTHERS)
def test_only_riders_are_forgotten(kind: PartyKind) -> None:
    known = known_as(register(RIDER, kind))
    given(known).when(FORGET, by=OFFICER).then_refused(PartyRefusal.NOT_A_RIDER)


@pytest.mark.parametrize("reason", list(ErasureReason))
def test_who_is_forgotten_is_not_forgotten_again(reason: ErasureReason) -> None:
    given(ERASED).when(EraseRider(rider_id=RIDER, reason=reason), by=OFFICER).then()


@pytest.mark.parametrize("by", [KITE, PROVISIONER, RIDER])
def test_who_is_forgotten_is_never_registered_again(by: str) -> None:
    forgotten = given(known_as(rider()), ERASED)
    forgotten.when(rider(), by=by).then_refused(PartyRefusal.PERSON_ERASED)
