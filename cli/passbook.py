"""`waggle passbook`: what a rider has, line by line, now or at any past moment, also as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.moments import Moment, Place, place_of, read_moment
from cli.printing import moment, note, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.statement import FORMATS, write_statement
from contracts.envelope import Recorded
from eventlog.projection import rows_after
from eventlog.read import read_stream
from services.points.projection import POINTS

SUMS: Final = (
    "available",
    "pending",
    "held",
    "debt",
    "lifetime",
    "spent",
    "expired",
    "reversed",
    "adjusted",
    "awards",
)
"""What a passbook sums up."""

_LINES: Final = "SELECT * FROM points.entry WHERE rider_id = $1 ORDER BY sequence, leg"
_LOTS: Final = "SELECT * FROM points.lot WHERE rider_id = $1 AND due_at IS NOT NULL ORDER BY due_at"


def command(
    rider: Annotated[str, typer.Argument(metavar="RIDER", help="The rider's id.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME|SEQ",
            help="As it was then, by when it was recorded: folded from the log alone.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write the statement: .csv or .xlsx."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """What a rider has, has had and owes; every line with its report and rule.

    Points wait as pending, can then be spent, and expire at a day that stands
    beside them. A statement of the past is folded from the log by the moment at
    which each fact was recorded, so it never changes afterwards.

    Examples:
      waggle passbook rider-01
      waggle passbook rider-01 --as-of 2026-05-03T14:05 --json
      waggle passbook rider-01 --export statement.xlsx
    """
    if export is not None and export.suffix not in FORMATS:
        raise typer.BadParameter(f"{export}: a statement is {' or '.join(FORMATS)}")
    when = read_moment(as_of) if as_of is not None else None
    run(_passbook(token(rider, "id"), when, as_of is not None, export, data, as_json))


async def _passbook(
    rider: str, when: Moment, past: bool, export: Path | None, data: Path, as_json: bool
) -> None:
    async with open_session(data, quiet=as_json) as session:
        zone = await session.zone()
        place = await place_of(await session.log(), when, zone) if past else None
        book = await passbook_of(session, rider, place)
        if book is None:
            raise Failure(f"nothing is known of a rider {rider}")
        if export is not None:
            try:
                write_statement(export, book, zone)
            except OSError as error:
                raise Failure(f"cannot write {export}: {error}", Exit.WRONG_INPUT) from error
            note(f"{len(book['lines'])} lines in {export}")
        print_json(book) if as_json else print_passbook(book, zone)


async def passbook_of(
    session: Session, rider: str, place: Place | None = None
) -> dict[str, Any] | None:
    """A rider's sums, lines and coming dates; None for a rider nobody has heard of."""
    found = await (_then(session, rider, place) if place else _now(session, rider))
    total, lines, waiting = found
    if total is None and not await (await session.tables()).fetchval(
        "SELECT EXISTS (SELECT FROM intake.report WHERE rider_id = $1)", rider
    ):
        return None
    return {
        "rider_id": rider,
        **{name: total[name] if total else 0 for name in SUMS},
        "version": total["version"] if total else 0,
        "as_of": total["as_of"] if total else None,
        "at": place.sequence if place else None,
        "activating": [_coming(lot) for lot in waiting if lot["pending"]],
        "expiring": [_coming(lot) for lot in waiting if not lot["pending"]],
        "lines": [dict(line) for line in lines],
    }


Found = tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]


async def _now(session: Session, rider: str) -> Found:
    tables = await session.tables()
    async with (
        tables.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        total = await connection.fetchrow(
            "SELECT * FROM points.passbook WHERE rider_id = $1", rider
        )
        lines = await connection.fetch(_LINES, rider)
        lots = await connection.fetch(_LOTS, rider)
        found = dict(total) if total else None
        return found, [dict(line) for line in lines], [dict(lot) for lot in lots]


async def _then(session: Session, rider: str, place: Place) -> Found:
    """By the log alone, as far as it had been recorded."""
    facts: list[Recorded] = []
    async for fact in read_stream(await session.log(), "account", rider):
        if fact.sequence > place.sequence:
            break
        facts.append(fact)
    rows = {name: list(map(asdict, found)) for name, found in rows_after(POINTS, facts).items()}
    lots = sorted((lot for lot in rows["lot"] if lot["due_at"]), key=lambda lot: lot["due_at"])
    return next(iter(rows["passbook"]), None), rows["entry"], lots


def _coming(lot: Mapping[str, Any]) -> dict[str, Any]:
    """A lot that waits for its day."""
    return {name: lot[name] for name in ("due_at", "free", "lot", "rule", "report_id")}


def print_passbook(book: Mapping[str, Any], zone: tzinfo) -> None:
    """The sums, what comes, and a line for each entry."""
    say(f"{book['rider_id']}: {book['available']} points can be spent", "bold")
    print_table(("", "points"), [(name, book[name]) for name in SUMS if name != "available"])
    for title, lots in (("become active", book["activating"]), ("expire", book["expiring"])):
        if lots:
            rows = [(_day(lot["due_at"], zone), lot["free"], lot["report_id"]) for lot in lots]
            print_table((title, "points", "report"), rows)
    rows = [_told(line, zone) for line in book["lines"]]
    if rows:
        print_table(("when", "points", "move", "report"), rows)


def _told(line: Mapping[str, Any], zone: tzinfo) -> tuple[Any, ...]:
    """A line for a narrow terminal: under the report or the item stands the rule."""
    source, target = (_pocket(line[end]).partition(":")[0] for end in ("source", "target"))
    about = [line[name] for name in ("report_id", "item", "rule") if line[name]]
    when = moment(line["event_at"], zone).rpartition(":")[0]
    return when, line["points"], f"{source} → {target}", "\n".join(about)


def _pocket(account: str) -> str:
    return account.rpartition(":")[2] if account.startswith("rider:") else account


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()


def register(app: typer.Typer) -> None:
    """The verb."""
    app.command("passbook", rich_help_panel="Points")(command)
