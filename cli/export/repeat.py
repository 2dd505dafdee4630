"""`waggle repeat`: every table of an export, folded again from its own log, with no server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from cli.export.reading import read_rows, row_as_told
from cli.export.sheets import Format
from cli.printing import finish, print_json, print_table, progress_bar, say
from cli.running import Exit, Failure, run
from cli.session import JsonOption
from contracts.envelope import Recorded, Unreadable
from deploy.projections import PROJECTIONS
from eventlog.message import decode
from eventlog.projection import Folding, Projection, Table, Unfoldable
from proof.entry import LogEntry, entry_of
from proof.export import LOG, MANIFEST
from proof.files import ERRORS, lines_of, verify_export

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STEP: Final = 500
"""Facts between two words about the progress."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A file of a table, beside what the log says."""

    file: str
    rows: int
    """That the log gives."""
    first_different: list[Any] | None
    """The key of the first row that is not as the log says; None where all are."""


def repeat(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="An export.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Fold every table of an export again from its own log, and compare row by row.

    Needs no server, no database and no house: the files and this program. The
    folder is verified first, as `waggle verify export` does. Every row is held
    in memory. Exit code 1 when a table is not what the log says, with the key
    of the first row that differs.

    Examples:
      waggle repeat audit-may
      waggle repeat audit-may --json
    """
    finish(run(_repeat(folder, as_json)))


async def _repeat(folder: Path, as_json: bool) -> Exit:
    with progress_bar() as progress:
        compared = await asyncio.to_thread(_compare_all, folder, progress)
    equal = all(one.first_different is None for one in compared)
    if as_json:
        print_json(
            {
                "equal": equal,
                "files": {
                    one.file: {"rows": one.rows, "first_different": one.first_different}
                    for one in compared
                },
            }
        )
    else:
        verdicts = (
            (one.file, one.rows, "equal" if one.first_different is None else _shown(one))
            for one in compared
        )
        print_table(("file", "rows", ""), verdicts)
        say(
            "every table follows from the log" if equal else "NOT what the log says",
            "green" if equal else "red",
        )
    return Exit.DONE if equal else Exit.NO


def _shown(one: Compared) -> str:
    return f"differs at {', '.join(map(str, one.first_different or ()))}"


def _compare_all(folder: Path, progress: Progress) -> list[Compared]:
    try:
        verdict = verify_export(folder)
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except ERRORS as error:
        raise Failure(str(error), Exit.WRONG_INPUT) from error
    if not verdict.ok:
        raise Failure(f"{folder} does not verify: {'; '.join(verdict.problems)}")
    _insist_on_versions(manifest)
    folded = _fold(folder, int(manifest["last_sequence"]), progress)
    return [
        Compared(path, len(rows), _first_different(folder / path, one, table, rows))
        for path in manifest["files"]
        for one, projection, table in _which(path)
        for rows in (folded[projection.name][table.name],)
    ]


def _insist_on_versions(manifest: Mapping[str, Any]) -> None:
    ours = {projection.name: projection.version for projection in PROJECTIONS}
    for one in manifest.get("projections", ()):
        if (here := ours.get(one["name"])) != one["version"]:
            raise Failure(
                f"projection {one['name']} was exported by version {one['version']} of its code,"
                f" and this program has {here or 'none'}: use the program of that time"
            )


def _which(path: str) -> Iterator[tuple[Format, Projection, Table[Any]]]:
    """The table that a file of an export holds, if it holds one."""
    for projection in PROJECTIONS:
        for table in projection.tables:
            for one in Format:
                if path == f"tables/{projection.name}.{table.name}.{one}":
                    yield one, projection, table


def _fold(folder: Path, last: int, progress: Progress) -> dict[str, dict[str, list[Any]]]:
    """The rows of every projection after the exported log."""
    bar = progress.add_task("folding", total=last, told="")
    folds = [
        (tuple(subject.removesuffix(">") for subject in projection.subjects), Folding(projection))
        for projection in PROJECTIONS
    ]
    for line in lines_of(folder / LOG):
        entry = entry_of(line)
        heard = [folding for subjects, folding in folds if entry.subject.startswith(subjects)]
        if heard:
            try:
                fact = recorded(entry)
                for folding in heard:
                    folding.take(fact)
            except (Unreadable, Unfoldable) as error:
                raise Failure(str(error)) from error
        if entry.sequence % STEP == 0:
            progress.update(bar, completed=entry.sequence, told=f"{entry.sequence:,} of {last:,}")
    return {p.name: folding.rows() for p, (_, folding) in zip(PROJECTIONS, folds, strict=True)}


def recorded(entry: LogEntry) -> Recorded:
    """The fact in an entry. Raises `Unreadable`."""
    return decode(
        entry.subject,
        dict(entry.headers),
        entry.body,
        sequence=entry.sequence,
        recorded_at=_EPOCH + timedelta(microseconds=entry.recorded_nanos // 1000),
    )


def _first_different(
    file: Path, one: Format, table: Table[Any], rows: list[Any]
) -> list[Any] | None:
    """The key of the first row that is not the same in the file and in the fold."""
    wanted = (row_as_told(table, row, one) for row in rows)
    for folded, exported in zip_longest(wanted, read_rows(file, one, table.columns)):
        if folded != exported:
            row = folded or exported or {}
            return [row[name] for name in table.key]
    return None
