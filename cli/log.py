"""`waggle log`: the log itself, fact by fact, as it is stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from nats.js import JetStreamContext

from cli.printing import moment, print_json, print_table, progress_bar, say
from cli.running import Failure, go_on, run, until_interrupted
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.timeline import opened
from cli.wording import SEALED, personal, sentence
from contracts.envelope import FACTS, Recorded, Unreadable
from eventlog.read import Entry, Stored, Unread, at, follow, head, read_log

app = typer.Typer(
    help="The log itself: every fact in order, as it is stored.", no_args_is_help=True
)

SHOWN: Final = 20
WIDER: Final = 8
"""How much further back each look goes when the last facts of one kind are wanted."""


class By(StrEnum):
    """What facts are counted by."""

    TYPE = "type"
    STREAM = "stream"
    ACTOR = "actor"
    DAY = "day"


TypeOption = Annotated[
    str | None, typer.Option("--type", help="Only facts of this name, such as CaseClosed.")
]


@app.command()
def tail(
    start: Annotated[
        int | None,
        typer.Option(
            "--from", min=1, metavar="SEQ", help="Begin here instead of at the last ones."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("-n", min=1, help=f"How many facts at most; {SHOWN} without --from."),
    ] = None,
    kind: TypeOption = None,
    follow_on: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow",
            "-f",
            help="Go on until Ctrl-C; with --json one document a line.",
        ),
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """The last facts, or those from a sequence on.

    Examples:
      waggle log tail -n 50
      waggle log tail --type CaseClosed --follow
      waggle log tail --from 1 --json
    """
    _insist_on_kind(kind)
    run(_tail(start, count, kind, follow_on, data, as_json))


@app.command()
def show(
    sequence: Annotated[
        int, typer.Argument(min=1, metavar="SEQ", help="The fact's sequence in the log.")
    ],
    unsealed: Annotated[
        bool, typer.Option("--open", help="Open what is personal, where the keys are at hand.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """One fact whole: its headers, its body, and whether its bytes give the hash they claim.

    Exit code 1 when they do not.

    Examples:
      waggle log show 17
      waggle log show 17 --open --json
    """
    run(_show(sequence, unsealed, data, as_json))


@app.command()
def count(
    by: Annotated[By, typer.Option(help="What to count by; a day is that of recording.")] = By.TYPE,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """How many facts there are, by type, stream, actor or day.

    Examples:
      waggle log count
      waggle log count --by actor --json
    """
    run(_count(by, data, as_json))


def _insist_on_kind(kind: str | None) -> None:
    if kind is not None and kind not in FACTS:
        raise typer.BadParameter(f"there is no fact {kind!r}; there are {', '.join(sorted(FACTS))}")


async def _tail(
    start: int | None,
    most: int | None,
    kind: str | None,
    follow_on: bool,
    data: Path,
    as_json: bool,
) -> None:
    async with open_session(data, quiet=as_json) as session:
        log, zone = await session.log(), await session.zone()
        end = await head(log)
        if start is None:
            shown = await _last(log, most or SHOWN, kind, end)
        else:
            shown = await _first(log, start, most, kind)
        if as_json and not follow_on:
            print_json({"head": end, "facts": [entry_document(entry) for entry in shown]})
            return
        for entry in shown:
            _print_entry(entry, zone, as_json)
        if not follow_on:
            return
        left = None if most is None or start is None else most - len(shown)
        with until_interrupted("stopped"):
            async for entry in _from(log, end, kind):
                go_on()
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                _print_entry(entry, zone, as_json)


async def _last(log: JetStreamContext, most: int, kind: str | None, end: int) -> list[Entry]:
    """The last facts of a kind: looks back further and further until there are enough."""
    back = most
    while True:
        after = max(0, end - back)
        found = [e async for batch in _read(log, after, end, kind) for e in batch]
        if len(found) >= most or after == 0:
            return found[-most:]
        back *= WIDER


async def _first(
    log: JetStreamContext, start: int, most: int | None, kind: str | None
) -> list[Entry]:
    found: list[Entry] = []
    async for batch in _read(log, start - 1, None, kind):
        found += batch
        if most is not None and len(found) >= most:
            return found[:most]
    return found


def _read(
    log: JetStreamContext, after: int, up_to: int | None, kind: str | None
) -> AsyncIterator[list[Entry]]:
    return read_log(log, after=after, up_to=up_to, types=frozenset({kind}) if kind else None)


async def _from(log: JetStreamContext, after: int, kind: str | None) -> AsyncIterator[Entry]:
    async for batch in follow(log, after=after):
        for entry in batch:
            if kind is None or isinstance(entry, Unread) or entry.type == kind:
                yield entry


def entry_document(entry: Entry) -> dict[str, Any]:
    """What stands at one sequence, for programs. What is personal stays sealed."""
    if isinstance(entry, Unread):
        return {"sequence": entry.sequence, "subject": entry.subject, "unreadable": entry.reason}
    return {
        "sequence": entry.sequence,
        "recorded_at": entry.recorded_at,
        "happened_at": entry.happened_at,
        "subject": entry.subject,
        "type": entry.type,
        "actor": entry.actor,
        "says": sentence(entry.body),
    }


def _print_entry(entry: Entry, zone: tzinfo, as_json: bool) -> None:
    if as_json:
        print_json(entry_document(entry))
    elif isinstance(entry, Unread):
        say(f"{entry.sequence:>8}  {entry.subject}  cannot be read: {entry.reason}", "red")
    else:
        start = f"{entry.sequence:>8}  {moment(entry.recorded_at, zone)}  {entry.subject}"
        say(f"{start}  {entry.type}  by {entry.actor}: {sentence(entry.body)}")


async def _show(sequence: int, unsealed: bool, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        stored = await at(await session.log(), sequence)
        if stored is None:
            raise Failure(f"nothing stands at sequence {sequence}")
        document = await _document(session, stored, unsealed)
        if as_json:
            print_json(document)
        else:
            _print_stored(document, await session.zone(), stored)
        if not stored.is_intact:
            raise Failure(f"sequence {sequence}: its bytes do not give the hash that it claims")


async def _document(session: Session, stored: Stored, unsealed: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "sequence": stored.sequence,
        "recorded_at": stored.recorded_at,
        "subject": stored.subject,
        "intact": stored.is_intact,
        "headers": dict(stored.headers),
    }
    try:
        fact = stored.fact()
    except Unreadable as error:
        return document | {"unreadable": str(error), "body": stored.data.decode("utf-8", "replace")}
    body = (await opened(session, [fact]))[0] if unsealed else fact.body
    sealed = [name for name, words in personal(body) if words == SEALED]
    return document | {
        "type": fact.type,
        "says": sentence(body),
        "body": body.model_dump(mode="json"),
        "sealed": sealed,
    }


def _print_stored(document: Mapping[str, Any], zone: tzinfo, stored: Stored) -> None:
    intact = "intact" if document["intact"] else "NOT INTACT: the bytes do not give the hash"
    recorded = moment(stored.recorded_at, zone)
    say(f"{stored.sequence}  {stored.subject}  recorded {recorded}  {intact}", "bold")
    say(document.get("says") or f"cannot be read: {document['unreadable']}")
    for name, value in document["headers"].items():
        say(f"  {name}: {value}", "dim")
    body = document["body"]
    if isinstance(body, str):
        say(body)
        return
    for name in document["sealed"]:
        body[name] = f"(sealed with the key of {body[name]['key']})"
    say(json.dumps(body, indent=2, ensure_ascii=False))


async def _count(by: By, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        log, zone = await session.log(), await session.zone()
        key = _key_of(by, zone)
        counted: Counter[str] = Counter()
        unreadable = 0
        with progress_bar() as progress:
            bar = progress.add_task("counting", total=await head(log), told="")
            async for batch in read_log(log):
                unreadable += sum(isinstance(entry, Unread) for entry in batch)
                counted.update(key(entry) for entry in batch if not isinstance(entry, Unread))
                progress.update(bar, completed=batch[-1].sequence)
        ordered = sorted(counted.items()) if by is By.DAY else counted.most_common()
        total = counted.total()
        if as_json:
            print_json(
                {"total": total, "by": by, "counts": dict(ordered), "unreadable": unreadable}
            )
            return
        if ordered:
            print_table((by.value, "facts"), ordered)
        say(f"{total} facts" + (f", and {unreadable} that cannot be read" if unreadable else ""))


def _key_of(by: By, zone: tzinfo) -> Callable[[Recorded], str]:
    match by:
        case By.TYPE:
            return lambda fact: fact.type
        case By.STREAM:
            return lambda fact: fact.body.stream
        case By.ACTOR:
            return lambda fact: fact.actor
        case By.DAY:
            return lambda fact: fact.recorded_at.astimezone(zone).date().isoformat()
