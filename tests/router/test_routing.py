"""Who holds a case first, and why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Task, UnitKind, Why
from contracts.report import Position
from contracts.rulebook import Rulebook
from services.router.routing import UNPLACED, Route, route
from services.router.rules import Rules
from tests.district import (
    BOOK,
    EAST,
    FIRE,
    IN_EAST,
    IN_NORTH,
    IN_WEST,
    NOWHERE,
    RULES,
    SANITATION,
    TRIAGE,
    WEST,
    document,
)


@dataclass(frozen=True)
class Way:
    """What is reported where, and which unit holds it first, how long, and by which rule."""

    service: str | None
    position: Position | None
    unit: str
    limit: str
    why: Why
    area: str | None
    suggested: str | None
    asset: str | None = None


DESK, DESK_LIMIT = TRIAGE, "1 urgent_hour"
WAYS = [
    Way("garbage", IN_WEST, WEST, DESK_LIMIT, Why.STREET_FIRST, "a-west", SANITATION),
    Way("garbage", IN_EAST, SANITATION, "6 urgent_hours", Why.DIRECT_BY_AREA, "b-east", SANITATION),
    Way(
        "garbage", IN_NORTH, SANITATION, "6 urgent_hours", Why.DIRECT_BY_AREA, "c-north", SANITATION
    ),
    Way("bulky", IN_EAST, EAST, DESK_LIMIT, Why.STREET_FIRST, "b-east", SANITATION),
    Way("bulky", IN_NORTH, WEST, DESK_LIMIT, Why.STREET_FIRST, "c-north", SANITATION),
    Way("bare-wires", IN_WEST, FIRE, "2 urgent_hours", Why.DIRECT_BY_SERVICE, "a-west", FIRE),
    Way("bare-wires", IN_EAST, FIRE, "2 urgent_hours", Why.DIRECT_BY_SERVICE, "b-east", FIRE),
    Way("stall", IN_WEST, WEST, DESK_LIMIT, Why.STREET_FIRST, "a-west", FIRE),
    Way("stall", IN_EAST, DESK, DESK_LIMIT, Why.ROLE_UNRESOLVED, "b-east", None),
    Way("cover", IN_EAST, EAST, "4 work_hours", Why.OWNERLESS, "b-east", EAST),
    Way("cover", IN_EAST, FIRE, "4 work_hours", Why.DIRECT_BY_AREA, "b-east", FIRE, "330101"),
    Way(
        "cover",
        IN_EAST,
        SANITATION,
        "4 work_hours",
        Why.DIRECT_BY_AREA,
        "b-east",
        SANITATION,
        "3301020017",
    ),
    Way(None, IN_WEST, DESK, DESK_LIMIT, Why.SERVICE_MISSING, "a-west", None),
    Way("ufo", IN_EAST, DESK, DESK_LIMIT, Why.SERVICE_UNKNOWN, "b-east", None),
    Way("ufo", None, DESK, DESK_LIMIT, Why.SERVICE_UNKNOWN, None, None),
    Way("garbage", None, DESK, DESK_LIMIT, Why.PLACE_MISSING, None, SANITATION),
    Way("bare-wires", NOWHERE, DESK, DESK_LIMIT, Why.PLACE_UNKNOWN, None, FIRE),
    Way(None, None, DESK, DESK_LIMIT, Why.SERVICE_MISSING, None, None),
]
BY_PEOPLE = {Why.BY_DISPATCHER, Why.RETURNED, Why.TRANSFERRED, Why.REOPENED}


def in_words(way: Way) -> str:
    return f"{way.service} in {way.area} ({way.asset}): {way.unit} by {way.why}"


def found_for(way: Way, rules: Rules = RULES) -> Route:
    return route(way.service, None, way.position, way.asset, rules)


@pytest.mark.parametrize("way", WAYS, ids=in_words)
def test_first_holder_of(way: Way) -> None:
    found = found_for(way)
    area = found.area.code if found.area else None
    assert way == Way(
        way.service,
        way.position,
        found.unit.code,
        str(found.limit),
        found.why,
        area,
        found.suggested,
        way.asset,
    )


def test_every_rule_of_first_holding_is_tried() -> None:
    assert {way.why for way in WAYS} == set(Why) - BY_PEOPLE


@pytest.mark.parametrize("way", WAYS, ids=in_words)
def test_the_explanation_names_the_unit_in_both_languages(way: Way) -> None:
    found = found_for(way)
    assert found.unit.name.zh in found.explanation.zh
    assert found.unit.name.en in found.explanation.en


@pytest.mark.parametrize("way", [w for w in WAYS if w.why is Why.STREET_FIRST], ids=in_words)
def test_the_street_office_reads_which_unit_is_advised(way: Way) -> None:
    found, advised = found_for(way), RULES.name_of(way.suggested or "")
    assert found.task is Task.DISPATCH
    assert advised.zh in found.explanation.zh
    assert advised.en in found.explanation.en


def test_the_triage_desk_reads_what_could_not_be_placed() -> None:
    unknown = route("ufo", None, IN_WEST, None, RULES).explanation
    assert "“ufo”" in unknown.zh
    assert "'ufo'" in unknown.en
    outside = route("garbage", None, NOWHERE, None, RULES).explanation
    assert "29.50000" in outside.zh
    assert "121.50000" in outside.en


def test_the_triage_desk_reads_which_role_nobody_holds_where() -> None:
    words = route("stall", None, IN_EAST, None, RULES).explanation
    assert words.en == (
        "Nobody is registered as 'the local enforcement unit' in area b-east: "
        "passed to Triage Desk."
    )


def test_what_has_no_owner_falls_to_the_territory_and_says_so() -> None:
    found = route("cover", None, IN_EAST, None, RULES)
    assert found.unit.code == EAST
    assert found.task is Task.HANDLE
    assert "the owner of the asset" in found.explanation.en
    assert [words.en for words in found.considered] == [
        "The condition was not named; 'plain' is assumed.",
        "the owner of the asset: nobody here.",
        "the street it lies in: East Street Office.",
        "Not taken: the street office first.",
    ]


def test_those_who_help_are_resolved_by_place_and_are_never_the_accountable_one() -> None:
    assert route("garbage", None, IN_EAST, None, RULES).supporting == (EAST,)
    assert route("garbage", None, IN_NORTH, None, RULES).supporting == (WEST,)
    assert route("cover", None, IN_EAST, None, RULES).supporting == ()


def test_a_helper_whom_nobody_is_here_is_told_not_dropped() -> None:
    services = document()["catalogue"]["services"]
    services[0]["supporting"] = ["enforcement", "street"]
    book = Rulebook.model_validate(document(catalogue={"services": services}))
    found = route("garbage", None, IN_EAST, None, Rules(book))
    assert found.supporting == (EAST,)
    assert "Nobody here is 'the local enforcement unit', who should help." in [
        words.en for words in found.considered
    ]


def test_the_condition_that_is_named_goes_before_the_default_one() -> None:
    worse = route("garbage", "garbage-worse", IN_EAST, None, RULES)
    assert (worse.condition, str(worse.limit)) == ("garbage-worse", "1 urgent_hour")
    plain = route("garbage", None, IN_EAST, None, RULES)
    assert (plain.condition, str(plain.limit)) == ("garbage-plain", "6 urgent_hours")


def test_a_condition_that_the_catalogue_does_not_have_is_taken_for_the_default_one() -> None:
    found = route("garbage", "garbage-of-old", IN_EAST, None, RULES)
    assert found.condition == "garbage-plain"
    assert "is assumed" in found.considered[0].en


def test_the_rule_names_condition_mode_and_roles_for_programs() -> None:
    rules = [found_for(way).rule for way in WAYS[:1] + WAYS[9:10] + WAYS[8:9]]
    assert rules == [
        "garbage-plain|street@a-west",
        "cover-plain|department@*|asset-owner|street",
        "stall-plain|triage:role_unresolved",
    ]


def test_a_unit_that_the_rulebook_does_not_know_is_called_by_its_code() -> None:
    assert RULES.name_of("street-former").zh == "street-former"


services = st.one_of(st.none(), st.sampled_from([s.code for s in BOOK.services]), st.just("ufo"))
conditions = st.one_of(st.none(), st.sampled_from(sorted(RULES.conditions)), st.just("no-such"))
positions = st.one_of(
    st.none(),
    st.builds(Position, lat=st.floats(28.99, 29.03), lng=st.floats(120.99, 121.03)),
    st.sampled_from([IN_WEST, IN_EAST, IN_NORTH, Position(lat=29.01, lng=121.01)]),
)
assets = st.one_of(st.none(), st.sampled_from(["3301", "330101", "3301020017", "99"]))


@given(services, conditions, positions, assets)
def test_every_report_has_exactly_one_accountable_holder_or_the_triage_desk(
    service: str | None, condition: str | None, position: Position | None, asset: str | None
) -> None:
    found = route(service, condition, position, asset, RULES)
    assert found.unit == RULES.units[found.unit.code]
    assert (found.unit.kind is UnitKind.TRIAGE) is (found.why in UNPLACED)
    assert found.unit.kind is not UnitKind.INSPECTION
    assert found.unit.code not in found.supporting or found.task is Task.DISPATCH
    assert len(set(found.supporting)) == len(found.supporting)


@given(services, conditions, positions, assets)
def test_the_same_report_and_rulebook_always_give_the_same_route(
    service: str | None, condition: str | None, position: Position | None, asset: str | None
) -> None:
    again = Rules(Rulebook.model_validate_json(BOOK.model_dump_json()))
    assert route(service, condition, position, asset, RULES) == route(
        service, condition, position, asset, again
    )


@given(st.permutations(range(3)), positions)
def test_the_order_in_which_areas_are_listed_makes_no_difference(
    order: list[int], position: Position | None
) -> None:
    features = document()["places"]["features"]
    shuffled = document(places={"features": [features[i] for i in order]})
    other = Rules(Rulebook.model_validate(shuffled))
    assert route("garbage", None, position, None, RULES) == route(
        "garbage", None, position, None, other
    )
