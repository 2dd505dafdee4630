"""The verbs of `waggle import`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
import yaml

from cli.imports.archive import Archive, Openings, Tally
from cli.imports.messages import COLUMNS, SOURCE, BadFile, Reading, read, source_of
from cli.printing import finish, print_json, progress_bar, say
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from deploy.house import ARCHIVE

app = typer.Typer(help="Bring in what other systems and offices have.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Bring in what other systems and offices have."""


@app.command()
def messages(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", exists=True, dir_okay=False, help="UTF-8, with a heading."
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            exists=True,
            dir_okay=False,
            help="What the file calls the columns, such as `text: 留言内容`.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Namespace of the file's ids; made from its name where not given."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of times without one, such as Asia/Shanghai."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Bring in citizens' messages with the official replies, as history.

    Columns: message_id, user_id, created_at, text; where there are any:
    title, reply, replied_at. Each row becomes a report with its case at its
    own time and, where there is a reply, its handling and closing at that
    time. Texts stay as they came. Nobody is told, nobody earns.

    Every row read is counted once:
      accepted  something of it was written
      refused   it is not, or not wholly, in the log: told with row, column
                and reason
      known     all of it was there before
    And closed: rows with a reply whose case stands closed now. Run again, it
    adds what is missing and nothing else. Exit code 1 when a row was refused.

    Examples:
      waggle import messages messages.csv
      waggle import messages 留言.csv --source mailbox-2019 --mapping columns.yaml
      waggle import messages messages.csv --time-zone Asia/Shanghai --json
    """
    namespace = source if source is not None else source_of(file.stem)
    if not SOURCE.fullmatch(namespace):
        raise typer.BadParameter(
            "--source: 1 to 32 letters, digits and '-'; the file's own name gives none"
            if source is None
            else "--source: 1 to 32 letters, digits and '-'"
        )
    names = _names(mapping)
    finish(run(_messages(file, namespace, names, _zone(time_zone), data, as_json)))


def _names(mapping: Path | None) -> dict[str, str]:
    """What the file calls our columns, as the mapping says."""
    if mapping is None:
        return {}
    try:
        given = yaml.safe_load(mapping.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{mapping}: {error}") from error
    if not isinstance(given, dict) or not set(given) <= set(COLUMNS):
        raise typer.BadParameter(f"{mapping}: one line for a column, of {', '.join(COLUMNS)}")
    return {column: str(name) for column, name in given.items()}


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter(f"--time-zone: {error}") from error


async def _messages(
    file: Path, source: str, names: dict[str, str], zone: ZoneInfo | None, data: Path, as_json: bool
) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        reading = Reading(source, datetime.now(UTC), await session.rulebooks(), names, zone)
        try:
            tally = await _hand_in(session, file, reading)
        except BadFile as error:
            raise Failure(f"{file}: {error}", Exit.WRONG_INPUT) from error
    tally.rows.sort(key=lambda row: int(row["record"]))
    report = {"file": file.name, "source": source, **asdict(tally)}
    print_json(report) if as_json else _print(report)
    return Exit.NO if tally.refused else Exit.DONE


async def _hand_in(session: Session, file: Path, reading: Reading) -> Tally:
    """Every row of the file, with a bar over its bytes."""
    tally = Tally()
    nc, log = await session.nats(ARCHIVE), await session.log()
    with progress_bar() as progress:
        bar = progress.add_task(file.name, total=None, told="")

        def told(now: Tally) -> None:
            counts = f"{now.accepted} accepted, {now.known} known, {now.refused} refused"
            progress.update(bar, told=counts)

        def lines() -> Iterator[str]:
            # Bytes that are no UTF-8 become lone surrogates, and so a reason against their row.
            encoding: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape"}
            with progress.open(file, "rt", newline="", task_id=bar, **encoding) as text:
                yield from text

        async with Openings.heard(log, reading.source) as openings:
            await Archive(nc, openings, reading, tally, told).hand_in(read(lines(), reading))
    return tally


def _print(report: dict[str, Any]) -> None:
    counts = ", ".join(f"{report[name]} {name}" for name in ("accepted", "refused", "known"))
    say(f"{report['read']} rows read: {counts}; {report['closed']} closed", "bold")
    for row in report["rows"]:
        for problem in (row, *row["also"]):
            column = f", {problem['column']}" if problem["column"] else ""
            value = f": {problem['value']!r}" if problem["value"] else ""
            say(f"row {row['row']}{column}: {problem['reason']}{value}", "yellow")
