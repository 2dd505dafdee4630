"""What the verbs of the store share: who acts, how it is sent, what the tables say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer

from cli.ids import new_id
from cli.printing import OUTCOME_EXITS, finish, in_words, note, print_json, say
from cli.running import Exit, run
from cli.sending import CATCHING_UP
from cli.session import Session, open_session
from contracts.envelope import Command, Outcome, Words
from contracts.reward import Ticket
from deploy.house import OFFICER
from eventlog.asking import ask_as
from eventlog.columns import columns_of
from eventlog.project import wait_for
from eventlog.read import head
from services.points.projection import STORE

T = TypeVar("T")

OfficerOption = Annotated[str, typer.Option("--as", metavar="OFFICER", help="Who does it.")]
PartyOption = Annotated[
    str | None,
    typer.Option("--as", metavar="PARTY", help="Who does it; the rider's platform by default."),
]
RiderOption = Annotated[str, typer.Option("--rider", help="The rider.")]
LanguageOption = Annotated[str, typer.Option("--language", help="Of names: zh or en.")]

Who = Callable[[Session], Awaitable[str]]
"""Who does it where nobody is named."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One verb: as whom, under which command id, in which house."""

    party: str | None
    command_id: str | None
    data: Path
    as_json: bool

    def run(self, command: Command, default: Who) -> None:
        """Send the command, as `default` where nobody is named, and end with its exit code."""
        finish(run(self._run(command, default)))

    async def _run(self, command: Command, default: Who) -> Exit:
        async with open_session(self.data, quiet=self.as_json) as session:
            party = self.party or await default(session)
            if self.party is None:
                note(f"acting as {party}; --as names another party")
            return await send(session, command, party, self.command_id, as_json=self.as_json)


async def send(
    session: Session, command: Command, party: str, command_id: str | None, *, as_json: bool
) -> Exit:
    """Send a command of the store, stay until there is an answer, print it."""
    nc = await session.nats(party)
    chosen = command_id or new_id()
    if command_id is None:
        note(f"to send this again: --as {party} --command-id {chosen}")
    ticket, known = await ask_as(nc, party, command, chosen, Ticket)
    print_ticket(ticket, known=known, as_json=as_json, **{"as": party, "command_id": chosen})
    return OUTCOME_EXITS[ticket.outcome]


def print_ticket(ticket: Ticket, *, known: bool, as_json: bool, **beside: object) -> None:
    """The answer; with the code to show, where there is one."""
    if as_json:
        print_json({**ticket.model_dump(mode="json"), "known": known, **beside})
        return
    accepted = ticket.outcome is Outcome.ACCEPTED
    again = "  (decided before; nothing has changed)" if known else ""
    at = f"  sequence {ticket.sequence}" if ticket.sequence is not None else ""
    say(f"{ticket.outcome}  {ticket.id}{at}{again}", "green" if accepted else "yellow")
    if ticket.price is not None:
        say(f"  {ticket.step}, {ticket.price} points")
    if ticket.code is not None:
        until = f", to be used by {ticket.use_by.isoformat()}" if ticket.use_by else ""
        say(f"  code {ticket.code}{until}", "bold")
    for reason in ticket.reasons:
        say(f"  {in_words(reason)}")


async def officer(_: Session) -> str:
    """The officer of the house."""
    return OFFICER


def platform_of(rider: str) -> Who:
    """The platform that has registered a rider; the first one of the rulebook for a stranger."""

    async def found(session: Session) -> str:
        platform: str | None = await (await session.tables()).fetchval(
            "SELECT platform FROM intake.party WHERE party_id = $1", rider
        )
        return platform or (await session.rulebook()).platforms[0].code

    return found


def platform_behind(redemption_id: str) -> Who:
    """The platform that a redemption was made through."""

    async def found(session: Session) -> str:
        tables = await shown(session)
        platform: str | None = await tables.fetchval(
            "SELECT platform FROM store.redemption WHERE redemption_id = $1", redemption_id
        )
        return platform or OFFICER

    return found


async def shown(session: Session) -> asyncpg.Pool:
    """The tables, as soon as they show the last fact of the store."""
    tables = await session.tables()
    if last := await head(await session.log(), STORE.subjects):
        try:
            await wait_for(tables, STORE.name, last, timeout=CATCHING_UP)
        except TimeoutError:
            note(f"the tables are behind: sequence {last} of the store is not in them yet")
    return tables


def named(text: str, english: str | None = None) -> Words:
    """A name as it is typed: in one language for both, or in both."""
    return Words(zh=text, en=english or text)


def document(row: Any) -> dict[str, Any]:
    """A row as JSON says it."""
    return {name: value for name, value in dict(row).items() if name != "sequence"}


def as_rows(kind: type[T], records: Iterable[asyncpg.Record]) -> list[T]:
    """Records of a table as the rows that they are."""
    columns = columns_of(kind)
    return [
        kind(
            **{
                c.name: c.read(record[c.name])
                if c.read and record[c.name] is not None
                else record[c.name]
                for c in columns
            }
        )
        for record in records
    ]
