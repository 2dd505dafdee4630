"""`waggle receipt`: the proof, in a rider's hand, that a report and its points stand in the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.printing import print_json, progress_bar, say
from cli.running import Exit, Failure, go_on, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.timeline import write_page
from cli.verify import receipt_document
from contracts.envelope import Unreadable
from deploy.house import AUDITOR
from eventlog.read import read_stream
from eventlog.whole import whole_at
from proof.checkpoint import Checkpoint, opened
from proof.files import ERRORS, LATEST, SealFolder
from proof.note import Note, Verifier
from proof.receipt import Receipt, check_receipt
from proof.receipt import receipt as receipt_of

LOOK: Final = 0.2
"""Seconds between two looks for a checkpoint."""


def receipt(
    report: Annotated[
        str | None, typer.Argument(metavar="REPORT", help="What was reported, and its points.")
    ] = None,
    sequences: Annotated[
        list[int] | None,
        typer.Option("--sequence", min=1, metavar="SEQ", help="An entry of the log; repeatable."),
    ] = None,
    case: Annotated[bool, typer.Option("--case", help="All facts of its case as well.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="The file to write.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a checkpoint that covers it.")
    ] = 75.0,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Write a receipt: the facts of a report and its points, each with its way to a signed root.

    Anybody verifies the file with `waggle verify receipt FILE`, or with other
    programs that know https://c2sp.org/tlog-proof, now and in years. A line of a
    passbook has its sequence: `--sequence`. Exit code 4: not signed yet.

    Examples:
      waggle receipt 01JD2Q8Z7N4X0V5M3K9R6T1W8C --out receipt.json
      waggle receipt --sequence 1207 --sequence 1288
    """
    if report is None and not sequences:
        raise typer.BadParameter("name a report, or entries of the log with --sequence")
    wanted = token(report, "id") if report else None
    name = wanted or "-".join(str(one) for one in sequences or [])
    file = out or Path(f"receipt-{name}.json")
    run(_receipt(wanted, sequences or [], case, file, wait, data, as_json))


async def _receipt(
    report: str | None,
    sequences: list[int],
    case: bool,
    file: Path,
    wait: float,
    data: Path,
    as_json: bool,
) -> None:
    async with open_session(data, quiet=as_json) as session:
        chosen = set(sequences)
        if report is not None:
            chosen |= {one async for one in _sequences_of(session, report, case)}
        try:
            made = await _made(session, sorted(chosen), wait)
            proven = check_receipt(made, made.log)
        except ERRORS as error:
            raise Failure(str(error)) from error
    write_page(file, json.dumps(made.document, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        facts: list[dict[str, Any]] = [receipt_document(one) for one in proven]
        print_json({"file": str(file), "log": made.log.vkey, "facts": facts})
        return
    size = proven[0].checkpoint.size
    say(f"{file}: {len(proven)} facts, proven under the checkpoint over {size} entries", "green")


async def _sequences_of(session: Session, report: str, case: bool) -> AsyncIterator[int]:
    """Where the facts of a report stand, and the points that it has earned."""
    log, found = await session.log(), False
    for stream in ("report", "case") if case else ("report",):
        try:
            async for fact in read_stream(log, stream, report):
                found = True
                yield fact.sequence
        except Unreadable as error:
            raise Failure(str(error)) from error
    if not found:
        raise Failure(f"there is no report {report}")
    tables = await session.tables()
    for row in await tables.fetch("SELECT sequence FROM points.entry WHERE report_id = $1", report):
        yield row["sequence"]


async def _made(session: Session, sequences: list[int], wait: float) -> Receipt:
    log = (await session.verbatim(AUDITOR)).jetstream(timeout=10)
    lines = []
    for sequence in sequences:
        if (stored := await whole_at(log, sequence)) is None:
            raise Failure(f"nothing stands at sequence {sequence}")
        lines.append(stored.line)
    folder = SealFolder(session.info.seal_folder)
    key, note, checkpoint = await _covering(folder, sequences[-1], wait)
    return receipt_of(lines, key, note, folder.tiles(checkpoint.size).subtree)


async def _covering(
    folder: SealFolder, sequence: int, wait: float
) -> tuple[Verifier, Note, Checkpoint]:
    """The first latest checkpoint that covers a sequence."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    with progress_bar() as progress:
        progress.add_task("waiting for a checkpoint", total=None, told=f"over {sequence}")
        while True:
            if (folder.path / LATEST).is_file():
                key, note = folder.key(), folder.latest()
                if (checkpoint := opened(note, key)).size >= sequence:
                    return key, note, checkpoint
            if loop.time() >= deadline:
                raise Failure(
                    f"sequence {sequence} is not signed yet. A checkpoint comes at most a minute "
                    "after a fact, while the sealer runs: try again.",
                    Exit.UNKNOWN,
                )
            go_on()
            await asyncio.sleep(LOOK)
