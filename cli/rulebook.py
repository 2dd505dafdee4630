"""`waggle rulebook`: rule documents checked, published, listed, compared and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.catalogue import condition_as_document, print_catalogue, print_condition
from cli.gaps import gaps
from cli.printing import finish, moment, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.sending import CommandIdOption, Sender, send
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.envelope import Recorded, Words
from contracts.rulebook import (
    Catalogue,
    Change,
    Document,
    DocumentKind,
    PublishRulebook,
    Rulebook,
    RulebookPublished,
    changes,
)
from deploy.house import running_house
from deploy.provision import PROVISIONER
from deploy.rulebooks import Reading, load_rulebook, read_rulebook
from eventlog.read import Unread, read_log

app = typer.Typer(help="The rules: catalogue, places, routing, calendar, earning.")
PathsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...", exists=True, help="Files (YAML, JSON, GeoJSON) or folders of them."
    ),
]
ENVELOPE: Final = 4096
"""Bytes of a message beside its documents."""


app.command("gaps")(gaps)


@app.callback(no_args_is_help=True)
def _group() -> None:
    """The rules of a house, as versioned documents."""


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", exists=True, help="The built-in ones where not given."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say everything that is wrong with rule documents: file, place, reason, what to do.

    Kinds that are left out are taken from the house that runs in DATA, else from the built-in
    rulebook. Nothing is changed. Exit code 2 when there is an error; warnings (areas that
    overlap, ground that nobody has) are told and are none.
    """
    finish(run(_check(paths or [], data, as_json)))


async def _check(paths: Sequence[Path], data: Path, as_json: bool) -> Exit:
    reading = read_rulebook(paths, await _beside(data) if paths else None)
    _print_reading(reading, as_json)
    return Exit.WRONG_INPUT if reading.errors else Exit.DONE


async def _beside(data: Path) -> Rulebook:
    """The rules of the running house, else the built-in ones."""
    if running_house(data) is None:
        return Rulebook.model_validate(load_rulebook())
    async with open_session(data) as session:
        return await session.rulebook()


def _print_reading(reading: Reading, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "ok": not reading.errors,
                "documents": [
                    {"kind": d.kind, "version": d.version, "file": reading.files[d.kind]}
                    for d in reading.documents.values()
                ],
                "found": [
                    {
                        "file": found.file,
                        "kind": found.flaw.kind,
                        "path": found.flaw.path,
                        "reason": found.flaw.reason,
                        "suggestion": found.flaw.suggestion,
                        "severity": found.flaw.severity,
                    }
                    for found in reading.found
                ],
            }
        )
        return
    for document in reading.documents.values():
        say(f"{document.kind} {document.version}  {reading.files[document.kind]}")
    for found in reading.found:
        say(f"{found.flaw.severity}  {found}", "red" if found in reading.errors else "yellow")
    count = len(reading.errors)
    say(f"{count} errors" if count else "no errors", "red" if count else "green")


@app.command()
def publish(
    paths: PathsArgument,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put rule documents in force: all of them, or none.

    They are checked together with those in force. Each needs a version above the one that is
    published of its kind; a document that is published already is left as it is.
    """
    finish(run(_publish(paths, command_id, data, as_json)))


async def _publish(
    paths: Sequence[Path], command_id: str | None, data: Path, as_json: bool
) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        document = read_rulebook(paths, await session.rulebook()).insist().as_command()
        body = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
        most = (await session.nats(PROVISIONER)).max_payload - ENVELOPE
        if len(body) > most:
            raise Failure(
                f"the documents take {len(body):,} bytes, the server takes {most:,}: publish each "
                "by itself, or raise max_payload of the server",
                Exit.WRONG_INPUT,
            )
        own_id = command_id or f"rulebook.{sha256(body).hexdigest()[:32]}"
        sender = Sender(PROVISIONER, own_id, as_json)
        return await send(session, PublishRulebook(document=document), sender)


@app.command("list")
def list_documents(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """Every rule document that was published, from when it holds, and which are in force."""
    run(_list(data, as_json))


async def _list(data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        facts, zone = await _published(session), await session.zone()
        book = (await session.rulebooks()).at(datetime.now(UTC))
        now = {(d.kind, d.version) for d in book.documents} if book else set()
        rows = [
            {
                "rulebook": fact.name,
                "kind": fact.kind,
                "version": fact.version,
                "effective_from": fact.document.effective_from,
                "published_at": recorded.recorded_at,
                "sequence": recorded.sequence,
                "by": recorded.actor,
                "digest": fact.digest,
                "in_force": (fact.kind, fact.version) in now,
            }
            for recorded, fact in facts
        ]
        if as_json:
            print_json({"in_force": book.label if book else None, "documents": rows})
            return
        lines = (
            (
                document.document.kind,
                document.version,
                moment(document.document.effective_from, zone),
                moment(recorded.recorded_at, zone),
                recorded.sequence,
                "in force" if (document.kind, document.version) in now else "",
            )
            for recorded, document in facts
        )
        print_table(("kind", "version", "holds from", "published", "fact", ""), lines)
        say(f"in force: {book.label}" if book else "nothing is in force")


@app.command()
def show(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[WHICH]", help="A kind, `kind@version`, a label, or the code of a condition."
        ),
    ] = "",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """The rules in force, one document of them, or one condition with all that hangs on it.

    Examples:
      waggle rulebook show
      waggle rulebook show manhole-missing-missing
      waggle rulebook show catalogue
      waggle rulebook show routing@2 --json
      waggle rulebook show fengxi@3.1.2.1.1
    """
    run(_show(which, data, as_json))


async def _show(which: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        found = (await session.rulebook()).by_condition.get(which)
        documents = () if found else await _meant(session, which)
    if found:
        print_json(condition_as_document(*found)) if as_json else print_condition(*found)
        return
    if as_json:
        told = [document.model_dump(mode="json") for document in documents]
        print_json(told[0] if len(told) == 1 else {d["kind"]: d for d in told})
        return
    for document in documents:
        since = document.effective_from.isoformat()
        say(f"{document.kind} {document.version} of {document.rulebook}, from {since}", "bold")
        if document.title:
            say(f"  {document.title.zh}  {document.title.en}")
        if isinstance(document, Catalogue):
            print_catalogue(document)
        else:
            for name, count in _counts(document):
                say(f"  {name}: {count}")


def _counts(document: Document) -> Iterator[tuple[str, str]]:
    """How much there is of what, and what is said in one word."""
    for name, value in document:
        if name in ("rulebook", "kind", "version", "effective_from", "title", "type"):
            continue
        match value:
            case tuple() | dict():
                yield name, str(len(value))
            case Words():
                yield name, value.zh
            case str() | int():
                yield name, str(value)


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(help="A file, a folder, `kind@version`, or a label; else in force.")
    ],
    after: Annotated[str, typer.Argument(help="The same; what is in force where not given.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """What changed, place by place. With one argument: from the rules in force to it.

    Examples:
      waggle rulebook diff new-calendar.yaml
      waggle rulebook diff catalogue@1 catalogue@2
    """
    sides = _Sides(before, after) if after else _Sides("", before)
    finish(run(_diff(sides, data, as_json)))


@dataclass(frozen=True, slots=True)
class _Sides:
    before: str
    after: str


async def _diff(sides: _Sides, data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        new = {d.kind: d for d in await _meant(session, sides.after)}
        old = {d.kind: d for d in await _meant(session, sides.before)}
    if not (both := [kind for kind in new if kind in old]):
        raise Failure("the two have no kind of document in common", Exit.WRONG_INPUT)
    found = [change for kind in both for change in changes(old[kind], new[kind])]
    if as_json:
        print_json({"changes": [_as_row(change) for change in found]})
    else:
        for change in found:
            say(f"{change.kind}  {change.path}")
            say(f"  - {_text(change.before)}", "red")
            say(f"  + {_text(change.after)}", "green")
        say(f"{len(found)} changes")
    return Exit.NO if found else Exit.DONE


def _as_row(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "path": change.path,
        "before": change.before,
        "after": change.after,
    }


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


async def _published(session: Session) -> list[tuple[Recorded, RulebookPublished]]:
    batches = [b async for b in read_log(await session.log(), subjects=("log.rulebook.>",))]
    facts = [entry for batch in batches for entry in batch if not isinstance(entry, Unread)]
    return [(fact, fact.body) for fact in facts if isinstance(fact.body, RulebookPublished)]


async def _meant(session: Session, which: str) -> tuple[Document, ...]:
    """The documents that a file, a kind, a version or a label means."""
    if file := _file(which):
        book = await session.rulebook()
        return tuple(read_rulebook([file], book).insist().documents.values())
    kind, _, version = which.partition("@")
    if kind in tuple(DocumentKind):
        there = [fact.document for _, fact in await _published(session) if fact.kind == kind]
        if not version:
            return (_of_kind(await session.rulebook(), kind),)
        found = [document for document in there if str(document.version) == version]
        if found:
            return (found[-1],)
        known = ", ".join(str(document.version) for document in there)
        raise Failure(f"there is no {kind}@{version}; published are {known}", Exit.WRONG_INPUT)
    if not which:
        return (await session.rulebook()).documents
    return _labelled(which, [fact.document for _, fact in await _published(session)])


def _file(which: str) -> Path | None:
    return Path(which) if which and Path(which).exists() else None


def _labelled(label: str, there: Sequence[Document]) -> tuple[Document, ...]:
    """The five documents that a decision was made by."""
    name, _, versions = label.partition("@")
    wanted = dict(zip(DocumentKind, versions.split("."), strict=False))
    found: dict[str, Document] = {
        d.kind: d
        for d in there
        if d.rulebook == name and wanted.get(DocumentKind(d.kind)) == str(d.version)
    }
    if len(found) < len(DocumentKind):
        kinds = ", ".join(DocumentKind)
        raise Failure(
            f"'{label}' is no file, no kind ({kinds}) and no label such as fengxi@1.1.1.1.1",
            Exit.WRONG_INPUT,
        )
    return tuple(found[kind] for kind in DocumentKind)


def _of_kind(book: Rulebook, kind: str) -> Document:
    return next(document for document in book.documents if document.kind == kind)
