"""From options to a command, and from a command to its printed answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from cli.ids import new_id
from cli.printing import finish, in_words, note, print_answer
from cli.running import Exit, Failure, run
from cli.session import Session, open_session
from contracts.envelope import TOKEN, Command, log_subject
from eventlog.asking import ask
from eventlog.project import wait_for
from eventlog.read import head
from eventlog.receiving import problems
from services.router.projection import ROUTER

M = TypeVar("M", bound=BaseModel)

CATCHING_UP: Final = 10.0
"""Seconds to wait until the tables show what the log holds."""

CommandIdOption = Annotated[
    str | None,
    typer.Option(
        "--command-id",
        help="Idempotency key; made here where not given. Sent again, nothing is done twice.",
    ),
]


@dataclass(frozen=True, slots=True)
class Sender:
    """How a command is sent and its answer printed."""

    party: str
    command_id: str | None
    as_json: bool


def build(kind: type[M], /, **fields: Any) -> M:
    """The command, or a part of one; what is wrong with an option is said in words."""
    try:
        return kind(**fields)
    except ValidationError as error:
        raise typer.BadParameter("; ".join(map(in_words, problems(error)))) from error


def token(value: str, what: str) -> str:
    """An id or code that fits into a subject."""
    if not re.fullmatch(TOKEN, value):
        raise typer.BadParameter(f"{what} {value!r}: letters, digits, '_' and '-', at most 64")
    return value


def carry(command: Command, sender: Sender, data: Path, **beside: object) -> None:
    """Send a command into the house of `data`, and end with the exit code of its answer."""
    finish(run(_carry(command, sender, data, beside)))


async def _carry(
    command: Command, sender: Sender, data: Path, beside: Mapping[str, object]
) -> Exit:
    async with open_session(data, quiet=sender.as_json) as session:
        return await send(session, command, sender, **beside)


async def send(session: Session, command: Command, sender: Sender, **beside: object) -> Exit:
    """Send a command, stay until there is an answer, print it; in JSON with what stands `beside`.

    The command id is told before it is sent: whoever loses the answer can ask again.
    """
    nc = await session.nats(sender.party)
    command_id = sender.command_id or new_id()
    if sender.command_id is None:
        note(f"to send this again: --as {sender.party} --command-id {command_id}")
    answer, known = await ask(nc, sender.party, command, command_id)
    told = {"as": sender.party, "command_id": command_id, **beside}
    return print_answer(answer, known=known, as_json=sender.as_json, **told)


async def catch_up(session: Session, case_id: str) -> int:
    """Wait until the case's row shows the last fact of its stream; the sequence of that fact."""
    last = await head(await session.log(), (log_subject("case", case_id),))
    if last:
        try:
            await wait_for(await session.tables(), ROUTER.name, last, timeout=CATCHING_UP)
        except TimeoutError:
            note(f"the tables are behind: sequence {last} of the case is not in them yet")
    return last


async def holder(session: Session, case_id: str) -> str:
    """The unit that holds a case now."""
    await catch_up(session, case_id)
    tables = await session.tables()
    unit: str | None = await tables.fetchval(
        "SELECT unit FROM router.case WHERE case_id = $1", case_id
    )
    if unit is None:
        raise Failure(
            f"nobody holds a case {case_id}; `waggle timeline {case_id}` tells what there is"
        )
    return unit
