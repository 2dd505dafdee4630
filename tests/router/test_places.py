"""Which area a point lies in, and what is wrong with areas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from contracts.datum import to_gcj02
from contracts.envelope import Datum
from contracts.report import Position
from contracts.rulebook import Places as Document
from services.router.geometry import ground
from services.router.places import Places
from tests.district import BOOK, IN_EAST, IN_NORTH, IN_WEST, NOWHERE, area, document

PLACES = Places(BOOK.places)
Corner = tuple[float, float]


def area_at(lng: float, lat: float, places: Places = PLACES) -> str | None:
    found = places.area_of(Position(lng=lng, lat=lat))
    return found.code if found else None


def drawn(*features: dict[str, Any], **changes: Any) -> Document:
    """A places document of these areas."""
    return Document.model_validate({**document()["places"], "features": features, **changes})


def square(west: float, south: float, side: float = 1.0) -> list[list[float]]:
    """A ring, in hundredths of a degree from the corner of the district."""
    corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side), (0.0, 0.0)]
    return [[121 + (west + x) / 100, 29 + (south + y) / 100] for x, y in corners]


@pytest.mark.parametrize(
    ("position", "code"), [(IN_WEST, "a-west"), (IN_EAST, "b-east"), (IN_NORTH, "c-north")]
)
def test_a_point_inside_lies_in_its_area(position: Position, code: str) -> None:
    assert area_at(position.lng, position.lat) == code


@pytest.mark.parametrize(
    ("lng", "lat"),
    [(NOWHERE.lng, NOWHERE.lat), (121.0201, 29.005), (121.005, 28.9999), (-121.005, 29.005)],
)
def test_a_point_outside_lies_in_none(lng: float, lat: float) -> None:
    assert area_at(lng, lat) is None


def test_a_point_on_the_outer_border_lies_inside() -> None:
    assert area_at(121.0, 29.004) == "a-west"


def test_a_point_on_a_shared_border_lies_in_the_area_with_the_lower_code() -> None:
    assert area_at(121.01, 29.003) == "a-west"
    assert area_at(121.015, 29.01) == "b-east"
    assert area_at(121.01, 29.01) == "a-west"


def test_a_district_without_areas_places_nothing() -> None:
    assert area_at(121.005, 29.005, Places(drawn())) is None


NESTED = drawn(
    area("district", square(0, 0, 4), level="district"),
    area("west", square(0, 0, 2), level="street", parent="district"),
    area("grid-7", square(0, 0), level="grid"),
    area("grid-8", square(1, 1), level="grid"),
)


@pytest.mark.parametrize(
    ("lng", "lat", "chain"),
    [
        (121.005, 29.005, ("grid-7", "west", "district")),
        (121.015, 29.005, ("west", "district")),
        (121.035, 29.035, ("district",)),
        (121.01, 29.01, ("grid-7", "west", "district")),
        (121.5, 29.5, ()),
    ],
)
def test_a_point_is_told_the_smallest_area_and_what_that_is_part_of(
    lng: float, lat: float, chain: tuple[str, ...]
) -> None:
    places = Places(NESTED)
    assert places.chain(area_at(lng, lat, places)) == chain


def test_many_points_at_once_are_told_the_same_as_each_alone() -> None:
    places = Places(NESTED)
    points = [Position(lng=121 + x / 211, lat=29 + y / 223) for x in range(10) for y in range(10)]
    assert places.areas_of(points) == [places.area_of(point) for point in points]


def test_an_area_may_have_a_hole_and_be_of_several_parts() -> None:
    ring, island = square(0, 0, 3), square(5, 5)
    feature = area("a", ring)
    feature["geometry"] = {
        "type": "MultiPolygon",
        "coordinates": [[ring, square(1, 1)], [island]],
    }
    places = Places(drawn(feature))
    inside = [area_at(121.005, 29.005, places), area_at(121.055, 29.055, places)]
    assert inside == ["a", "a"]
    assert area_at(121.015, 29.015, places) is None


def test_areas_drawn_on_a_chinese_map_are_brought_to_the_datum_of_reports() -> None:
    def shifted(ring: list[list[float]]) -> list[list[float]]:
        points = [to_gcj02(Position(lng=x, lat=y)) for x, y in ring]
        return [[p.lng, p.lat] for p in points]

    west, east = shifted(square(0, 0)), shifted(square(1, 0))
    places = Places(drawn(area("w", west), area("e", east), datum=Datum.GCJ02))
    near_the_border = 121.0099
    assert area_at(near_the_border, 29.005, places) == "w"
    as_if_measured = Places(drawn(area("w", west), area("e", east)))
    assert area_at(near_the_border, 29.005, as_if_measured) != "e"
    assert area_at(121.0001, 29.005, as_if_measured) is None


def complaints(document: Document) -> list[str]:
    return [f"{flaw.severity} {flaw.path}: {flaw.reason}" for flaw in ground(document)]


def test_neighbours_that_share_a_border_are_no_flaw() -> None:
    assert complaints(BOOK.places) == []


def test_overlaps_are_reported_with_place_and_size() -> None:
    (said,) = complaints(drawn(area("a", square(0, 0)), area("b", square(0.9, 0))))
    assert said.startswith("warning features[a]: overlaps 'b' by 108,")
    assert "near 29.00500, 121.00950" in said


def test_ground_of_a_whole_that_no_part_has_is_reported() -> None:
    said = complaints(
        drawn(area("d", square(0, 0, 2), level="district"), area("s", square(0, 0), parent="d"))
    )
    (hole,) = said
    assert hole.startswith("warning features[d]: 3,2")
    assert "lie in none of its parts" in hole


def test_a_part_that_reaches_beyond_its_whole_is_reported() -> None:
    said = complaints(
        drawn(area("d", square(0, 0), level="district"), area("s", square(0, 0, 2), parent="d"))
    )
    assert ["reach" in complaint for complaint in said] == [True]


def test_a_gap_among_areas_that_are_part_of_nothing_is_reported() -> None:
    around = [(x, y) for x, y in product(range(3), range(3)) if (x, y) != (1, 1)]
    (gap,) = complaints(drawn(*(area(f"a{x}{y}", square(x, y)) for x, y in around)))
    assert "near 29.01500, 121.01500" in gap


def test_a_ring_that_crosses_itself_is_an_error() -> None:
    bow = [[121.0, 29.0], [121.01, 29.01], [121.01, 29.0], [121.0, 29.01], [121.0, 29.0]]
    (said,) = complaints(drawn(area("bow", bow)))
    assert said.startswith("error features[bow].geometry: not a shape: Self-intersection")


COLUMNS, ROWS, CELL = 4, 3, 0.01
EAST_END, NORTH_END = 121 + COLUMNS * CELL, 29 + ROWS * CELL


@st.composite
def districts(draw: st.DrawFn) -> dict[str, list[list[float]]]:
    """Twelve neighbours that share crooked borders and leave no ground between them."""
    crooked = st.floats(-0.3, 0.3)

    def corner(column: int, row: int) -> Corner:
        on_a_side = column in (0, COLUMNS), row in (0, ROWS)
        east, north = (0.0 if fixed else draw(crooked) for fixed in on_a_side)
        return 121 + (column + east) * CELL, 29 + (row + north) * CELL

    at = {(c, r): corner(c, r) for c in range(COLUMNS + 1) for r in range(ROWS + 1)}
    corners = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
    return {
        f"{c}-{r}": [list(at[c + x, r + y]) for x, y in corners]
        for c, r in product(range(COLUMNS), range(ROWS))
    }


@st.composite
def points(draw: st.DrawFn, rings: Sequence[list[list[float]]]) -> Position:
    """Anywhere near the district, and more often than chance would have it on a border."""
    anywhere = st.tuples(st.floats(120.99, EAST_END + 0.01), st.floats(28.99, NORTH_END + 0.01))
    ring = st.sampled_from(rings)
    corners = ring.flatmap(st.sampled_from)
    lng, lat = draw(st.one_of(anywhere, corners, ring.flatmap(_on_an_edge)))
    return Position(lng=lng, lat=lat)


def _on_an_edge(ring: list[list[float]]) -> st.SearchStrategy[Corner]:
    def between(edge: int, part: float) -> Corner:
        (x, y), (to_x, to_y) = ring[edge], ring[edge + 1]
        return x + part * (to_x - x), y + part * (to_y - y)

    return st.builds(between, st.integers(0, len(ring) - 2), st.floats(0, 1))


@given(st.data())
def test_a_point_lies_in_one_area_the_one_that_looking_at_each_finds(data: st.DataObject) -> None:
    rings = data.draw(districts())
    position = data.draw(points(list(rings.values())))
    point = Point(position.lng, position.lat)
    shapes = {code: Polygon(ring) for code, ring in rings.items()}
    places = Places(drawn(*(area(code, ring) for code, ring in rings.items())))

    found = places.area_of(position)

    touching = sorted(code for code, shape in shapes.items() if shape.intersects(point))
    assert (found.code if found else None) == (touching[0] if touching else None)
    assert sum(shape.contains(point) for shape in shapes.values()) <= 1
    in_the_district = 121 <= position.lng <= EAST_END and 29 <= position.lat <= NORTH_END
    assert (found is not None) is in_the_district
