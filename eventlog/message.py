"""A fact on the wire: headers, body, and the hash chain of its stream id. Pure.

How the chain is hashed is written in `proof.chain`, so that an auditor can check it alone.
The hash of a fact covers the hash before it, its subject, every header that carries meaning,
and the stored bytes. Since optimistic concurrency makes each stream id a strict sequence, the
chain costs nothing and shows any change, drop or swap inside a stream id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts.envelope import (
    Command,
    Erased,
    Fact,
    Header,
    Issued,
    Recorded,
    Sealed,
    Unreadable,
    fact_id,
    log_subject,
    read_body,
)
from proof.chain import NO_HASH, chain_hash

__all__ = ["LOG", "NO_HASH", "Message", "chain_hash", "decode", "encode", "is_intact"]

LOG: Final = "LOG"
"""The name of the one stream that is the truth."""


@dataclass(frozen=True, slots=True)
class Message:
    """One fact, ready to be stored. Every attempt to store it sends these same bytes."""

    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def hash(self) -> str:
        """The chain hash of this fact."""
        return self.headers[Header.HASH]


def encode(
    facts: Sequence[Fact],
    issued: Issued[Command],
    *,
    source: str,
    fingerprint: str,
    last_hash: Mapping[str, str],
) -> tuple[Message, ...]:
    """The messages of one decision, chained onto `last_hash` of each subject.

    Raises `ValueError` for a fact with a personal field that is not sealed: nothing personal
    reaches the log in clear.
    """
    heads = dict(last_hash)
    shared = {
        Header.SPEC: "1.0",
        Header.SOURCE: f"/waggle/{source}",
        Header.TIME: issued.at.astimezone(UTC).isoformat(),
        Header.COMMAND: issued.command_id,
        Header.FINGERPRINT: fingerprint,
        Header.CORRELATION: issued.correlation or issued.command_id,
        Header.ACTOR: issued.actor,
        "content-type": "application/json",
    }
    if issued.cause:
        shared[Header.CAUSE] = issued.cause
    if issued.history:
        shared[Header.HISTORY] = "true"
    if issued.trace:
        shared[Header.TRACE] = issued.trace
    messages = []
    for index, fact in enumerate(facts):
        _insist_on_sealed(fact)
        subject = log_subject(fact.stream, fact.stream_id)
        body = fact.__pydantic_serializer__.to_json(fact)
        its_id = fact_id(fact.stream, fact.stream_id, issued.command_id, index)
        headers = {
            **shared,
            "Nats-Msg-Id": its_id,
            "Nats-Expected-Stream": LOG,
            Header.ID: its_id,
            Header.TYPE: f"waggle.{fact.stream}.{type(fact).__name__}",
            Header.SUBJECT: fact.stream_id,
            Header.VERSION: str(fact.schema_version),
            Header.PREVIOUS: heads.get(subject, NO_HASH),
        }
        headers[Header.HASH] = heads[subject] = chain_hash(subject, headers, body)
        messages.append(Message(subject, headers, body))
    return tuple(messages)


def decode(
    subject: str,
    headers: Mapping[str, str] | None,
    body: bytes,
    *,
    sequence: int,
    recorded_at: datetime,
) -> Recorded:
    """The fact that a stored message is. Raises `Unreadable` with the reason and the place."""
    try:
        given = headers or {}
        kind = given[Header.TYPE].rpartition(".")[2]
        fact = read_body(kind, int(given[Header.VERSION]), body)
        if log_subject(fact.stream, fact.stream_id) != subject:
            raise Unreadable(f"{kind} belongs on {log_subject(fact.stream, fact.stream_id)}")
        return Recorded(
            sequence=sequence,
            recorded_at=recorded_at,
            subject=subject,
            fact_id=given[Header.ID],
            command_id=given[Header.COMMAND],
            fingerprint=given.get(Header.FINGERPRINT, ""),
            happened_at=datetime.fromisoformat(given[Header.TIME]),
            actor=given[Header.ACTOR],
            source=given[Header.SOURCE],
            cause=given.get(Header.CAUSE),
            correlation=given.get(Header.CORRELATION),
            history=Header.HISTORY in given,
            previous_hash=given[Header.PREVIOUS],
            hash=given[Header.HASH],
            trace=given.get(Header.TRACE),
            body=fact,
        )
    except (KeyError, ValueError) as error:
        raise Unreadable(f"sequence {sequence} on {subject}: header {error}") from error
    except Unreadable as error:
        raise Unreadable(f"sequence {sequence} on {subject}: {error}") from error


def is_intact(recorded: Recorded, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the stored bytes give the stored hash."""
    return chain_hash(recorded.subject, headers, body) == recorded.hash


def _insist_on_sealed(fact: Fact) -> None:
    for name in fact.personal:
        value = getattr(fact, name)
        if value is not None and not isinstance(value, Sealed | Erased):
            raise ValueError(
                f"{type(fact).__name__}.{name} is personal and must be sealed before it is written"
            )
