"""Stations on the map: which are open, which is nearest, and all of them as GeoJSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final

from contracts.report import Position
from contracts.reward import Opening, Place
from contracts.rulebook.calendar import WEEKDAYS

EARTH: Final = 6_371_008.8
"""Mean radius, metres."""
DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Found:
    """A station, how far it is, and whether it is open."""

    station_id: str
    place: Place
    metres: int
    is_open: bool


def is_open(place: Place, at: datetime, zone: tzinfo) -> bool:
    """Whether a station is open at a moment, by its own hours in the time of the district.

    A night that begins on an open day belongs to that day, also past midnight.
    """
    local = at.astimezone(zone)
    today, minute = local.date(), local.hour * 60 + local.minute
    if place.always_open:
        return today not in place.closed_on
    yesterday = today - timedelta(days=1)
    return any(start <= minute < end for start, end in _spans(place, today)) or any(
        minute + DAY < end for _, end in _spans(place, yesterday)
    )


def _spans(place: Place, day: date) -> Iterator[tuple[int, int]]:
    """From which minute of the day to which; past midnight the minutes go on."""
    if day in place.closed_on:
        return
    for opening in place.hours.get(WEEKDAYS[day.weekday()], ()):
        start, end = _minute(opening.start), _minute(opening.end)
        yield start, end if end > start else end + DAY


def _minute(of_day: str) -> int:
    hours, _, minutes = of_day.partition(":")
    return int(hours) * 60 + int(minutes)


def nearest(
    stations: Iterable[tuple[str, Place]],
    here: Position,
    at: datetime,
    zone: tzinfo,
    *,
    facilities: Iterable[str] = (),
    also_closed: bool = False,
) -> list[Found]:
    """The stations that are open and have these facilities, the nearest first.

    `here` is in WGS-84, as stations are.
    """
    wanted = set(facilities)
    found = [
        Found(station_id, place, metres_between(here, place.position), is_open(place, at, zone))
        for station_id, place in stations
        if wanted <= set(place.facilities)
    ]
    return sorted(
        (one for one in found if one.is_open or also_closed),
        key=lambda one: (one.metres, one.station_id),
    )


def metres_between(one: Position, other: Position) -> int:
    """The way as the crow flies, by the haversine of a sphere."""
    lat, other_lat = radians(one.lat), radians(other.lat)
    half = sin((other_lat - lat) / 2) ** 2
    half += cos(lat) * cos(other_lat) * sin(radians(other.lng - one.lng) / 2) ** 2
    return round(2 * EARTH * asin(min(1.0, sqrt(half))))


def geojson(stations: Iterable[tuple[str, Place]], at: datetime, zone: tzinfo) -> dict[str, Any]:
    """All of them as a FeatureCollection (RFC 7946): longitude first, WGS-84."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": station_id,
                "geometry": {
                    "type": "Point",
                    "coordinates": [place.position.lng, place.position.lat],
                },
                "properties": _properties(place) | {"open": is_open(place, at, zone)},
            }
            for station_id, place in stations
        ],
    }


def _properties(place: Place) -> dict[str, Any]:
    return {
        "name": place.name.model_dump(),
        "address": place.address.model_dump() if place.address else None,
        "class": str(place.station_class),
        "area": place.area,
        "facilities": list(place.facilities),
        "hours": "always" if place.always_open else hours_in_words(place.hours),
        "capacity": place.capacity,
        "keeper": place.keeper,
    }


def hours_in_words(hours: Mapping[Any, tuple[Opening, ...]]) -> dict[str, str]:
    """The hours of each day on which a station is open: `08:00-12:00, 14:00-22:00`."""
    return {
        day: ", ".join(f"{opening.start}-{opening.end}" for opening in hours[day])
        for day in WEEKDAYS
        if hours.get(day)
    }
