"""Who holds a case first, and why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contracts.case import Why
from contracts.report import Position
from services.router.routing import route
from tests.district import (
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
)


@dataclass(frozen=True)
class Way:
    """What is reported where, and which unit holds it first, how long, and by which rule."""

    service: str | None
    position: Position | None
    unit: str
    hours: int
    why: Why
    area: str | None
    suggested: str | None


WAYS = [
    Way("garbage", IN_WEST, WEST, 1, Why.STREET_FIRST, "a-west", SANITATION),
    Way("garbage", IN_EAST, SANITATION, 6, Why.DIRECT_BY_AREA, "b-east", SANITATION),
    Way("garbage", IN_NORTH, SANITATION, 6, Why.DIRECT_BY_AREA, "c-north", SANITATION),
    Way("bulky", IN_EAST, EAST, 1, Why.STREET_FIRST, "b-east", SANITATION),
    Way("bulky", IN_NORTH, WEST, 1, Why.STREET_FIRST, "c-north", SANITATION),
    Way("bare-wires", IN_WEST, FIRE, 2, Why.DIRECT_BY_SERVICE, "a-west", FIRE),
    Way("bare-wires", IN_EAST, FIRE, 2, Why.DIRECT_BY_SERVICE, "b-east", FIRE),
    Way(None, IN_WEST, TRIAGE, 1, Why.SERVICE_MISSING, "a-west", None),
    Way("ufo", IN_EAST, TRIAGE, 1, Why.SERVICE_UNKNOWN, "b-east", None),
    Way("ufo", None, TRIAGE, 1, Why.SERVICE_UNKNOWN, None, None),
    Way("garbage", None, TRIAGE, 1, Why.PLACE_MISSING, None, SANITATION),
    Way("bare-wires", NOWHERE, TRIAGE, 1, Why.PLACE_UNKNOWN, None, FIRE),
    Way(None, None, TRIAGE, 1, Why.SERVICE_MISSING, None, None),
]


def in_words(way: Way) -> str:
    return f"{way.service} in {way.area}: {way.unit} by {way.why}"


@pytest.mark.parametrize("way", WAYS, ids=in_words)
def test_first_holder_of(way: Way) -> None:
    found = route(way.service, way.position, RULES)
    area = found.area.code if found.area else None
    assert way == Way(
        way.service,
        way.position,
        found.unit.code,
        found.limit_hours,
        found.why,
        area,
        found.suggested,
    )


@pytest.mark.parametrize("way", WAYS, ids=in_words)
def test_the_explanation_names_the_unit_in_both_languages(way: Way) -> None:
    found = route(way.service, way.position, RULES)
    assert found.unit.name.zh in found.explanation.zh
    assert found.unit.name.en in found.explanation.en


@pytest.mark.parametrize("way", [w for w in WAYS if w.why is Why.STREET_FIRST], ids=in_words)
def test_the_street_office_reads_which_department_is_advised(way: Way) -> None:
    found = route(way.service, way.position, RULES)
    assert RULES.name_of(SANITATION).zh in found.explanation.zh
    assert RULES.name_of(SANITATION).en in found.explanation.en


def test_the_triage_desk_reads_what_could_not_be_placed() -> None:
    unknown = route("ufo", IN_WEST, RULES).explanation
    assert "“ufo”" in unknown.zh
    assert "'ufo'" in unknown.en
    outside = route("garbage", NOWHERE, RULES).explanation
    assert "29.50000" in outside.zh
    assert "121.50000" in outside.en


def test_every_rule_of_first_holding_is_tried() -> None:
    assert {way.why for way in WAYS} == set(Why) - {Why.BY_DISPATCHER, Why.RETURNED}


def test_a_unit_that_the_rulebook_does_not_know_is_called_by_its_code() -> None:
    assert RULES.name_of("street-former").zh == "street-former"
