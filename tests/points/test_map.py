"""Stations: open or not, near or far, and on a map."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from contracts.report import Position
from contracts.reward import Opening, Place
from services.points.map import geojson, is_open, metres_between, nearest
from tests.given import CHINA
from tests.points.store import PLACE

FRIDAY = date(2026, 11, 27)


def at(hour: int, minute: int = 0, day: date = FRIDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHINA)


def place(lat: float = 29.77, lng: float = 121.30, **changes: Any) -> Place:
    return Place.model_validate(
        PLACE.model_dump() | {"position": {"lat": lat, "lng": lng}, "always_open": False} | changes
    )


@pytest.mark.parametrize(
    ("hours", "moment", "opened"),
    [
        ({"fri": ["08:00-22:00"]}, at(8), True),
        ({"fri": ["08:00-22:00"]}, at(7, 59), False),
        ({"fri": ["08:00-22:00"]}, at(22), False),
        ({"fri": ["08:00-12:00", "14:00-18:00"]}, at(13), False),
        ({"fri": ["08:00-12:00", "14:00-18:00"]}, at(14), True),
        ({"sat": ["08:00-22:00"]}, at(9), False),
        ({"fri": ["18:00-24:00"]}, at(23, 59), True),
        ({"fri": ["22:00-02:00"]}, at(23), True),
        ({"thu": ["22:00-02:00"]}, at(1, 59), True),
        ({"thu": ["22:00-02:00"]}, at(2), False),
        ({"fri": ["22:00-02:00"]}, at(1), False),
        ({}, at(12), False),
    ],
)
def test_a_station_is_open_in_its_hours(
    hours: dict[str, list[str]], moment: datetime, opened: bool
) -> None:
    assert is_open(place(hours=hours), moment, CHINA) is opened


def test_a_day_off_is_a_day_off() -> None:
    off: dict[str, Any] = {"closed_on": [FRIDAY]}
    assert not is_open(place(always_open=True, **off), at(12), CHINA)
    assert not is_open(place(hours={"fri": ["08:00-22:00"]}, **off), at(12), CHINA)
    night = place(hours={"fri": ["22:00-02:00"]}, **off)
    assert not is_open(night, at(1, day=FRIDAY + timedelta(days=1)), CHINA)


def test_hours_are_read_in_the_time_of_the_district() -> None:
    in_utc = at(8).astimezone(tz=None)
    assert is_open(place(hours={"fri": ["08:00-22:00"]}), in_utc, CHINA)


STATIONS = [
    ("stop-far", place(29.80, 121.30, always_open=True, facilities=["water", "charging"])),
    ("stop-near", place(29.771, 121.30, always_open=True, facilities=["water"])),
    ("stop-shut", place(29.7701, 121.30)),
]
HERE = Position(lat=29.77, lng=121.30)


def test_the_nearest_open_station_comes_first() -> None:
    found = nearest(STATIONS, HERE, at(12), CHINA)
    assert [one.station_id for one in found] == ["stop-near", "stop-far"]
    assert found[0].metres == 111


def test_one_can_ask_for_what_it_offers_and_for_closed_ones_too() -> None:
    charging = nearest(STATIONS, HERE, at(12), CHINA, facilities=["charging"])
    assert [one.station_id for one in charging] == ["stop-far"]
    every = nearest(STATIONS, HERE, at(12), CHINA, also_closed=True)
    assert (every[0].station_id, every[0].is_open) == ("stop-shut", False)


def test_a_map_has_the_longitude_first() -> None:
    features = geojson(STATIONS, at(12), CHINA)["features"]
    assert [feature["id"] for feature in features] == ["stop-far", "stop-near", "stop-shut"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [121.30, 29.80]}
    assert [feature["properties"]["open"] for feature in features] == [True, True, False]


DEGREES = st.tuples(st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)).map(
    lambda of: Position(lat=of[0], lng=of[1])
)


@for_all(DEGREES, DEGREES)
def test_the_way_there_is_as_long_as_the_way_back(one: Position, other: Position) -> None:
    assert metres_between(one, other) == metres_between(other, one)
    assert metres_between(one, one) == 0
    assert 0 <= metres_between(one, other) <= 20_016_000


@pytest.mark.parametrize("text", ["8:00-9:00", "25:00-26:00", "08:00", "08:00-24:30"])
def test_hours_that_are_no_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours|start|end"):
        place(hours={"fri": [text]})
    assert Opening(start="08:00", end="24:00").end == "24:00"
