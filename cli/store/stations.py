"""`waggle station`: where riders rest, charge, drink, and pick up what they redeemed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from cli.printing import in_words, print_json, print_table, say
from cli.running import Failure, run
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.store.counter import Errand, LanguageOption, OfficerOption, as_rows, officer, shown
from contracts.datum import to_wgs84
from contracts.envelope import Datum
from contracts.report import Position
from contracts.reward import ChangeStation, CloseStation, OpenStation, Place
from deploy.house import OFFICER
from eventlog.receiving import problems
from services.points.map import geojson, is_open, nearest
from services.points.tables.shelf import StationRow

app = typer.Typer(
    help="Stations: class, facilities, hours, and the way there.", no_args_is_help=True
)
StationArgument = Annotated[
    str, typer.Argument(metavar="STATION", help="The station's id: stop-...")
]
FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, help="What is known of it."),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="ISO 8601 with its zone; now where not given."),
]


@app.command("open")
def open_(
    station: StationArgument,
    file: FileArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put a station on the map.

    The file has name, station_class (first, second, point), position, hours
    by day (mon: [08:00-22:00]) or always_open, facilities, capacity, keeper.

    Examples:
      waggle station open stop-taoyuan taoyuan.yaml
    """
    command = build(OpenStation, reward_id=station, place=_read(file))
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def change(
    station: StationArgument,
    file: FileArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say anew all that is known of a station.

    Examples:
      waggle station change stop-taoyuan taoyuan.yaml
    """
    command = build(ChangeStation, reward_id=station, place=_read(file))
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def close(
    station: StationArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a station off the map.

    Examples:
      waggle station close stop-taoyuan
    """
    Errand(party, command_id, data, as_json).run(build(CloseStation, reward_id=station), officer)


@app.command("nearest")
def nearest_(
    lat: Annotated[float, typer.Option(help="Latitude in degrees.")],
    lng: Annotated[float, typer.Option(help="Longitude in degrees.")],
    datum: Annotated[Datum, typer.Option(help="What they were measured in.")] = Datum.WGS84,
    at: AtOption = None,
    facility: Annotated[
        list[str] | None, typer.Option("--with", help="A facility it must have; again for more.")
    ] = None,
    also_closed: Annotated[
        bool, typer.Option("--also-closed", help="Those that are closed then, too.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="How many.")] = 5,
    language: LanguageOption = "zh",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """The stations that are open, the nearest first; as the crow flies. Exit code 1 for none.

    Examples:
      waggle station nearest --lat 29.7712 --lng 121.3034
      waggle station nearest --lat 29.7712 --lng 121.3034 --at 2026-11-27T23:30:00+08:00
      waggle station nearest --lat 29.7712 --lng 121.3034 --with charging --json
    """
    here = build(Position, lat=lat, lng=lng, datum=datum)
    run(
        _nearest(
            to_wgs84(here), _moment(at), facility or [], also_closed, most, language, data, as_json
        )
    )


async def _nearest(
    here: Position,
    at: datetime,
    facilities: list[str],
    also_closed: bool,
    most: int,
    language: str,
    data: Path,
    as_json: bool,
) -> None:
    async with open_session(data, quiet=as_json) as session:
        found = nearest(
            await places(session),
            here,
            at,
            await session.zone(),
            facilities=facilities,
            also_closed=also_closed,
        )[:most]
        if as_json:
            print_json(
                {
                    "at": at,
                    "stations": [
                        {
                            "station_id": one.station_id,
                            "metres": one.metres,
                            "open": one.is_open,
                            "place": one.place.model_dump(mode="json"),
                        }
                        for one in found
                    ],
                }
            )
        elif found:
            rows = [
                (
                    one.metres,
                    one.station_id,
                    one.place.name.read_in(language),
                    "open" if one.is_open else "closed",
                    ", ".join(one.place.facilities),
                )
                for one in found
            ]
            print_table(("metres", "station", "name", "", "facilities"), rows)
        if not found:
            raise Failure("no station is open then that has all that")


@app.command("list")
def list_(
    at: AtOption = None,
    language: LanguageOption = "zh",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Every station on the map.

    Examples:
      waggle station list
    """
    run(_list(_moment(at), language, data, as_json))


async def _list(at: datetime, language: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        zone, found = await session.zone(), await places(session)
        if as_json:
            print_json(
                {
                    "stations": [
                        {
                            "station_id": station_id,
                            "open": is_open(place, at, zone),
                            "place": place.model_dump(mode="json"),
                        }
                        for station_id, place in found
                    ]
                }
            )
            return
        if not found:
            say("no stations; `waggle store load` puts the built-in ones on the map")
            return
        rows = [
            (
                station_id,
                place.name.read_in(language),
                place.station_class,
                place.capacity,
                "open" if is_open(place, at, zone) else "closed",
                ", ".join(place.facilities),
            )
            for station_id, place in found
        ]
        print_table(("station", "name", "class", "capacity", "", "facilities"), rows)


@app.command("map")
def map_(
    at: AtOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Every station as GeoJSON (RFC 7946), for any map.

    Examples:
      waggle station map > stations.geojson
    """
    run(_map(_moment(at), data, as_json))


async def _map(at: datetime, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        print_json(geojson(await places(session), at, await session.zone()))


async def places(session: Session) -> list[tuple[str, Place]]:
    """Every station on the map, by its id."""
    tables = await shown(session)
    records = await tables.fetch("SELECT * FROM store.station WHERE NOT closed ORDER BY station_id")
    return [(row.station_id, row.place) for row in as_rows(StationRow, records)]


def _read(file: Path) -> Any:
    try:
        return Place.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except ValidationError as error:
        told = "; ".join(map(in_words, problems(error)))
        raise typer.BadParameter(f"{file}: {told}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}") from error


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise typer.BadParameter(
            f"--at {at!r}: ISO 8601, such as 2026-11-27T23:30+08:00"
        ) from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"--at {at!r}: say the zone, such as +08:00")
    return moment
