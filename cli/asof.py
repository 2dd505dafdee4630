"""`waggle asof`: every table, or what concerns one report, rider or unit, as it was then."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final

import asyncpg
import typer
from nats.js import JetStreamContext
from pydantic import BaseModel
from rich.progress import Progress, TaskID

from cli.door import AsOption, Door, NatsOption, SeedOption, Way, open_door
from cli.look import PERSONAL
from cli.moments import Moment, place_of, read_moment
from cli.printing import moment, note, print_json, print_table, progress_bar, say
from cli.running import Exit, Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.case import Step
from deploy.projections import PROJECTIONS
from eventlog import asof
from eventlog.checkpoint import LogLost
from eventlog.columns import IDENTIFIER
from eventlog.projection import Projection, Table, Unfoldable
from eventlog.rebuild import Build, RebuildStopped

HELD: Final = frozenset(
    {Step.CHECKING, Step.DISPATCHED, Step.HANDLING, Step.SUSPENDED, Step.RESOLVED}
)
"""The steps in which a unit has work."""
WIDE: Final = 6
"""Columns of a table that people are shown; programs get all."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Rows that were asked for: of one table, all or those with a value in a column."""

    projection: Projection
    table: Table[Any]
    column: str | None = None
    value: str | None = None

    @property
    def name(self) -> str:
        """The table as SQL names it."""
        return f"{self.projection.name}.{self.table.name}"

    @property
    def is_of_one(self) -> bool:
        """Whether the facts of one stream id are enough to know them."""
        return self.table.stream is not None and self.column == self.table.key[0]


def command(
    when: Annotated[
        str,
        typer.Argument(
            metavar="TIME|SEQ",
            help="A moment, by the log's clock (2026-05-03T14:05, in the district's time zone where"
            " none is given); a sequence of the log; or 'now'.",
        ),
    ],
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT", help="report, rider, department, or a table such as router.case."
        ),
    ] = None,
    of: Annotated[
        str | None, typer.Argument(metavar="ID", help="Whose rows: the first part of the key.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="SCHEMA", help="Let the tables stay: SCHEMA_<projection>."),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Fold the whole log also where one stream id is enough."),
    ] = False,
    party: AsOption = None,
    url: NatsOption = None,
    seed: SeedOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Every table as it was then, folded again from the log; nothing live is touched.

    Without WHAT, every table in schemas of their own, counted and digested,
    then dropped; --keep lets them stay, for SQL. With `report`, `rider` or
    `department` and an ID, the rows that concern it. Rows that follow from one
    stream id are folded from that one alone, with the same answer.

    Examples:
      waggle asof 2026-05-03T14:05
      waggle asof 1200 --keep may --json
      waggle asof 1200 report 01JD2Q8Z7N4X0V5M3K9R6T1W8C
      waggle asof 2026-05-03T14:05+08:00 department sanitation --json
      waggle asof now points.passbook rider-01 --whole
    """
    picks = picked(what, of)
    if keep is not None:
        if picks:
            raise typer.BadParameter("--keep is for all tables: leave WHAT out")
        insist_on_name(keep)
    way = Way(data, party, url, seed)
    run(_asof(read_moment(when), what, of, picks, keep, whole, way, as_json))


def picked(what: str | None, of: str | None) -> list[Pick]:
    """The rows that are asked for; none where it is everything."""
    match what:
        case None:
            return []
        case "report" | "rider" | "department":
            if of is None:
                raise typer.BadParameter(f"which {what}? Give its id")
            return list(_concerning(what, token(of, "id")))
        case table:
            found = _table(table)
            column = found.table.key[0] if of is not None else None
            return [Pick(found.projection, found.table, column, of)]


def _concerning(what: str, value: str) -> list[Pick]:
    tables = [(p, t, {f.name for f in fields(t.row)}) for p in PROJECTIONS for t in p.tables]
    match what:
        case "report":  # a case has the id of the report that opened it
            wanted = (("report", "report_id"), ("case", "case_id"))
            return [
                Pick(p, t, column, value)
                for stream, column in wanted
                for p, t, _ in tables
                if t.stream == stream and t.key[0] == column
            ]
        case "rider":
            return [Pick(p, t, "rider_id", value) for p, t, _ in tables if t.key[0] == "rider_id"]
        case _:
            return [
                Pick(p, t, "unit", value)
                for p, t, columns in tables
                if {"unit", "step"} <= columns and t.stream == "case"
            ]


def _table(name: str) -> Pick:
    known = {f"{p.name}.{t.name}": Pick(p, t) for p in PROJECTIONS for t in p.tables}
    short = [pick for full, pick in known.items() if name in (full, full.partition(".")[2])]
    if len(short) != 1:
        raise typer.BadParameter(f"no table {name!r}; there are {', '.join(known)}")
    return short[0]


def insist_on_name(schema: str) -> None:
    """Refuse a name that tables of ours, or of somebody else, already have."""
    taken = [p.name for p in PROJECTIONS]
    wrong = not IDENTIFIER.fullmatch(schema) or schema.startswith((asof.PREFIX, "pg_"))
    if wrong or schema in taken:
        raise typer.BadParameter(
            f"--keep {schema!r}: lower-case letters, digits and '_', at most 48, not beginning with"
            f" '{asof.PREFIX}' or 'pg_', and none of {', '.join(taken)}"
        )


async def _asof(
    when: Moment,
    what: str | None,
    of: str | None,
    picks: Sequence[Pick],
    schema: str | None,
    whole: bool,
    way: Way,
    as_json: bool,
) -> None:
    async with open_door(way, quiet=as_json) as door:
        zone = door.zone
        place = await place_of(door.js, when, zone)
        document: dict[str, Any] = {
            "sequence": place.sequence,
            "recorded_at": place.recorded_at,
            "head": place.head,
        }
        try:
            if not picks:
                document["projections"] = await _everything(door, place.sequence, schema)
            else:
                rows = await _rows(door, place.sequence, picks, whole)
                document |= {"what": what, "id": of, "rows": rows}
        except (RebuildStopped, LogLost, Unfoldable) as error:
            raise Failure(str(error)) from error
        if as_json:
            print_json(document)
            return
        at = moment(place.recorded_at, zone) or "before the first fact"
        say(f"as of sequence {place.sequence} of {place.head}, recorded {at}", "bold")
        if picks:
            _print_rows(document["rows"], zone)
        else:
            _print_projections(document["projections"])


async def _database(door: Door) -> asyncpg.Pool:
    """Where tables can be folded; tidied of what others have left behind."""
    if door.session is None:
        raise Failure(
            "there is no database to fold tables in: ask for a report, a rider, or one row of a"
            " table; or for everything in the house itself",
            Exit.WRONG_INPUT,
        )
    pool = await door.session.owned_tables()
    await asof.sweep(pool)
    return pool


async def _everything(door: Door, sequence: int, schema: str | None) -> list[dict[str, Any]]:
    """Fold every projection to there; what it came to."""
    pool = await _database(door)
    kept: list[str] = []
    if schema is not None:
        await _insist_on_room(pool, schema)
    done: list[dict[str, Any]] = []
    try:
        with progress_bar() as progress:
            for projection in PROJECTIONS:
                began = time.monotonic()
                told = _telling(progress, projection.name)
                async with asof.as_of(projection, door.js, pool, sequence, progress=told) as build:
                    one = await _counted(build)
                    if schema is not None:
                        name = f"{schema}_{projection.name}"
                        await asof.keep(build, name)
                        kept.append(name)
                        one["schema"] = name
                done.append(one | {"seconds": round(time.monotonic() - began, 3)})
    except BaseException:
        async with pool.acquire() as connection:
            for name in kept:  # all of them or none
                await asof.drop(connection, name)
        raise
    return done


async def _insist_on_room(pool: asyncpg.Pool, schema: str) -> None:
    wanted = [f"{schema}_{projection.name}" for projection in PROJECTIONS]
    there = await pool.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1::text[])", wanted
    )
    if there:
        names = ", ".join(sorted(row[0] for row in there))
        raise Failure(f"there is a schema of that name: {names}; drop it, or choose another name")


def _telling(progress: Progress, name: str) -> Any:
    bar: TaskID = progress.add_task(name, total=None, told="")

    def reached(sequence: int, end: int) -> None:
        progress.update(bar, completed=sequence, total=end, told=f"{sequence:,} of {end:,}")

    return reached


async def _counted(build: Build) -> dict[str, Any]:
    async with build.connection.transaction():
        digest = await build.schema.digest(build.connection)
    return {
        "name": build.projection.name,
        "facts": build.checkpoint.facts,
        "rows": digest.rows,
        "digest": digest.sha256,
    }


async def _rows(
    door: Door, sequence: int, picks: Sequence[Pick], whole: bool
) -> dict[str, list[dict[str, Any]]]:
    """The rows of each pick, by table."""
    found: dict[str, list[Any]] = {}
    if not whole:
        for pick in picks:
            if pick.is_of_one:
                found[pick.name] = await one_by_one(door.js, sequence, pick)
    left = [pick for pick in picks if pick.name not in found]
    if left:
        pool = await _database(door)
        with progress_bar() as progress:
            for projection in dict.fromkeys(pick.projection.name for pick in left):
                of = [pick for pick in left if pick.projection.name == projection]
                told = _telling(progress, projection)
                async with asof.as_of(
                    of[0].projection, door.js, pool, sequence, progress=told
                ) as build:
                    for pick in of:
                        found[pick.name] = await asof.rows_where(
                            build, pick.table, pick.column, pick.value
                        )
    return {pick.name: [shown(row) for row in _open(pick, found[pick.name])] for pick in picks}


async def one_by_one(log: JetStreamContext, sequence: int, pick: Pick) -> list[Any]:
    """The rows of a pick by the facts of one stream id."""
    key = str(pick.value)
    rows = await asof.rows_of_one(pick.projection, pick.table, log, key, sequence)
    return asof.concerned(pick.table, rows, str(pick.column), key)


def _open(pick: Pick, rows: Sequence[Any]) -> list[Any]:
    """Of a unit only the work that it has."""
    return [row for row in rows if row.step in HELD] if pick.column == "unit" else list(rows)


def shown(row: Any) -> dict[str, Any]:
    """A row for programs and people. What is personal stays sealed, and out of sight.

    Moments are told in UTC, as PostgreSQL gives them, whatever zone a fact named.
    """
    values = {f.name: getattr(row, f.name) for f in fields(row) if f.name not in PERSONAL}
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _print_projections(projections: Sequence[Mapping[str, Any]]) -> None:
    columns = ("name", "facts", "rows", "seconds", "digest", "schema")
    rows = [
        [one["digest"][:12] if column == "digest" else one.get(column) for column in columns]
        for one in projections
    ]
    print_table(("projection", *columns[1:]), rows)


def _print_rows(rows: Mapping[str, Sequence[Mapping[str, Any]]], zone: tzinfo) -> None:
    for table, found in rows.items():
        if not found:
            say(f"{table}: none")
        for row in found[:1] if len(found) == 1 else ():
            print_table((table, ""), ((k, _cell(v, zone)) for k, v in row.items() if v is not None))
        if len(found) > 1:
            columns = list(found[0])[:WIDE]
            print_table(
                columns, ([_cell(row[c], zone) for c in columns] for row in found), title=table
            )
            note(f"{len(found)} rows; --json has every column")


def _cell(value: object, zone: tzinfo) -> object:
    """For people: moments in the zone, documents as JSON, numbers with all their digits."""
    match value:
        case datetime():
            return moment(value, zone)
        case tuple() | list() | dict() | BaseModel():
            return json.dumps(value, ensure_ascii=False, default=_plain) if value else ""
        case float():
            return str(value)
        case _:
            return value


def _plain(value: Any) -> Any:
    """A model, without what it does not say."""
    return value.model_dump(mode="json", exclude_defaults=True)
