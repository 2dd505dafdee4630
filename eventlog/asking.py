"""Sending a command and staying with it until there is a definite answer.

A timeout is not a failure: the very same command is sent again, and the log sees to it that it
is never done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from random import uniform
from time import monotonic
from typing import Final, TypeVar

import nats.errors
from nats.aio.client import Client
from pydantic import BaseModel

from contracts.envelope import Answer, Answers, Command, Header, Outcome, Reason, command_subject

M = TypeVar("M", bound=BaseModel)
A = TypeVar("A", bound=Answer)

PATIENCE: Final = 60.0
"""Seconds to go on asking before giving the sender an `unknown`."""
TIMEOUT: Final = 5.0
FIRST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 1.0
UNDECIDED: Final = (Outcome.BUSY, Outcome.UNKNOWN)


class NoAnswer(Exception):
    """Nobody answered in all that time. The command may have been carried out: send it again."""


async def ask(
    nc: Client,
    party: str,
    command: Command,
    command_id: str,
    *,
    history_at: datetime | None = None,
    patience: float = PATIENCE,
) -> tuple[Answer, bool]:
    """The answer to a command, and whether it had been decided before.

    Never raises for silence: after `patience` seconds the outcome is `unknown`.
    """
    return await ask_as(
        nc, party, command, command_id, Answer, history_at=history_at, patience=patience
    )


async def ask_as(
    nc: Client,
    party: str,
    command: Command,
    command_id: str,
    kind: type[A],
    *,
    history_at: datetime | None = None,
    patience: float = PATIENCE,
) -> tuple[A, bool]:
    """`ask` where the answer says more than an answer does."""
    headers = command_headers(command_id, history_at)
    give_up = monotonic() + patience
    try:
        reply, known = await _until(nc, party, command, headers, kind, give_up)
    except NoAnswer as silence:
        reason = Reason(code=Outcome.UNKNOWN, detail=str(silence))
        return kind(outcome=Outcome.UNKNOWN, id=command_id, reasons=(reason,)), False
    return reply, known


async def ask_many(
    nc: Client,
    party: str,
    command: Command,
    command_id: str,
    *,
    history: bool = False,
    patience: float = PATIENCE,
) -> Answers:
    """The answers to a bulk command. Raises `NoAnswer`."""
    headers = command_headers(command_id, None)
    if history:
        headers |= {Header.HISTORY: "true", Header.TIME: "1970-01-01T00:00:00+00:00"}
    reply, _ = await _until(nc, party, command, headers, Answers, monotonic() + patience)
    return reply


async def ask_for(nc: Client, party: str, question: Command, kind: type[M]) -> M | Answer:
    """The reply to a question, or the answer that says why there is none. Raises `NoAnswer`."""
    data = await _request(
        nc, party, question, command_headers(f"ask-{monotonic():.6f}", None), monotonic() + TIMEOUT
    )
    if data is None:
        raise NoAnswer(f"nobody answered {type(question).__name__}")
    body, _ = data
    return (
        Answer.model_validate_json(body)
        if b'"outcome"' in body[:20]
        else kind.model_validate_json(body)
    )


def command_headers(command_id: str, history_at: datetime | None) -> dict[str, str]:
    """The headers of a command."""
    headers = {Header.ID: command_id}
    if history_at is not None:
        headers |= {Header.HISTORY: "true", Header.TIME: history_at.isoformat()}
    return headers


async def _until(
    nc: Client,
    party: str,
    command: Command,
    headers: Mapping[str, str],
    kind: type[M],
    give_up: float,
) -> tuple[M, bool]:
    wait = FIRST_WAIT
    last: str = "nobody answered"
    while True:
        received = await _request(nc, party, command, headers, give_up)
        if received is not None:
            body, known = received
            if not issubclass(kind, Answer) and b'"outcome"' in body[:20]:
                last = Answer.model_validate_json(body).model_dump_json()
            else:
                reply = kind.model_validate_json(body)
                if (
                    not isinstance(reply, Answer)
                    or reply.outcome not in UNDECIDED
                    or monotonic() > give_up
                ):
                    return reply, known
        if monotonic() > give_up:
            raise NoAnswer(
                f"{type(command).__name__} {headers[Header.ID]}: {last}; send it again, unchanged"
            )
        await asyncio.sleep(uniform(wait / 2, wait))
        wait = min(wait * 2, LONGEST_WAIT)


async def _request(
    nc: Client, party: str, command: Command, headers: Mapping[str, str], give_up: float
) -> tuple[bytes, bool] | None:
    """One try: the reply's body and whether it was known before; None where nobody answered.

    Raises `MaxPayloadError` for what is too large to be sent at all: no later try would be smaller.
    """
    subject = command_subject(party, command.room, command.token)
    timeout = min(TIMEOUT, max(0.5, give_up - monotonic()))
    try:
        reply = await nc.request(
            subject, command.model_dump_json().encode(), timeout=timeout, headers=dict(headers)
        )
    except nats.errors.MaxPayloadError:
        raise
    except (TimeoutError, nats.errors.Error, OSError):
        return None
    return reply.data, Header.KNOWN in (reply.headers or {})
