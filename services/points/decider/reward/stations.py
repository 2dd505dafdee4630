"""Stations on the map, decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.datum import to_wgs84
from contracts.envelope import Fact, Issued, Refused
from contracts.reward import (
    ChangeStation,
    CloseStation,
    OpenStation,
    Place,
    StationChanged,
    StationClosed,
    StationOpened,
    StoreRefusal,
)
from services.points.decider.reward.counter import Counter, no
from services.points.decider.reward.state import Things


def open_one(issued: Issued[OpenStation], things: Things, counter: Counter) -> Sequence[Fact]:
    """Put a station on the map; one that was taken off may come back."""
    counter.insist_on_officer(issued)
    said, station = issued.command, things.station(issued.command.reward_id)
    place = _standing_at(said.place, counter)
    if station.there:
        if station.place == place:
            return []
        detail = "a station of this id is there; change it, or use a new id"
        raise Refused(no(StoreRefusal.EXISTS_ALREADY, detail, "reward_id"))
    return [StationOpened(reward_id=said.reward_id, place=place, by=issued.actor)]


def change(issued: Issued[ChangeStation], things: Things, counter: Counter) -> Sequence[Fact]:
    """What is known of it from now on."""
    counter.insist_on_officer(issued)
    said, station = issued.command, things.station(issued.command.reward_id)
    if not station.there:
        raise Refused(no(StoreRefusal.UNKNOWN_STATION, "there is no such station", "reward_id"))
    place = _standing_at(said.place, counter)
    if station.place == place:
        return []
    return [StationChanged(reward_id=said.reward_id, place=place, by=issued.actor)]


def close(issued: Issued[CloseStation], things: Things, counter: Counter) -> Sequence[Fact]:
    """Take it off the map."""
    counter.insist_on_officer(issued)
    station = things.station(issued.command.reward_id)
    if station.closed:
        return []
    if not station.there:
        raise Refused(no(StoreRefusal.UNKNOWN_STATION, "there is no such station", "reward_id"))
    return [StationClosed(reward_id=issued.command.reward_id, by=issued.actor)]


def _standing_at(place: Place, counter: Counter) -> Place:
    """The place with its position in WGS-84."""
    if place.area is not None and place.area not in {area.code for area in counter.book.areas}:
        detail = f"the rulebook {counter.book.label} has no area {place.area}"
        raise Refused(no(StoreRefusal.NOT_THERE, detail, "place.area"))
    return place.model_copy(update={"position": to_wgs84(place.position)})
