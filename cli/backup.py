"""`waggle backup`, `waggle restore`, `waggle drill`: what to have before it is needed."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TaskID

from cli.printing import finish, note, print_json, print_table, progress_bar, say
from cli.rebuild import as_document
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from deploy.backup import back_up
from deploy.backup_files import SEAL, BadBackup, KeyManifest, Manifest, as_json, key_folder_of
from deploy.drill import Compared, Verified, source_at, verified
from deploy.house import AUDITOR, HouseInfo
from deploy.projections import PROJECTIONS
from deploy.provision import PROVISIONER
from deploy.restore import Restored, restoring
from deploy.retention import Days
from deploy.rulebooks import load_rulebook
from deploy.snapshots import SnapshotError
from eventlog.connect import connect_nats
from eventlog.read import head
from eventlog.rebuild import RebuildRuns, RebuildStopped
from eventlog.whole import WholeClient

Told = Callable[[str, int, int], None]

KeysOption = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        help="Where the keys are; DIR.keys beside the backup where not given.",
    ),
]


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder.")],
    keys: KeysOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Save every stream of a house while it runs, and its keys apart.

    DIR may be kept as long as you like. The folder of keys must be gone by
    the day that is told: a key in a backup is not destroyed. `waggle
    retention` deletes it where it still lies there. Tables are not saved:
    `waggle restore` folds them again.

    Examples:
      waggle backup /backup/2026-11-27
      waggle backup /backup/2026-11-27 --keys /safe/2026-11-27 --json
    """
    run(_backup(folder, keys or key_folder_of(folder), data, as_json))


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A backup.")],
    to: Annotated[
        Path, typer.Option("--data", help="The new house's folder: empty or not there yet.")
    ],
    keys: KeysOption = None,
    rulebook: Annotated[
        Path | None,
        typer.Option(help="File or folder of rules, where the house had others than the built-in."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build a fresh house from a backup: streams, keys, and every table folded again.

    Every file is checked before anything is written; nothing that exists is
    written over; interrupted, nothing is left. `waggle up --data` starts it.

    Examples:
      waggle restore /backup/2026-11-27 --data var-restored
      waggle restore /backup/2026-11-27 --keys /safe/2026-11-28 --data var-restored
    """
    run(_restore(folder, keys or key_folder_of(folder), to, rulebook, as_json))


def drill(
    data: DataOption = DEFAULT_DATA,
    rulebook: Annotated[
        Path | None,
        typer.Option(help="File or folder of rules, where the house has others than the built-in."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Back the house up, restore it elsewhere, and compare: every fact's chain, every table.

    The house may run and go on working; the other one is gone afterwards.
    Exit code 1 when anything differs.

    Examples:
      waggle drill
      waggle drill --json
    """
    finish(run(_drill(data, rulebook, as_json)))


@contextmanager
def _showing() -> Iterator[Told]:
    """A bar for each thing that is done."""
    with progress_bar() as progress:
        bars: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in bars:
                for bar in bars.values():
                    progress.remove_task(bar)
                bars.clear()
                bars[what] = progress.add_task(what, total=None, told="")
            progress.update(bars[what], completed=done, total=total or None, told=f"{done:,}")

        yield told


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a backup, or with what it holds, is the answer."""
    try:
        yield
    except BadBackup as error:
        raise Failure(str(error), Exit.WRONG_INPUT) from error
    except (RebuildStopped, RebuildRuns, SnapshotError) as error:
        raise Failure(str(error)) from error


async def _backup(folder: Path, keys: Path, data: Path, json_wanted: bool) -> None:
    days, began = Days.from_environment(os.environ), time.monotonic()
    async with open_session(data, quiet=json_wanted, services=False) as session:
        with _showing() as told, _refusing():
            made = await back_up(
                await session.nats(PROVISIONER), session.info, folder, keys, days, told
            )
    seconds = round(time.monotonic() - began, 3)
    _print_backup(folder, keys, made, seconds, json_wanted)


def _print_backup(
    folder: Path, keys: Path, made: tuple[Manifest, KeyManifest], seconds: float, json_wanted: bool
) -> None:
    manifest, key_manifest = made
    if json_wanted:
        print_json(
            {
                "backup": str(folder),
                "key_backup": str(keys),
                "seconds": seconds,
                **as_json(manifest, key_manifest),
            }
        )
        return
    rows = [
        (part.name, part.state.get("messages", 0), part.last_sequence) for part in manifest.streams
    ]
    print_table(("stream", "messages", "last"), rows)
    say(f"{folder}: the log up to sequence {manifest.log_sequence}, in {seconds} s", "green")
    say(f"{keys}: {key_manifest.keys} keys; delete by {key_manifest.delete_by:%Y-%m-%d}", "yellow")


async def _restore(
    folder: Path, keys: Path, to: Path, rulebook: Path | None, json_wanted: bool
) -> None:
    began = time.monotonic()
    with _showing() as told, _refusing():
        async with restoring(folder, keys, to, load_rulebook(rulebook), told) as (restored, _):
            pass
    seconds = round(time.monotonic() - began, 3)
    if json_wanted:
        print_json(
            {
                "data": str(to),
                "seconds": seconds,
                "erased": restored.erased,
                **as_json(restored.manifest, restored.keys),
                "projections": [as_document(one) for one in restored.rebuilt],
            }
        )
        return
    rows = [(one.name, one.facts, one.rows, one.seconds) for one in restored.rebuilt]
    print_table(("projection", "facts", "rows", "seconds"), rows)
    say(f"{to}: restored up to sequence {restored.manifest.log_sequence} in {seconds} s", "green")
    note(
        f"erasures since {restored.manifest.made_at:%Y-%m-%d %H:%M} UTC are not in it: repeat them "
        "before you start it for others"
    )


async def _drill(data: Path, rulebook: Path | None, json_wanted: bool) -> Exit:
    times: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="waggle-drill-") as place,
        _showing() as told,
        _refusing(),
    ):
        folder, keys = Path(place) / "backup", Path(place) / "keys"
        async with open_session(data, quiet=json_wanted, services=False) as session:
            with _timed(times, "backup"):
                nc = await session.nats(PROVISIONER)
                await back_up(
                    nc,
                    session.info,
                    folder,
                    keys,
                    Days.from_environment(os.environ),
                    told,
                    noted=False,
                )
            document, began = load_rulebook(rulebook), time.monotonic()
            async with restoring(folder, keys, Path(place) / "house", document, told) as house:
                restored, info = house
                times["restore"] = round(time.monotonic() - began, 3)
                with _timed(times, "verify"):
                    chain, heads = await _verified(info, folder / SEAL, told)
                with _timed(times, "compare"):
                    compared = await _compared(session, restored.manifest, heads)
    return _print_drill(restored, chain, compared, times, json_wanted)


async def _verified(info: HouseInfo, seal: Path, told: Told) -> tuple[Verified, dict[str, int]]:
    """The restored log against chain and seal, and the last fact of each projection in it."""
    seed = str(info.credentials.seed_file(AUDITOR))
    nc = await connect_nats(info.nats_url, identity=AUDITOR, seed_file=seed, kind=WholeClient)
    try:
        js = nc.jetstream(timeout=10)
        heads = {one.name: await head(js, one.subjects) for one in PROJECTIONS}
        return await verified(js, seal, told), heads
    finally:
        await nc.close()


async def _compared(session: Session, manifest: Manifest, heads: dict[str, int]) -> list[Compared]:
    log, tables = await session.log(), await session.owned_tables()
    return [
        await source_at(one, log, tables, manifest.log_sequence, heads[one.name])
        for one in PROJECTIONS
    ]


@contextmanager
def _timed(times: dict[str, float], step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    times[step] = round(time.monotonic() - began, 3)


def _print_drill(
    restored: Restored,
    chain: Verified,
    compared: list[Compared],
    times: dict[str, float],
    json_wanted: bool,
) -> Exit:
    pairs = list(zip(compared, restored.rebuilt, strict=True))
    equal = all(source.digest == ours.digest_rebuilt for source, ours in pairs)
    good = equal and not chain.problems
    if json_wanted:
        document: dict[str, Any] = {
            "ok": good,
            "log_sequence": restored.manifest.log_sequence,
            "facts": chain.facts,
            "checkpoints": chain.checkpoints,
            "covered": chain.covered,
            "first_bad": chain.first_bad,
            "problems": list(chain.problems),
            "seconds": times,
            "projections": [
                {
                    "name": ours.name,
                    "source": source.digest,
                    "source_is_live": source.live,
                    "restored": ours.digest_rebuilt,
                    "equal": source.digest == ours.digest_rebuilt,
                    "facts": ours.facts,
                    "rows": ours.rows,
                    "seconds": round(ours.seconds, 3),
                }
                for source, ours in pairs
            ],
        }
        print_json(document)
        return Exit.DONE if good else Exit.NO
    rows = [
        (
            ours.name,
            ours.facts,
            ours.rows,
            source.digest[:12] + (" live" if source.live else " folded"),
            ours.digest_rebuilt[:12],
            "equal" if source.digest == ours.digest_rebuilt else "NOT equal",
        )
        for source, ours in pairs
    ]
    print_table(("projection", "facts", "rows", "source", "restored", ""), rows)
    print_table(("step", "seconds"), times.items())
    for problem in chain.problems:
        say(problem, "red")
    say(
        f"{chain.facts} facts; the chain is whole and {chain.checkpoints} signed checkpoints agree"
        if not chain.problems
        else f"the first bad fact: {chain.first_bad}",
        "green" if good else "red",
    )
    return Exit.DONE if good else Exit.NO


def register(app: typer.Typer) -> None:
    """Add the verbs of this group."""
    for verb in (backup, restore, drill):
        app.command(rich_help_panel="Keeping")(verb)
