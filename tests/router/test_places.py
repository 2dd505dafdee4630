"""Which area a point lies in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from contracts.envelope import Words
from contracts.report import Position
from contracts.rulebook import Area
from services.router.places import Places
from tests.district import BOOK, IN_EAST, IN_NORTH, IN_WEST, NOWHERE, WEST

PLACES = Places(BOOK)


def area_at(lng: float, lat: float) -> str | None:
    area = PLACES.area_of(Position(lng=lng, lat=lat))
    return area.code if area else None


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


def test_a_corner_of_three_areas_lies_in_the_one_with_the_lowest_code() -> None:
    assert area_at(121.01, 29.01) == "a-west"


def test_the_order_of_areas_in_the_rulebook_makes_no_difference() -> None:
    backwards = Places(BOOK.model_copy(update={"areas": BOOK.areas[::-1]}))
    corner = Position(lng=121.01, lat=29.01)
    assert backwards.area_of(corner) == PLACES.area_of(corner)


def test_a_district_without_areas_places_nothing() -> None:
    assert Places(BOOK.model_copy(update={"areas": ()})).area_of(IN_WEST) is None


COLUMNS, ROWS, CELL = 4, 3, 0.01
EAST_END, NORTH_END = 121 + COLUMNS * CELL, 29 + ROWS * CELL


@st.composite
def districts(draw: st.DrawFn) -> tuple[Area, ...]:
    """Twelve neighbours that share crooked borders and leave no ground between them."""
    crooked = st.floats(-0.3, 0.3)

    def corner(column: int, row: int) -> tuple[float, float]:
        on_a_side = column in (0, COLUMNS), row in (0, ROWS)
        east, north = (0.0 if fixed else draw(crooked) for fixed in on_a_side)
        return 121 + (column + east) * CELL, 29 + (row + north) * CELL

    at = {(c, r): corner(c, r) for c in range(COLUMNS + 1) for r in range(ROWS + 1)}
    return tuple(
        _area(f"{c}-{r}", [at[c, r], at[c + 1, r], at[c + 1, r + 1], at[c, r + 1]])
        for c, r in product(range(COLUMNS), range(ROWS))
    )


def _area(code: str, corners: Sequence[tuple[float, float]]) -> Area:
    ring = (*corners, corners[0])
    return Area(code=code, name=Words(zh=code, en=code), street=WEST, polygon=ring)


@st.composite
def points(draw: st.DrawFn, areas: tuple[Area, ...]) -> Position:
    """Anywhere near the district, and more often than chance would have it on a border."""
    anywhere = st.tuples(st.floats(120.99, EAST_END + 0.01), st.floats(28.99, NORTH_END + 0.01))
    ring = st.sampled_from([area.polygon for area in areas])
    corners = ring.flatmap(st.sampled_from)
    lng, lat = draw(st.one_of(anywhere, corners, ring.flatmap(_on_an_edge)))
    return Position(lng=lng, lat=lat)


def _on_an_edge(ring: Sequence[tuple[float, float]]) -> st.SearchStrategy[tuple[float, float]]:
    def between(edge: int, part: float) -> tuple[float, float]:
        (x, y), (to_x, to_y) = ring[edge], ring[edge + 1]
        return x + part * (to_x - x), y + part * (to_y - y)

    return st.builds(between, st.integers(0, len(ring) - 2), st.floats(0, 1))


@given(st.data())
def test_a_point_lies_in_one_area_the_one_that_looking_at_each_finds(data: st.DataObject) -> None:
    areas = data.draw(districts())
    position = data.draw(points(areas))
    point = Point(position.lng, position.lat)
    shapes = {area.code: Polygon(area.polygon) for area in areas}

    found = Places(BOOK.model_copy(update={"areas": areas})).area_of(position)

    touching = sorted(code for code, shape in shapes.items() if shape.intersects(point))
    assert (found.code if found else None) == (touching[0] if touching else None)
    assert sum(shape.contains(point) for shape in shapes.values()) <= 1
    in_the_district = 121 <= position.lng <= EAST_END and 29 <= position.lat <= NORTH_END
    assert (found is not None) is in_the_district
