"""`waggle timeline`: everything that happened to one report, in the order of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import typer
from nats.js import JetStreamContext

from cli.printing import moment, note, print_json, say
from cli.running import Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.wording import personal, sentence
from contracts.account import PointsAwarded
from contracts.envelope import Fact, Recorded
from eventlog.read import read_stream
from eventlog.sealing import BadKey, unseal

LONG_AFTER: Final = 60.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """A fact of the story, with its personal words as far as they can be read."""

    fact: Recorded
    body: Fact
    cause: str | None
    """The sequence of the fact that caused it, or that fact's id where it is not in the story."""


def timeline(
    report: Annotated[str, typer.Argument(metavar="ID", help="Id of a report or a case.")],
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
    """
    run(_timeline(token(report, "id"), data, as_json))


async def _timeline(report_id: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        facts = await story(session, report_id)
        if not facts:
            raise Failure(f"there is no report or case {report_id}")
        if as_json:
            print_json({"id": report_id, "facts": [as_document(told) for told in facts]})
            return
        print_story(facts, await session.zone())


def print_story(facts: Sequence[Told], zone: tzinfo) -> None:
    """Each fact with its times, who did it, because of what, and what it says."""
    indent = " " * 10
    for told in facts:
        fact = told.fact
        because = f"  because of {told.cause}" if told.cause else ""
        times = f"{moment(fact.happened_at, zone)}  {_recorded(fact, zone)}"
        say(f"{fact.sequence:>8}  {times}  {fact.type}  by {fact.actor}{because}", "bold")
        say(indent + sentence(told.body))
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


async def story(session: Session, report_id: str) -> list[Told]:
    """The facts about a report or case, in the log's order."""
    log = await session.log()
    facts = [fact async for fact in _both_streams(log, report_id)]
    facts += [fact async for fact in _around(session, log, facts, report_id)]
    facts.sort(key=lambda fact: fact.sequence)
    places = {fact.fact_id: f"#{fact.sequence}" for fact in facts}
    bodies = await opened(session, facts)
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
        "history": fact.history,
        "fact_id": fact.fact_id,
        "command_id": fact.command_id,
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
