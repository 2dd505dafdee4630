"""The rulebook that every new house starts with holds together and covers the pilot cities."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import combinations

import pytest
from shapely import Polygon

from contracts.case import UnitKind
from contracts.envelope import Datum
from contracts.rulebook import Area, AreaLevel, LimitUnit, ReportKind, Rulebook
from deploy.rulebooks import load_rulebook
from services.router.geometry import flaws_of
from services.router.places import shape_of
from services.router.rules import Rules

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


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


def shape(area: Area) -> Polygon:
    found = shape_of(area, Datum.WGS84)
    assert isinstance(found, Polygon)
    return found


def streets(book: Rulebook) -> list[Area]:
    return [area for area in book.areas if area.level is AreaLevel.STREET]


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


def test_it_holds_together_and_no_ground_is_overlapped_or_left_out(book: Rulebook) -> None:
    assert flaws_of(book) == []


def test_every_department_has_work_and_every_street_has_an_area(book: Rulebook) -> None:
    departments = {u.code for u in book.units if u.kind is UnitKind.DEPARTMENT}
    rules = Rules(book)
    answering = {
        rules.resolve(filed.accountable, "330299001", service=filed.service.code).unit
        for filed in rules.conditions.values()
    }
    assert {unit.code for unit in answering if unit} == departments
    offices = {u.code for u in book.units if u.kind is UnitKind.STREET}
    territory = {rules.resolve("street", area.code).unit for area in streets(book)}
    assert {unit.code for unit in territory if unit} == offices


def test_limits_and_points_are_of_a_size_that_people_believe(book: Rulebook) -> None:
    conditions = [c for service in book.services for c in service.conditions]
    assert all(1 <= c.limit.roughly / timedelta(hours=1) <= 120 for c in conditions)
    assert all(1 <= c.points <= 20 for c in conditions)


def test_one_kind_of_thing_has_conditions_with_limits_of_their_own(book: Rulebook) -> None:
    several = [service for service in book.services if len(service.conditions) > 1]
    assert len(several) >= 15
    cover = next(s for s in book.services if s.code == "manhole-broken")
    assert [str(c.limit) for c in cover.conditions] == [
        "4 work_hours",
        "2 work_days",
        "5 work_days",
    ]


def test_food_safety_has_its_four_check_items_and_asks_for_the_shop(book: Rulebook) -> None:
    food = [s for s in book.services if s.accountable == "market"]
    assert len(food) == 4
    assert all(s.default.questions[0].code == "shop" for s in food)


def test_needs_problems_and_opinions_are_no_hazards(book: Rulebook) -> None:
    kinds = {service.code: service.kind for service in book.services}
    assert [kinds[code] for code in ("rider-need", "problem", "opinion")] == [
        ReportKind.NEED,
        ReportKind.PROBLEM,
        ReportKind.OPINION,
    ]


def test_what_kills_tonight_goes_straight_to_its_department_within_hours(book: Rulebook) -> None:
    urgent = [s for s in book.services if s.first_holder is UnitKind.DEPARTMENT]
    assert {s.code for s in urgent} == {"fire-lane", "manhole-missing", "bare-wires"}
    for service in urgent:
        assert service.default.limit.unit is LimitUnit.URGENT_HOUR
        assert service.default.limit.amount <= 4


def test_orders_start_at_the_street_in_some_areas_and_at_the_department_in_others(
    book: Rulebook,
) -> None:
    rules = Rules(book)
    modes = Counter(rules.mode((area.code, "330299"))[0] for area in streets(book))
    assert modes == {UnitKind.STREET: 2, UnitKind.DEPARTMENT: 1}


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


def test_every_service_has_keywords_and_its_class_a_name_of_its_own(book: Rulebook) -> None:
    assert all(service.keywords for service in book.services)
    classes = [big.name for big in book.catalogue.big_classes]
    assert len({words.zh for words in classes}) == len({words.en for words in classes})
    assert len(classes) == len({words.en for words in classes})


def test_codes_of_areas_are_text_of_six_or_nine_digits(book: Rulebook) -> None:
    codes = [area.code for area in book.areas]
    assert all(len(code) in (6, 9) and code.isdigit() for code in codes)


def test_streets_are_real_shapes_in_one_piece_of_a_few_square_kilometres(book: Rulebook) -> None:
    for area in streets(book):
        polygon = shape(area)
        assert polygon.is_valid, area.code
        assert polygon.exterior.is_ccw, area.code
        assert 8 <= len(polygon.exterior.coords) - 1 <= 15, area.code
        assert polygon.area < 0.95 * polygon.minimum_rotated_rectangle.area, "a box"
        square_kilometres = polygon.area * 111.0 * 96.6
        assert 2 < square_kilometres < 10, area.code


def test_streets_share_their_borders_and_nothing_else(book: Rulebook) -> None:
    for one, other in combinations(map(shape, streets(book)), 2):
        common = one.intersection(other)
        assert common.area == 0
        assert common.length > 0.005, "neighbours along a line, not at a point"


def test_the_rules_are_in_force_since_long_before_any_report(book: Rulebook) -> None:
    for document in book.documents:
        assert document.effective_from.year == 2000
        assert document.effective_from.utcoffset() is not None
    assert book.label == "fengxi@1.1.1.1.1"
    assert book.time_zone == "Asia/Shanghai"
