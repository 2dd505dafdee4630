"""`waggle timeline`: everything that happened to one report, in the order of the log."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import typer
from nats.js import JetStreamContext

from cli.case_words import beside
from cli.demo.names import Names
from cli.printing import moment, note, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.timeline_page import Setting, page, rules_of
from cli.wording import Told, personal, sentence
from contracts.account import PointsAwarded
from contracts.envelope import Fact, Recorded
from eventlog.read import read_stream
from eventlog.sealing import BadKey, unseal

LONG_AFTER: Final = 60.0
"""Seconds."""


class Language(StrEnum):
    """What a page can be written in."""

    EN = "en"
    ZH = "zh"


def timeline(
    report: Annotated[str, typer.Argument(metavar="ID", help="Id of a report or a case.")],
    as_table: Annotated[bool, typer.Option("--table", help="A line for each fact.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", dir_okay=False, help="Write a page that needs no other file."
        ),
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="Of the page.")] = Language.EN,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Leave personal words sealed, keys or not.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Everything that happened to a report: its streams, points and notices, in the log's order.

    Each fact with the moment it happened and the moment it was recorded, who
    did it, and what it says. Personal words are opened where the keys are at
    hand.

    Examples:
      waggle timeline 01JD2Q8Z7N4X0V5M3K9R6T1W8C
      waggle timeline 01JD2Q8Z7N4X0V5M3K9R6T1W8C --json
      waggle timeline 01JD2Q8Z7N4X0V5M3K9R6T1W8C --html r.html --language zh --sealed
    """
    run(_timeline(token(report, "id"), as_table, html, language, sealed, data, as_json))


async def _timeline(
    report_id: str,
    as_table: bool,
    html: Path | None,
    language: Language,
    sealed: bool,
    data: Path,
    as_json: bool,
) -> None:
    async with open_session(data, quiet=as_json) as session:
        facts = await story(session, report_id, sealed=sealed)
        if not facts:
            raise Failure(f"there is no report or case {report_id}")
        zone = await session.zone()
        if html is not None:
            setting = Setting(language, Names(await session.rulebook()), zone)
            write_page(html, page(report_id, facts, setting))
            note(f"written: {html}")
        if as_json:
            print_json({"id": report_id, "facts": [as_document(told) for told in facts]})
        elif as_table:
            print_facts(facts, zone)
        elif html is None:
            print_story(facts, zone)


def write_page(file: Path, text: str) -> None:
    """Whole or not at all. What somebody wrote may be in it: only the owner may read it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as page_file:
            page_file.write(text)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Failure(f"{file} cannot be written: {error.strerror}", Exit.WRONG_INPUT) from error


def print_facts(facts: Sequence[Told], zone: tzinfo) -> None:
    """A line for each fact: when, who, because of what, by which rules."""
    rows = (
        (
            told.fact.sequence,
            moment(told.fact.happened_at, zone),
            _recorded(told.fact, zone).removeprefix("recorded "),
            told.fact.type,
            told.fact.actor,
            told.cause,
            rules_of(told.body),
        )
        for told in facts
    )
    print_table(("sequence", "happened", "recorded", "fact", "by", "because of", "rules"), rows)


def print_story(facts: Sequence[Told], zone: tzinfo) -> None:
    """Each fact with its times, who did it, because of what, and what it says."""
    indent = " " * 10
    for told in facts:
        fact = told.fact
        because = f"  because of {told.cause}" if told.cause else ""
        because += f"  by rules {rules}" if (rules := rules_of(told.body)) else ""
        times = f"{moment(fact.happened_at, zone)}  {_recorded(fact, zone)}"
        say(f"{fact.sequence:>8}  {times}  {fact.type}  by {fact.actor}{because}", "bold")
        say(indent + sentence(told.body))
        for line in beside(told.body):
            say(f"{indent}{line}", "dim")
        if seen := getattr(told.body, "seen_at", None):
            say(f"{indent}seen at {moment(seen, zone)} by the reporter's clock")
        for name, words in personal(told.body):
            say(f"{indent}{name}: " + words.replace("\n", f"\n{indent}  "), "cyan")


def _recorded(fact: Recorded, zone: tzinfo) -> str:
    """When the log took it: how much later, or at what time where that is long after."""
    later = (fact.recorded_at - fact.happened_at).total_seconds()
    if abs(later) < LONG_AFTER:
        return f"recorded {later:+.3f} s"
    return f"recorded {moment(fact.recorded_at, zone)}"


async def story(session: Session, report_id: str, *, sealed: bool = False) -> list[Told]:
    """The facts about a report or case, in the log's order; with `sealed` no words are opened."""
    log = await session.log()
    facts = [fact async for fact in _both_streams(log, report_id)]
    facts += [fact async for fact in _around(session, log, facts, report_id)]
    facts.sort(key=lambda fact: fact.sequence)
    places = {fact.fact_id: f"#{fact.sequence}" for fact in facts}
    bodies = [fact.body for fact in facts] if sealed else await opened(session, facts)
    return [
        Told(fact, body, places.get(fact.cause, fact.cause) if fact.cause else None)
        for fact, body in zip(facts, bodies, strict=True)
    ]


async def opened(session: Session, facts: Sequence[Recorded]) -> list[Fact]:
    """The bodies, personal words readable where the keys of this house are at hand."""
    try:
        return await unseal(facts, await session.keys())
    except (OSError, BadKey, asyncpg.PostgresError) as error:
        note(f"personal words stay sealed: {error}")
        return [fact.body for fact in facts]


def as_document(told: Told) -> dict[str, Any]:
    """A fact of the story for programs."""
    fact = told.fact
    return {
        "sequence": fact.sequence,
        "subject": fact.subject,
        "type": fact.type,
        "happened_at": fact.happened_at,
        "recorded_at": fact.recorded_at,
        "actor": fact.actor,
        "cause": fact.cause,
        "correlation": fact.correlation,
        "rulebook": rules_of(told.body),
        "history": fact.history,
        "fact_id": fact.fact_id,
        "command_id": fact.command_id,
        "hash": fact.hash,
        "says": sentence(told.body),
        "body": told.body.model_dump(mode="json"),
    }


async def _both_streams(log: JetStreamContext, report_id: str) -> AsyncIterator[Recorded]:
    for stream in ("report", "case"):
        async for fact in read_stream(log, stream, report_id, leader=True):
            yield fact


async def _around(
    session: Session, log: JetStreamContext, facts: Sequence[Recorded], report_id: str
) -> AsyncIterator[Recorded]:
    """Points and notices of the report. Which notices there are, the tables know."""
    for rider in sorted(
        {str(rider) for f in facts if (rider := getattr(f.body, "rider_id", None))}
    ):
        async for fact in read_stream(log, "account", rider):
            if isinstance(fact.body, PointsAwarded) and fact.body.report_id == report_id:
                yield fact
    tables = await session.tables()
    notices = await tables.fetch(
        "SELECT DISTINCT notice_id FROM notify.notice WHERE report_id = $1", report_id
    )
    for row in notices:
        async for fact in read_stream(log, "notice", row["notice_id"]):
            yield fact
