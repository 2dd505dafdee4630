"""Which open case a report is about, and what another radius would gather."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Nearby
from contracts.report import Position
from contracts.rulebook import Duplicates, Rulebook
from services.router.duplicates import (
    Seen,
    around,
    clusters,
    largest,
    metres_between,
    original,
    twins,
)
from services.router.rules import Rules
from tests.district import document
from tests.given import NOON

RULE = Duplicates(radius_metres=30, window_hours=72)
HERE = Position(lat=29.77, lng=121.30)


def moved(north: float, east: float = 0.0, start: Position = HERE) -> Position:
    """So many metres away."""
    lat = start.lat + north / 111_195
    return Position(lat=lat, lng=start.lng + east / (111_195 * 0.868))


@pytest.mark.parametrize(
    ("north", "east", "metres"), [(0, 0, 0), (100, 0, 100), (0, 100, 100), (300, 400, 500)]
)
def test_metres_are_metres(north: float, east: float, metres: float) -> None:
    assert metres_between(HERE, moved(north, east)) == pytest.approx(metres, rel=0.005)


def test_half_the_world_is_half_the_world() -> None:
    there = Position(lat=-HERE.lat, lng=HERE.lng - 180)
    assert metres_between(HERE, there) == pytest.approx(20_015_115, rel=0.001)


positions = st.builds(Position, lat=st.floats(-80, 80), lng=st.floats(-179, 179))


@given(positions, st.floats(1, 5000), st.floats(0, 1), st.floats(0, 1))
def test_the_box_holds_everything_within_the_distance(
    at: Position, metres: float, lat_part: float, lng_part: float
) -> None:
    south, west, north, east = around(at, metres)
    point = Position(
        lat=min(90.0, max(-90.0, at.lat + (lat_part - 0.5) * 4 * (north - at.lat))),
        lng=min(180.0, max(-180.0, at.lng + (lng_part - 0.5) * 4 * (east - at.lng))),
    )
    if metres_between(at, point) <= metres * 0.99:
        assert south <= point.lat <= north
        assert west <= point.lng <= east


def case(case_id: str, position: Position, hours_ago: float) -> Nearby:
    at = NOON - timedelta(hours=hours_ago)
    return Nearby(case_id=case_id, condition="heap", position=position, opened_at=at)


def test_on_the_edge_of_radius_and_window_it_is_still_the_same_thing() -> None:
    edge = case("c-1", moved(29.99), 72)
    found = original("heap", HERE, NOON, [edge], RULE)
    assert found is not None
    assert (found.case.case_id, found.metres) == ("c-1", 30)


def test_what_was_opened_later_is_no_original() -> None:
    assert original("heap", HERE, NOON, [case("c-1", HERE, -1)], RULE) is None


def seen(report_id: str, position: Position, at: datetime, condition: str = "heap") -> Seen:
    return Seen(report_id, condition, position, at)


def test_reports_gather_under_the_first_of_them() -> None:
    reports = [seen(f"r-{n}", moved(4.9 * n), NOON + timedelta(hours=n)) for n in range(10)]
    joined = clusters(reports, {"heap": RULE})
    assert [joined[f"r-{n}"] for n in range(10)] == ["r-0"] * 7 + ["r-7"] * 3
    assert largest(joined) == [("r-0", 7), ("r-7", 3)]


def test_a_smaller_radius_gathers_less_and_a_shorter_window_too() -> None:
    reports = [seen(f"r-{n}", moved(5 * n), NOON + timedelta(hours=10 * n)) for n in range(6)]

    def cases(radius: int, window: int) -> int:
        rule = Duplicates(radius_metres=radius, window_hours=window)
        return len(set(clusters(reports, {"heap": rule}).values()))

    assert [cases(r, 72) for r in (4, 11, 30)] == [6, 2, 1]
    assert [cases(30, w) for w in (5, 20, 72)] == [6, 2, 1]


@given(
    st.lists(
        st.tuples(
            st.floats(-200, 200), st.floats(-200, 200), st.integers(0, 200), st.sampled_from("ab")
        ),
        max_size=40,
    ),
    st.integers(10, 80),
)
def test_gathering_by_cells_finds_what_looking_at_all_finds(
    told: list[tuple[float, float, int, str]], radius: int
) -> None:
    rule = Duplicates(radius_metres=radius, window_hours=48)
    reports = sorted(
        (
            seen(f"r-{n}", moved(north, east), NOON + timedelta(hours=hours), condition)
            for n, (north, east, hours, condition) in enumerate(told)
        ),
        key=lambda one: one.at,
    )
    firsts: list[Nearby] = []
    expected: dict[str, str] = {}
    for one in reports:
        match = original(one.condition, one.position, one.at, firsts, rule)
        expected[one.report_id] = match.case.case_id if match else one.report_id
        if match is None:
            firsts.append(
                Nearby(
                    case_id=one.report_id,
                    condition=one.condition,
                    position=one.position,
                    opened_at=one.at,
                )
            )
    assert clusters(reports, {"a": rule, "b": rule}) == expected


def side_by_side(case_id: str, seconds: float = 0, metres_north: float = 0) -> Nearby:
    opened_at = NOON + timedelta(seconds=seconds)
    return Nearby(case_id=case_id, condition="c", position=moved(metres_north), opened_at=opened_at)


def test_of_cases_opened_side_by_side_all_gather_under_the_first() -> None:
    first, second, third = (side_by_side(f"r-{n}", n, 4 * n) for n in range(3))
    found = [(third, second), (third, first), (second, first)]
    # the second is nearer to the third, but gathers itself
    assert twins(found, lambda _: RULE) == {"r-1": "r-0", "r-2": "r-0"}
    assert twins(found, lambda _: None) == {}


def test_what_only_looks_near_stays_by_itself() -> None:
    assert twins([(side_by_side("r-1", 1, 31), side_by_side("r-0"))], lambda _: RULE) == {}


def test_one_looks_as_far_as_the_widest_condition_of_all() -> None:
    given = document()
    worse = given["catalogue"]["services"][0]["conditions"][1]
    worse["duplicates"] = {"radius_metres": 150, "window_hours": 24}
    rules = Rules(Rulebook.model_validate(given))
    assert rules.widest == 150
    assert rules.same_thing("garbage-plain") == Duplicates()
    assert rules.same_thing("unheard-of") is None
