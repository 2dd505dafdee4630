"""`waggle export`: the log and every table at one sequence, with checksums and the seal."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from cli.door import AsOption, Door, NatsOption, SeedOption, Way, open_door
from cli.export.sheets import NANOSECONDS, SHEETS, Field, Format, Sheet, close_all
from cli.moments import Moment, Place, place_of, read_moment
from cli.printing import note, print_json, print_table, progress_bar, say
from cli.running import Exit, Failure, go_on, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session
from deploy.projections import PROJECTIONS
from eventlog import asof
from eventlog.checkpoint import LogLost
from eventlog.ordered import Unreachable
from eventlog.paging import read_stored
from eventlog.rebuild import Build, RebuildStopped
from eventlog.tables import LONG
from proof.entry import LogEntry, line_of
from proof.export import LOG, MANIFEST, SEAL, ExportedFile, Manifest
from proof.files import ERRORS, LATEST, copy_seal, verify_export

TABLES: Final = "tables"
BATCH: Final = 5000
"""Rows that are held at a time."""
LOG_FIELDS: Final = (
    Field("sequence", "bigint"),
    Field("recorded_at", NANOSECONDS),
    Field("subject", "text"),
    Field("headers", "text"),
    Field("headers_base64", "text"),
    Field("body", "text"),
    Field("body_base64", "text"),
)
"""The columns of the log, as its lines name them; the headers are JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported, and where to."""

    folder: Path
    formats: tuple[Format, ...]
    end: Moment
    tables: bool
    seal: Path | None


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder that is not there yet.")
    ],
    parquet: Annotated[bool, typer.Option("--parquet", help="Log and tables as Parquet.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Log and tables as CSV.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Tables as JSON lines.")] = False,
    end: Annotated[
        str, typer.Option("--to", metavar="TIME|SEQ", help="As of then; the end of the log now.")
    ] = "now",
    tables: Annotated[bool, typer.Option("--tables/--no-tables", help="Or the log alone.")] = True,
    seal: Annotated[
        Path | None,
        typer.Option("--seal", exists=True, file_okay=False, help="A copy of the seal folder."),
    ] = None,
    party: AsOption = None,
    url: NatsOption = None,
    seed: SeedOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Write the log and every table as they were at one sequence into a folder that proves itself.

    The log is always there as log.jsonl, a line a fact, with all that is stored;
    --parquet and --csv write it once more. Tables are folded from the log up to
    exactly that sequence. What is personal stays sealed. manifest.json has the
    SHA-256 and the rows of every file; seal/ a signed checkpoint with the tiles
    that prove it, where the log is sealed. The folder is verified before it
    appears: `waggle verify export DIR` does the same anywhere.

    Examples:
      waggle export audit-may --parquet --to 2026-06-01T00:00
      waggle export audit --csv --jsonl --json
      waggle export log-only --nats nats://log.example:4222 --seed-file audit-office.nk
    """
    chosen = {Format.PARQUET: parquet, Format.CSV: csv, Format.JSONL: jsonl}
    formats = tuple(one for one, wanted in chosen.items() if wanted)
    asked = Asked(folder, formats, read_moment(end), tables and bool(formats), seal)
    run(_export(asked, Way(data, party, url, seed), as_json))


async def _export(asked: Asked, way: Way, as_json: bool) -> None:
    async with open_door(way, quiet=as_json) as door:
        with _appearing(asked.folder) as draft, progress_bar() as progress:
            try:
                place = await place_of(door.js, asked.end, door.zone)
                manifest = await _write(asked, door, place, draft, progress)
                await asyncio.to_thread(_verify, draft)
            except (Unreachable, LogLost, RebuildStopped) as error:
                raise Failure(str(error)) from error
            except ERRORS as error:
                raise Failure(f"the seal cannot be used: {error}") from error
    if as_json:
        print_json({"folder": str(asked.folder), **manifest})
        return
    files = manifest["files"].items()
    print_table(("file", "rows", "sha256"), ((p, f["rows"], f["sha256"][:16]) for p, f in files))
    say(f"{asked.folder}: everything up to sequence {manifest['last_sequence']}, verified", "green")


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside it, which takes its name when everything is in it; else it is gone."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Failure(f"{folder} is there already: choose another name", Exit.WRONG_INPUT)
    folder = folder.resolve()
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True, mode=0o700)
        yield draft
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


async def _write(
    asked: Asked, door: Door, place: Place, draft: Path, progress: Progress
) -> dict[str, Any]:
    """Write every file; the manifest."""
    files = await _write_log(asked, door, place.sequence, draft, progress)
    folded: list[dict[str, Any]] = []
    if asked.tables and door.session is None:
        note("without a house there is no database to fold tables in: the log alone is exported")
    elif asked.tables and door.session is not None:
        (draft / TABLES).mkdir()
        pool = await door.session.owned_tables()
        await asof.sweep(pool)
        for projection in PROJECTIONS:
            told = _bar(progress, projection.name)
            async with asof.as_of(
                projection, door.js, pool, place.sequence, progress=told
            ) as build:
                written, about = await _write_tables(asked, build, draft)
            files |= written
            folded.append(about)
    signed = await asyncio.to_thread(_copy_seal, asked.seal, door.session, draft)
    document = {
        **Manifest(place.sequence, files).document,
        "recorded_at": place.recorded_at and place.recorded_at.isoformat(),
        "checkpoint": signed,
        "projections": folded,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (draft / MANIFEST).write_text(text, encoding="utf-8")
    return document


async def _write_log(
    asked: Asked, door: Door, last: int, draft: Path, progress: Progress
) -> dict[str, ExportedFile]:
    sheets = [
        SHEETS[one](draft / f"log.{one}", LOG_FIELDS)
        for one in asked.formats
        if one is not Format.JSONL
    ]
    told, rows = _bar(progress, "log"), 0
    try:
        with (draft / LOG).open("wb") as lines:
            async with aclosing(read_stored(door.js, after=0, up_to=last)) as pages:
                async for page in pages:
                    go_on()
                    written = [line_of(entry) for entry in page]
                    lines.writelines(line + b"\n" for line in written)
                    for sheet in sheets:
                        sheet.add([row_of(e, line) for e, line in zip(page, written, strict=True)])
                    rows += len(page)
                    told(rows, last)
    finally:
        close_all(sheets)
    return {LOG: await _file(draft / LOG, rows)} | await _files(draft, sheets)


def row_of(entry: LogEntry, line: bytes) -> list[Any]:
    """The columns of an entry. Its line says what they are, so that no two forms can differ."""
    document = json.loads(line)
    if (headers := document.get("headers")) is not None:
        document["headers"] = json.dumps(headers, ensure_ascii=False, separators=(",", ":"))
    document["recorded_at"] = entry.recorded_nanos
    return [document.get(field.name) for field in LOG_FIELDS]


async def _write_tables(
    asked: Asked, build: Build, draft: Path
) -> tuple[dict[str, ExportedFile], dict[str, Any]]:
    """Every table of a projection in every format, and what the projection came to."""
    projection, connection = build.projection, build.connection
    sheets: list[Sheet] = []
    async with connection.transaction():
        digest = await build.schema.digest(connection)
        for table, stored in zip(projection.tables, build.schema.tables, strict=True):
            fields = [Field(column.name, column.type) for column in table.columns]
            start = draft / TABLES / f"{projection.name}.{table.name}"
            mine = [SHEETS[one](Path(f"{start}.{one}"), fields) for one in asked.formats]
            sheets += mine
            try:
                async for rows in _batches(build, stored.sql.digest):
                    for sheet in mine:
                        sheet.add(rows)
            finally:
                close_all(mine)
    about = {
        "name": projection.name,
        "version": projection.version,
        "facts": build.checkpoint.facts,
        "rows": digest.rows,
        "digest": digest.sha256,
    }
    return await _files(draft, sheets), about


async def _batches(build: Build, query: str) -> AsyncIterator[list[tuple[Any, ...]]]:
    """What a query gives, some rows at a time."""
    rows: list[tuple[Any, ...]] = []
    async for record in build.connection.cursor(query, prefetch=BATCH, timeout=LONG):
        rows.append(tuple(record))
        if len(rows) == BATCH:
            go_on()
            yield rows
            rows = []
    yield rows


async def _files(draft: Path, sheets: Sequence[Sheet]) -> dict[str, ExportedFile]:
    return {
        sheet.path.relative_to(draft).as_posix(): await _file(sheet.path, sheet.rows)
        for sheet in sheets
    }


async def _file(path: Path, rows: int) -> ExportedFile:
    def hashed() -> str:
        with path.open("rb") as content:
            return file_digest(content, "sha256").hexdigest()

    return ExportedFile(await asyncio.to_thread(hashed), rows)


def _copy_seal(given: Path | None, session: Session | None, draft: Path) -> dict[str, Any] | None:
    """The newest signed checkpoint with its tiles, where there is one; what it covers."""
    source = given or (session.info.seal_folder if session else None)
    if source is None or not (source / LATEST).is_file():
        return None
    checkpoint = copy_seal(source, draft / SEAL)
    return {"origin": checkpoint.origin, "size": checkpoint.size}


def _verify(draft: Path) -> None:
    """As anybody would who gets it. Raises `Failure`."""
    verdict = verify_export(draft)
    if not verdict.ok:
        raise Failure(f"what was exported does not verify: {'; '.join(verdict.problems)}")


def _bar(progress: Progress, what: str) -> Callable[[int, int], None]:
    bar = progress.add_task(what, total=None, told="")

    def reached(done: int, end: int) -> None:
        progress.update(bar, completed=done, total=end, told=f"{done:,} of {end:,}")

    return reached
