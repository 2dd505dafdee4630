"""Who gives a rider a role, for which term, and how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.party import (
    EndRole,
    ErasureReason,
    GiveRole,
    PartyKind,
    PartyRefusal,
    PartyRegistered,
    RiderErased,
    RoleEnded,
    RoleGiven,
    RoleName,
)
from services.intake.decider.party import PARTY
from services.intake.roles import PROVISIONER
from tests.district import KITE, RIDER
from tests.given import NOON, Setting

APPOINTER = "street-taoyuan"
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
GRID, VOLUNTEER = RoleName.GRID_MEMBER, RoleName.VOLUNTEER
REGISTERED = PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE)
ERASED = RiderErased(party_id=RIDER, reason=ErasureReason.ASKED, by="officer")
GIVE = GiveRole(party_id=RIDER, role=GRID, first=NOON, last=NOON + YEAR)
GIVEN = RoleGiven(**GIVE.model_dump(), by=APPOINTER)

given = Setting(PARTY, PartyKind.UNIT)


def end(after: timedelta, role: RoleName = GRID) -> EndRole:
    return EndRole(party_id=RIDER, role=role, at=NOON + after)


def ended(after: timedelta, role: RoleName = GRID) -> RoleEnded:
    return RoleEnded(party_id=RIDER, role=role, at=NOON + after, by=APPOINTER)


@pytest.mark.parametrize("giver", [PartyKind.UNIT, PartyKind.OFFICER])
def test_units_and_officers_appoint_and_end(giver: PartyKind) -> None:
    given(REGISTERED, rules=giver).when(GIVE, by=APPOINTER).then(GIVEN)
    given(REGISTERED, GIVEN, rules=giver).when(end(HOUR), by=APPOINTER).then(ended(HOUR))


def test_who_sets_the_house_up_appoints() -> None:
    stranger = Setting(PARTY, None)
    stranger(REGISTERED).when(GIVE, by=PROVISIONER).then(RoleGiven)


@pytest.mark.parametrize("giver", [PartyKind.RIDER, PartyKind.PLATFORM, None])
def test_nobody_else_appoints_or_ends(giver: PartyKind | None) -> None:
    others = Setting(PARTY, giver)
    others(REGISTERED).when(GIVE, by="me").then_refused(PartyRefusal.NOT_ALLOWED)
    others(REGISTERED, GIVEN).when(end(HOUR), by="me").then_refused(PartyRefusal.NOT_ALLOWED)


@pytest.mark.parametrize("kind", [PartyKind.PLATFORM, PartyKind.UNIT, PartyKind.OFFICER])
def test_only_riders_are_given_roles(kind: PartyKind) -> None:
    known = PartyRegistered(party_id=RIDER, kind=kind)
    given(known).when(GIVE, by=APPOINTER).then_refused(PartyRefusal.NOT_ALLOWED)
    given().when(GIVE, by=APPOINTER).then_refused(PartyRefusal.NOT_ALLOWED)


def test_who_is_forgotten_is_given_no_role_and_none_is_ended() -> None:
    forgotten = given(REGISTERED, GIVEN, ERASED)
    again = GIVE.model_copy(update={"role": VOLUNTEER})
    forgotten.when(again, by=APPOINTER).then_refused(PartyRefusal.PERSON_ERASED)
    forgotten.when(end(HOUR), by=APPOINTER).then_refused(PartyRefusal.PERSON_ERASED)


@pytest.mark.parametrize("length", [timedelta(0), -HOUR])
def test_a_term_ends_after_it_begins(length: timedelta) -> None:
    empty = GIVE.model_copy(update={"last": NOON + length})
    given(REGISTERED).when(empty, by=APPOINTER).then_refused(PartyRefusal.NO_SUCH_TERM)


def test_the_same_term_is_given_once_and_after_its_end_again() -> None:
    given(REGISTERED, GIVEN).when(GIVE, by=APPOINTER).then_nothing()
    given(REGISTERED, GIVEN, ended(HOUR)).when(GIVE, by=APPOINTER).then(GIVEN)


@pytest.mark.parametrize("command", [end(YEAR), end(YEAR + HOUR), end(HOUR, VOLUNTEER)])
def test_a_role_that_is_over_by_then_or_was_never_given_is_not_ended(command: EndRole) -> None:
    given(REGISTERED, GIVEN).when(command, by=APPOINTER).then_refused(PartyRefusal.NO_SUCH_TERM)


def test_an_end_is_moved_forward_and_never_back() -> None:
    announced = given(REGISTERED, GIVEN, ended(2 * HOUR))
    announced.when(end(HOUR), by=APPOINTER).then(ended(HOUR))
    announced.when(end(2 * HOUR), by=APPOINTER).then_refused(PartyRefusal.NO_SUCH_TERM)
    announced.when(end(3 * HOUR), by=APPOINTER).then_refused(PartyRefusal.NO_SUCH_TERM)


def test_a_term_that_has_not_begun_by_the_end_never_begins() -> None:
    cancelled = given(REGISTERED, GIVEN, ended(-HOUR))
    cancelled.when(end(HOUR), by=APPOINTER).then_refused(PartyRefusal.NO_SUCH_TERM)
