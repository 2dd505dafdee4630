"""From a request to a command with its actor and moment; from a fact to what it causes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from contracts.envelope import Command, Header, Issued, Reason, Recorded, Refused

C = TypeVar("C", bound=Command)

ARCHIVE: Final = "archive"
"""The only party whose commands are decided at the moment they happened."""
COMMAND_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")


def issued_from(
    subject: str, headers: Mapping[str, str] | None, data: bytes, kind: type[C]
) -> Issued[C]:
    """The command in a request, with its actor (the subject's party), id and moment.

    Raises `ValidationError` for a wrong shape and `Refused` for wrong headers.
    """
    given = headers or {}
    actor = subject.split(".")[1]
    command = kind.model_validate_json(data)
    command_id = given.get(Header.ID) or str(getattr(command, "report_id", ""))
    if not COMMAND_ID.fullmatch(command_id):
        detail = "send your idempotency key: letters, digits, '_', '-' and '.', at most 120"
        raise Refused(Reason(code="bad_command_id", field=Header.ID, detail=detail))
    history = Header.HISTORY in given
    return Issued(
        command=command,
        command_id=command_id,
        actor=actor,
        at=_moment(given, actor) if history else datetime.now(UTC),
        correlation=given.get(Header.CORRELATION) or _subject_of(command) or command_id,
        history=history,
        trace=given.get(Header.TRACE),
    )


def reacting(fact: Recorded, command: C, *, room: str, name: str) -> Issued[C]:
    """The command that a room gives itself because of a fact.

    Its id follows from the fact (96 bits of its hash), so hearing the fact twice is harmless.
    Imported history is decided at the moment it happened, everything else now.
    """
    cause = blake2b(fact.fact_id.encode(), digest_size=12).hexdigest()
    return Issued(
        command=command,
        command_id=f"{name}-{cause}",
        actor=room,
        at=fact.happened_at if fact.history else datetime.now(UTC),
        cause=fact.fact_id,
        correlation=fact.correlation,
        history=fact.history,
        trace=fact.trace,
    )


def parked_headers(
    consumer: str, subject: str, sequence: int, headers: Mapping[str, str], error: Exception
) -> dict[str, str]:
    """The headers of a parked message: what it came with, where from, and why it is parked."""
    kept = {k: v for k, v in headers.items() if not k.lower().startswith("nats-")}
    return {
        **kept,
        "Nats-Msg-Id": f"{consumer}:{sequence}",
        "waggle-parked-sequence": str(sequence),
        "waggle-parked-subject": subject,
        "waggle-parked-reason": f"{type(error).__name__}: {error}"[:1000],
    }


def about(issued: Issued[Any]) -> str:
    """The id that an answer is about."""
    return _subject_of(issued.command) or issued.command_id


def _subject_of(command: Command) -> str:
    """The report or case a command speaks of, or nothing."""
    for name in ("report_id", "case_id", "party_id", "reward_id"):
        if value := getattr(command, name, None):
            return str(value)
    return ""


def _moment(headers: Mapping[str, str], actor: str) -> datetime:
    """The moment that history claims for itself."""
    if actor != ARCHIVE:
        detail = f"only the party '{ARCHIVE}' hands in history"
        raise Refused(Reason(code="history_not_allowed", field=Header.HISTORY, detail=detail))
    given = headers.get(Header.TIME, "")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise _bad_time(given) from error
    if moment.tzinfo is None:
        raise _bad_time(given)
    return moment


def _bad_time(given: str) -> Refused:
    detail = f"{given!r} is not an ISO 8601 time with its zone"
    return Refused(Reason(code="bad_time", field=Header.TIME, detail=detail))


def problems(error: ValidationError) -> tuple[Reason, ...]:
    """What is wrong with the shape of a request, field by field, without repeating its values."""
    return tuple(
        Reason(code=e["type"], field=".".join(map(str, e["loc"])) or None, detail=e["msg"])
        for e in error.errors(include_url=False, include_input=False)
    )
