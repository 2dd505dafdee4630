"""`waggle replay`: history told again, fact by fact, to a program that listens."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import typer
from nats.aio.client import Client

from cli.door import AsOption, Door, NatsOption, SeedOption, Way, open_door
from cli.moments import Moment, first_from, place_of, read_moment
from cli.printing import note, print_json, progress_bar
from cli.running import Exit, Failure, go_on, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.envelope import FACTS, TOKEN, Header
from deploy.permissions import replayed
from eventlog.checkpoint import LogLost
from eventlog.ordered import Unreachable
from eventlog.paging import read_stored
from proof.entry import LogEntry, line_of

SEQUENCE: Final = "waggle-sequence"
"""The header that says where in the log a told fact stands."""
RECORDED_AT: Final = "waggle-recorded-at"
"""The header that says when it was recorded, in nanoseconds."""
END: Final = "end"
"""What follows the subject when all is told: a document that says how much."""
FLUSH_EVERY: Final = 500

Take: TypeAlias = Callable[[LogEntry], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be told, and how fast."""

    begin: Moment
    end: Moment
    types: frozenset[str]
    factor: float | None
    """How many times faster than it was; None: at once."""


def replay(
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME|SEQ", help="The first fact that is told.")
    ] = "1",
    end: Annotated[
        str, typer.Option("--to", metavar="TIME|SEQ", help="The last one; the end of the log now.")
    ] = "now",
    kinds: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="FACT", help="Only such facts; can be given again."),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="So many times faster than it was, such as 100x; or 'max'.")
    ] = "max",
    subject: Annotated[
        str | None,
        typer.Option(
            "--to-subject",
            metavar="SUBJECT",
            help="Publish there, below replay.<party>., instead of printing lines.",
        ),
    ] = None,
    party: AsOption = None,
    url: NatsOption = None,
    seed: SeedOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Tell history again in the order of the log: a line of JSON a fact, or published anew.

    A line holds everything that is stored, as `waggle export` writes it. With
    --to-subject each fact is published with the same headers and bytes at
    SUBJECT.<its subject>, where the log has it at `log.<stream>.<id>`; its
    sequence and the moment of recording are two more headers. When all is told,
    a document at SUBJECT.end says how many there were. Nothing is changed in the
    log; nobody else hears it. With --json and --to-subject, the same document.

    Examples:
      waggle replay --from 2026-05-03T08:00 --to 2026-05-03T18:00 --speed 100x
      waggle replay --type CaseClosed --type WorkReturned
      waggle replay --to-subject replay.auditor.may --speed 1000x
      waggle replay --nats nats://log.example:4222 --seed-file audit-office.nk --from 1200
    """
    asked = Asked(read_moment(begin), read_moment(end), _types(kinds), read_speed(speed))
    way = Way(data, party, url, seed)
    if subject is not None:
        _insist_on_own(subject, way.who)
    run(_replay(asked, subject, way, as_json))


def read_speed(text: str) -> float | None:
    """A factor, or None for as fast as possible."""
    if text == "max":
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise typer.BadParameter(f"--speed {text!r}: a number above 0, such as 100x; or 'max'")
    return factor


def waits(first_nanos: int, nanos: int, factor: float, gone: float) -> float:
    """Seconds until a fact is to be told, when the first was told `gone` seconds ago."""
    return max(0.0, (nanos - first_nanos) / 1e9 / factor - gone)


def _types(kinds: list[str] | None) -> frozenset[str]:
    if unknown := sorted(set(kinds or ()) - FACTS.keys()):
        raise typer.BadParameter(
            f"there is no fact {', '.join(unknown)}; there are {', '.join(sorted(FACTS))}"
        )
    return frozenset(kinds or ())


def _insist_on_own(subject: str, party: str) -> None:
    own = replayed(party).removesuffix(">")
    rest = subject.removeprefix(own).split(".")
    if not subject.startswith(own) or not all(re.fullmatch(TOKEN, token) for token in rest):
        raise typer.BadParameter(
            f"--to-subject {subject!r}: only below {own} may {party} publish; letters, digits, "
            "'_' and '-' between dots"
        )


async def _replay(asked: Asked, subject: str | None, way: Way, as_json: bool) -> None:
    async with open_door(way, quiet=as_json) as door:
        try:
            begin = await first_from(door.js, asked.begin, door.zone)
            end = (await place_of(door.js, asked.end, door.zone)).sequence
            told = await _tell(door, asked, begin, end, subject)
        except (Unreachable, LogLost) as error:
            raise Failure(str(error), Exit.NO_HOUSE) from error
        summary = {"from": begin, "to": end, "facts": told}
        if subject is not None:
            await door.nc.publish(f"{subject}.{END}", json.dumps(summary).encode())
            await door.nc.flush()
            if as_json:
                print_json(summary)
            else:
                note(f"{told} facts told on {subject}.>, from sequence {begin} to {end}")


async def _tell(door: Door, asked: Asked, begin: int, end: int, subject: str | None) -> int:
    """Tell everything; how many facts that was."""
    count = last = 0
    with _telling(begin, end, shown=subject is not None or not sys.stdout.isatty()) as reached:
        try:
            async for entry in _paced(door, asked, begin, end):
                if subject is None:
                    _print(entry, at_once=asked.factor is not None)
                else:
                    await _publish(door.nc, subject, entry)
                    if count % FLUSH_EVERY == 0:
                        await door.nc.flush()
                count, last = count + 1, entry.sequence
                reached(last)
        except asyncio.CancelledError:
            note(f"stopped behind sequence {last}: go on with --from {max(begin, last + 1)}")
            raise
        finally:
            if subject is None and not sys.stdout.closed:
                sys.stdout.flush()
    return count


async def _paced(door: Door, asked: Asked, begin: int, end: int) -> AsyncIterator[LogEntry]:
    """The facts asked for, each when it is its turn."""
    loop = asyncio.get_running_loop()
    began, first = 0.0, None
    async with aclosing(read_stored(door.js, after=begin - 1, up_to=end)) as pages:
        async for page in pages:
            for entry in page:
                go_on()
                if asked.types and kind_of(entry) not in asked.types:
                    continue
                if asked.factor is not None:
                    if first is None:
                        began, first = loop.time(), entry.recorded_nanos
                    gone = loop.time() - began
                    await asyncio.sleep(waits(first, entry.recorded_nanos, asked.factor, gone))
                yield entry


def kind_of(entry: LogEntry) -> str:
    """The name of the fact, by its header; empty where there is none."""
    return dict(entry.headers).get(Header.TYPE, "").rpartition(".")[2]


def _print(entry: LogEntry, *, at_once: bool) -> None:
    sys.stdout.buffer.write(line_of(entry) + b"\n")
    if at_once:
        sys.stdout.buffer.flush()


async def _publish(nc: Client, subject: str, entry: LogEntry) -> None:
    beside = {SEQUENCE: str(entry.sequence), RECORDED_AT: entry.recorded_at}
    headers = {**dict(entry.headers), **beside}
    await nc.publish(f"{subject}.{entry.subject}", entry.body, headers=headers)


@contextmanager
def _telling(begin: int, end: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where it does not get between the lines."""
    if not shown:
        yield lambda _: None
        return
    with progress_bar() as progress:
        bar = progress.add_task("telling", total=max(0, end - begin + 1), told="")
        yield lambda sequence: progress.update(
            bar, completed=sequence - begin + 1, told=f"{sequence:,} of {end:,}"
        )
