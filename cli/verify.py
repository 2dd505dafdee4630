"""`waggle verify`: whether log, exports and receipts are what was signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from cli.case import verify as verify_case
from cli.door import AsOption, Door, NatsOption, SeedOption, Way, open_door
from cli.printing import finish, note, print_json, print_table, progress_bar, say
from cli.running import Exit, Failure, go_on, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from deploy.house import AUDITOR
from eventlog.ordered import Unreachable, Vanished
from eventlog.paging import read_stored
from eventlog.read import head
from eventlog.whole import read_whole
from proof.audit import Audit, Verdict
from proof.checkpoint import Checkpoint
from proof.entry import line_of
from proof.files import ERRORS, HISTORY, SealFolder, read_checkpoint, read_key, verify_export
from proof.merkle import NotProven
from proof.note import BadSignature, Verifier
from proof.receipt import Proven, Receipt, check_receipt
from proof.tiles import Tiles


class _Verbs(TyperGroup):
    """What is none of these words is the id of a case: the supervision centre verifies work."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """With the word that was left out."""
        known = not args or args[0] in self.commands
        return super().resolve_command(ctx, args if known else [CASE, *args])


CASE: Final = "case"
app = typer.Typer(
    cls=_Verbs,
    help="""Verify work, or what was signed: log, exports, receipts.

    `waggle verify ID --passed` says that the work on a case is done; it is
    short for `waggle verify case ID --passed`.

    Examples:
      waggle verify 01JD2Q8Z7N4X0V5M3K9R6T1W8C --passed
      waggle verify log --json
      waggle verify export audit-may
    """,
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)
app.command(CASE)(verify_case)

KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="KEY|FILE", help="The log's public key, from a source you trust."
    ),
]
HeldOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint", exists=True, dir_okay=False, help="One that you have kept; repeatable."
    ),
]
SealOption = Annotated[
    Path | None,
    typer.Option("--seal", exists=True, file_okay=False, help="A copy of the folder of the seal."),
]


@app.command("log")
def log_(
    held: HeldOption = None,
    key: KeyOption = None,
    seal: SealOption = None,
    party: AsOption = None,
    url: NatsOption = None,
    seed: SeedOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Read the whole log and hold it against every checkpoint, and those that you have kept.

    Exit code 0: everything that is signed is there as it was signed. 1: it is
    not; the first bad sequence is named. What was written since the last
    checkpoint is held against the hash chain of each stream id.

    Examples:
      waggle verify log
      waggle verify log --checkpoint kept-in-may.txt --json
    """
    finish(run(_log(Way(data, party, url, seed), seal, key, held or [], as_json)))


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False)],
    held: HeldOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify an export by its own files: no house, no network.

    Examples:
      waggle verify export audit-may
      waggle verify export audit-may --key city.key --checkpoint kept-in-may.txt
    """
    finish(run(_export(folder, key, held or [], as_json)))


@app.command("receipt")
def receipt_(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a receipt by itself: no house, no network.

    Without --key the receipt is held against the key that it names itself: then
    compare that key with the one that is published.

    Examples:
      waggle verify receipt receipt.json --key city.key
    """
    finish(run(_receipt(file, key, as_json)))


async def _log(
    way: Way, seal: Path | None, key: str | None, held: Sequence[Path], as_json: bool
) -> Exit:
    async with open_door(way, quiet=as_json) as door:
        try:
            log, checkpoints, tiles = _signed(seal or _own(door), key, held)
            audit = Audit(checkpoints, tiles)
            began = time.perf_counter()
            await _read_all(door, audit)
            verdict = audit.finish()
        except (Unreachable, Vanished) as error:
            raise Failure(str(error), Exit.NO_HOUSE) from error
        except ERRORS as error:
            raise not_proven(error) from error
    took = time.perf_counter() - began
    return _tell(verdict, as_json, log=log.vkey if log else None, seconds=round(took, 3))


def _own(door: Door) -> Path | None:
    """The folder of the house's own sealer; none, where it has signed nothing yet."""
    folder = door.session.info.seal_folder if door.session else None
    return folder if folder and (folder / HISTORY).is_file() else None


def _signed(
    seal: Path | None, key: str | None, held: Sequence[Path]
) -> tuple[Verifier | None, list[Checkpoint], Tiles | None]:
    """Whose log it is, what was signed of it, and the tree."""
    folder = SealFolder(seal) if seal else None
    log = read_key(key) if key else folder.key() if folder else None
    if log is None:
        if held:
            raise Failure("name the log's public key with --key", Exit.WRONG_INPUT)
        note("nothing is signed yet: only the hash chains can be held against the log")
        return None, [], None
    checkpoints = folder.checkpoints(log) if folder else []
    tiles = folder.tiles(checkpoints[-1].size) if folder else None
    return log, [*checkpoints, *(read_checkpoint(path, log) for path in held)], tiles


async def _read_all(door: Door, audit: Audit) -> None:
    end = await head(door.js)
    with progress_bar() as progress:
        bar = progress.add_task("verifying", total=end, told="")
        async with aclosing(_lines(door, end)) as batches:
            async for batch in batches:
                go_on()
                for line in batch:
                    audit.add(line)
                progress.update(bar, completed=audit.facts, told=f"{audit.facts:,} of {end:,}")
                if audit.ended:
                    return


async def _lines(door: Door, end: int) -> AsyncGenerator[list[bytes], None]:
    """The whole log; by a consumer of one's own where one may have one."""
    if door.party == AUDITOR:
        async for batch in read_whole(door.js, up_to=end):
            yield [one.line for one in batch]
    else:
        async for page in read_stored(door.js, after=0, up_to=end):
            yield [line_of(entry) for entry in page]


async def _export(folder: Path, key: str | None, held: Sequence[Path], as_json: bool) -> Exit:
    def verified() -> tuple[Verdict, Verifier | None]:
        log = read_key(key) if key else None
        return verify_export(folder, log=log, held=held, progress=reached), log

    with progress_bar() as progress:
        bar = progress.add_task("verifying", total=None, told="")

        def reached(lines: int) -> None:
            progress.update(bar, completed=lines, told=f"{lines:,} entries")

        try:
            verdict, log = await asyncio.to_thread(verified)
        except ERRORS as error:
            raise not_proven(error) from error
    return _tell(verdict, as_json, log=log.vkey if log else None)


async def _receipt(file: Path, key: str | None, as_json: bool) -> Exit:
    def checked() -> tuple[Verifier, Sequence[Proven]]:
        given = Receipt.parse(file.read_bytes())
        log = read_key(key) if key else given.log
        return log, check_receipt(given, log)

    try:
        log, proven = await asyncio.to_thread(checked)
    except ERRORS as error:
        raise not_proven(error) from error
    if as_json:
        facts = [receipt_document(one) for one in proven]
        document = {"ok": True, "log": log.vkey, "key_given": key is not None, "facts": facts}
        print_json(document)
        return Exit.DONE
    kinds = [dict(one.entry.headers).get("ce-type", "") for one in proven]
    print_table(
        ("sequence", "recorded", "subject", "fact"),
        [
            (one.entry.sequence, one.entry.recorded_at, one.entry.subject, kind.rpartition(".")[2])
            for one, kind in zip(proven, kinds, strict=True)
        ],
    )
    say(f"proven: in the log of {log.name}, under its signature", "green")
    if key is None:
        note(f"by the key that the receipt names: {log.vkey}")
        note("compare it with the one that is published, or give that with --key")
    return Exit.DONE


def receipt_document(one: Proven) -> dict[str, Any]:
    """What is proven of one entry, for programs."""
    return {
        "sequence": one.entry.sequence,
        "recorded_at": one.entry.recorded_at,
        "subject": one.entry.subject,
        "body": one.entry.body.decode("utf-8", "replace"),
        "checkpoint": one.checkpoint.size,
    }


def _tell(verdict: Verdict, as_json: bool, **beside: object) -> Exit:
    if as_json:
        print_json(verdict.document() | beside)
    else:
        for problem in verdict.problems:
            say(problem, "red")
        open_end = verdict.facts - verdict.covered
        behind = f"; {open_end:,} behind the last one are not signed yet" if open_end else ""
        told = f"{verdict.facts:,} entries, {verdict.checkpoints:,} checkpoints{behind}"
        if verdict.ok:
            say(f"as it was signed: {told}", "green")
        elif verdict.first_bad is None:
            say(f"not in order: {told}", "red")
        else:
            say(f"first bad sequence: {verdict.first_bad}; before it {told}", "red")
    return Exit.DONE if verdict.ok else Exit.NO


def not_proven(error: Exception) -> Failure:
    """What is not proven is a no; what cannot be read is wrong input."""
    wrong = not isinstance(error, BadSignature | NotProven)
    return Failure(str(error), Exit.WRONG_INPUT if wrong else Exit.NO)
