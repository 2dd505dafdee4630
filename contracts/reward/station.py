"""Stations: places where riders rest, charge, drink, and pick up what they have redeemed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from contracts.envelope import Command, Fact, Id, PartyId
from contracts.report import Position
from contracts.reward.words import StationClass, StationId
from contracts.rulebook.calendar import Weekday
from contracts.rulebook.parts import Named

Start = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
End = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class Opening(BaseModel):
    """From one time of a day to another; an end that is not after the start is past midnight.

    In a file also `18:00-02:00`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Start
    end: End


def _opening(value: Any) -> Any:
    if isinstance(value, str):
        start, _, end = value.partition("-")
        return {"start": start.strip(), "end": end.strip()}
    return value


Openings = tuple[Annotated[Opening, BeforeValidator(_opening)], ...]


class Place(BaseModel):
    """What is known of a station."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Named
    address: Named | None = None
    station_class: StationClass
    position: Position
    area: Id | None = None
    facilities: tuple[Id, ...] = ()
    """Codes of the district: `water`, `charging`, `microwave`, `first-aid`, ..."""
    hours: dict[Weekday, Openings] = Field(default_factory=dict)
    """A day that is not named is closed."""
    always_open: bool = False
    closed_on: tuple[date, ...] = ()
    capacity: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many can rest there at a time."""
    keeper: PartyId | None = None
    """Whose credential takes the codes of what is picked up there."""


class OpenStation(Command, room="points"):
    """Put a station on the map."""

    reward_id: StationId
    place: Place


class ChangeStation(Command, room="points"):
    """What is known of it from now on."""

    reward_id: StationId
    place: Place


class CloseStation(Command, room="points"):
    """Take it off the map."""

    reward_id: StationId


class StationOpened(Fact, stream="reward"):
    """The station is on the map. Its position is in WGS-84."""

    reward_id: StationId
    place: Place
    by: PartyId


class StationChanged(Fact, stream="reward"):
    """This is known of it from now on."""

    reward_id: StationId
    place: Place
    by: PartyId


class StationClosed(Fact, stream="reward"):
    """The station is off the map."""

    reward_id: StationId
    by: PartyId
