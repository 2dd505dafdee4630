"""The rulebook that every new house starts with holds together and covers the pilot cities."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest
import yaml
from shapely import LineString, Polygon

from contracts.case import UnitKind
from contracts.rulebook import Area, Rulebook

PILOT_HAZARDS = {
    "exposed-garbage",
    "bulky-waste",
    "non-motor-vehicle",
    "shared-ebike",
    "fire-lane",
    "ebike-upstairs",
    "hung-wire-charging",
    "bare-wires",
    "manhole-missing",
    "manhole-broken",
    "street-trading",
    "food-shop-licence",
    "food-not-permitted",
    "food-premises-dirty",
    "food-fake-orders",
    "person-alone",
    "rider-need",
    "problem",
    "opinion",
}


def document() -> dict[str, Any]:
    text = files("contracts.builtin").joinpath("rulebook.yaml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(document())


def shape(area: Area) -> Polygon:
    return Polygon(area.polygon)


def test_it_has_six_departments_three_streets_one_desk_and_one_inspection(book: Rulebook) -> None:
    assert Counter(unit.kind for unit in book.units) == {
        UnitKind.DEPARTMENT: 6,
        UnitKind.STREET: 3,
        UnitKind.TRIAGE: 1,
        UnitKind.INSPECTION: 1,
    }
    assert len(book.platforms) == 2


def test_it_covers_every_hazard_of_the_pilot_cities(book: Rulebook) -> None:
    codes = {service.code for service in book.services}
    assert codes >= PILOT_HAZARDS
    assert len(codes) == len(book.services) >= 28


def test_every_department_has_work_and_every_street_has_an_area(book: Rulebook) -> None:
    departments = {u.code for u in book.units if u.kind is UnitKind.DEPARTMENT}
    assert {service.department for service in book.services} == departments
    streets = {u.code for u in book.units if u.kind is UnitKind.STREET}
    assert {area.street for area in book.areas} == streets


def test_limits_and_points_are_of_a_size_that_people_believe(book: Rulebook) -> None:
    assert all(2 <= service.limit_hours <= 120 for service in book.services)
    assert all(1 <= service.points <= 20 for service in book.services)


def test_what_kills_tonight_goes_straight_to_its_department_within_hours(book: Rulebook) -> None:
    urgent = [s for s in book.services if s.first_holder is UnitKind.DEPARTMENT]
    assert {s.code for s in urgent} == {"fire-lane", "manhole-missing", "bare-wires"}
    assert all(s.limit_hours <= 4 for s in urgent)


def test_orders_start_at_the_street_in_some_areas_and_at_the_department_in_others(
    book: Rulebook,
) -> None:
    assert Counter(area.first_holder for area in book.areas) == {
        UnitKind.STREET: 2,
        UnitKind.DEPARTMENT: 1,
    }


def test_every_name_is_chinese_and_english_and_used_once(book: Rulebook) -> None:
    names_of_all = [
        *(unit.name for unit in book.units),
        *(platform.name for platform in book.platforms),
        *(area.name for area in book.areas),
        *(service.name for service in book.services),
    ]
    for words in names_of_all:
        assert any("一" <= letter <= "鿿" for letter in words.zh), words
        assert words.en.isascii(), words
        assert words.en.strip(), words
    for language in ("zh", "en"):
        names = Counter(service.name.read_in(language) for service in book.services)
        assert max(names.values()) == 1


def test_every_service_has_keywords_and_its_group_one_name_in_each_language(
    book: Rulebook,
) -> None:
    assert all(service.keywords for service in book.services)
    groups = {service.group.zh: service.group.en for service in book.services}
    assert all(groups[service.group.zh] == service.group.en for service in book.services)
    assert len(set(groups.values())) == len(groups)


def test_codes_of_areas_are_text_of_nine_digits() -> None:
    codes = [area["code"] for area in document()["areas"]]
    assert all(isinstance(code, str) and len(code) == 9 and code.isdigit() for code in codes)


def test_streets_are_real_shapes_in_one_piece_of_a_few_square_kilometres(book: Rulebook) -> None:
    for area in book.areas:
        polygon = shape(area)
        assert polygon.is_valid, area.code
        assert polygon.exterior.is_ccw, area.code
        assert 8 <= len(area.polygon) - 1 <= 15, area.code
        assert polygon.area < 0.95 * polygon.minimum_rotated_rectangle.area, "a box"
        square_kilometres = polygon.area * 111.0 * 96.6
        assert 2 < square_kilometres < 10, area.code


def test_streets_share_their_borders_and_nothing_else(book: Rulebook) -> None:
    for one, other in combinations(map(shape, book.areas), 2):
        common = one.intersection(other)
        assert common.area == 0
        assert common.length > 0.005, "neighbours along a line, not at a point"


def test_no_ground_is_left_between_the_streets(book: Rulebook) -> None:
    whole = shape(book.areas[0])
    for area in book.areas[1:]:
        whole = whole.union(shape(area))  # type: ignore[assignment]
    assert isinstance(whole, Polygon)
    assert list(whole.interiors) == []
    assert whole.contains(LineString([shape(a).centroid.coords[0] for a in book.areas]))


def test_the_rules_are_in_force_since_long_before_any_report(book: Rulebook) -> None:
    assert book.effective_from.year == 2000
    assert book.effective_from.utcoffset() is not None
    assert book.time_zone == "Asia/Shanghai"
