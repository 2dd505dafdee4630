"""Places in the log as people name them: a moment by the log's clock, a sequence, or now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, TypeAlias

import typer
from nats.js import JetStreamContext

from cli.running import Exit, Failure, run
from cli.session import open_session
from eventlog.asof import insist_on, sequence_at
from eventlog.read import head

TICK: Final = timedelta(microseconds=1)
Moment: TypeAlias = int | datetime | None
"""A sequence; a moment, without a zone where none was given; or now."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the log."""

    sequence: int
    """Of the last fact in it; 0 before the first."""
    recorded_at: datetime | None
    """When that fact was recorded."""
    head: int
    """Where the log ends now."""


def read_moment(text: str) -> Moment:
    """A sequence, an ISO 8601 moment, or `now`."""
    if text == "now":
        return None
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: neither a sequence, nor a moment such as 2026-05-03T14:05, nor 'now'"
        ) from None


async def place_of(log: JetStreamContext, when: Moment, zone: tzinfo) -> Place:
    """Where the log stood then. A moment without a zone is one of the district."""
    end = await head(log)
    match when:
        case None:
            sequence = end
        case datetime():
            sequence = await sequence_at(log, in_zone(when, zone))
        case _:
            sequence = when
            if sequence > end:
                raise Failure(f"the log ends at sequence {end}", Exit.WRONG_INPUT)
    recorded = (await insist_on(log, sequence)).recorded_at if sequence else None
    return Place(sequence, recorded, end)


async def first_from(log: JetStreamContext, when: Moment, zone: tzinfo) -> int:
    """The sequence of the first fact recorded at a moment or later; behind the end: the next one.

    A sequence is itself; 0 is taken for the first.
    """
    match when:
        case datetime():
            return await sequence_at(log, in_zone(when, zone) - TICK) + 1
        case int():
            return max(1, when)
        case _:
            return await head(log) + 1


def in_zone(when: datetime, zone: tzinfo) -> datetime:
    """The moment, in the zone where it says none. What has not happened yet is not known."""
    moment = when if when.tzinfo is not None else when.replace(tzinfo=zone)
    if moment > datetime.now(UTC):
        raise Failure(f"{moment.isoformat()} has not been yet", Exit.WRONG_INPUT)
    return moment


def local_moment(text: str, option: str, data: Path, *, as_json: bool) -> datetime:
    """The moment or day that an option means, in the district's time where it has no zone.

    Unlike a place in the log it may well be still to come.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text!r}: write it as 2026-11-25T18:00") from None
    return moment if moment.tzinfo is not None else run(_in_district(moment, data, as_json))


async def _in_district(moment: datetime, data: Path, as_json: bool) -> datetime:
    async with open_session(data, quiet=as_json) as session:
        return moment.replace(tzinfo=await session.zone())
