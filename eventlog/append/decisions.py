"""A decision on its way into the log, and the ways it can end. Pure but for the caller's future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.envelope import Header
from eventlog.append.atomic import (
    EXPECTED_STREAM,
    MESSAGE_ID,
    MOST_ADDED_BYTES,
    MOST_HEADER_BYTES,
    MOST_MESSAGES,
    Frame,
    Unfit,
    frame,
)
from eventlog.message import LOG, Message


@dataclass(frozen=True, slots=True)
class Decision:
    """The facts of one command, and where each stream id ended when it was decided."""

    command_id: str
    messages: tuple[Message, ...]
    expected: Mapping[str, int]
    """Subject -> its last sequence as the decider saw it; 0: nothing was there. Exactly the
    subjects of `messages`: the server judges one condition a message, so a condition on a subject
    that nothing is written to could not be kept on a replicated stream."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The decision is in the log."""

    sequences: tuple[int, ...]
    """Where its facts are, in order."""
    hashes: tuple[str, ...]
    """Their hashes as stored."""
    duplicate: bool = False
    """It had been stored before, by a lost attempt or an earlier request: what is stored may
    differ from what was computed now, in content and in number, and it is what counts."""


class Conflict(Exception):
    """Somebody else wrote first. Nothing was stored: look again, decide again."""

    def __init__(self, actual: Mapping[str, int]) -> None:
        super().__init__(
            ", ".join(f"{s} is at {n}" for s, n in actual.items()) or "the log moved on"
        )
        self.actual = actual
        """Where the subjects that moved on end now, as far as known."""


class Unknown(Exception):
    """No definite answer within the budget. It may be stored: repeat with the same command id."""


class Busy(Exception):
    """Too much waits already, or it waited too long: never sent. Repeat a little later."""


class LogFull(Exception):
    """The log takes nothing more until an operator makes room; then repeat it, unchanged."""


class Rejected(Exception):
    """The server refused for a reason that only a bug or a wrong setting explains. Not stored."""


class Closed(Exception):
    """This appender was closed: it takes no more decisions."""


def frames(decision: Decision, max_payload: int, stream: str = LOG) -> tuple[Frame, ...]:
    """`decision` encoded once, for every attempt. Raises `Unfit` if it could never be stored."""
    messages, expected = decision.messages, decision.expected
    if not 1 <= len(messages) <= MOST_MESSAGES:
        raise Unfit(f"{decision.command_id}: {len(messages)} facts, not 1 to {MOST_MESSAGES}")
    written: set[str] = set()
    framed = []
    for message in messages:
        subject = message.subject
        if fault := _fault(decision, message, stream):
            raise Unfit(f"{decision.command_id}: {fault}")
        one = frame(message, None if subject in written else expected[subject])
        if len(one.head) > MOST_HEADER_BYTES or one.size > max_payload - MOST_ADDED_BYTES:
            raise Unfit(f"{decision.command_id}: {one.size} bytes are more than the server takes")
        written.add(subject)
        framed.append(one)
    if len(written) != len(expected):
        idle = ", ".join(sorted(set(expected) - written))
        raise Unfit(f"{decision.command_id}: a place is expected for {idle}, but no fact is there")
    if len(messages) > 1 and len({m.headers[MESSAGE_ID] for m in messages}) != len(messages):
        raise Unfit(f"{decision.command_id}: two facts have one message id")
    return tuple(framed)


def _fault(decision: Decision, message: Message, stream: str) -> str | None:
    """What is missing for exactly one such fact in the log, whatever is repeated."""
    headers = message.headers
    if headers.get(Header.COMMAND) != decision.command_id:
        return f"a fact is of command {headers.get(Header.COMMAND)}"
    if not headers.get(Header.HASH):
        return f"a fact lacks {Header.HASH}"
    if not headers.get(MESSAGE_ID) or headers.get(EXPECTED_STREAM) != stream:
        return f"a fact lacks {MESSAGE_ID} or {EXPECTED_STREAM}: {stream}"
    if decision.expected.get(message.subject, -1) < 0:
        return f"no place is expected for {message.subject}"
    return None


@dataclass(eq=False, slots=True)
class Entry:
    """A decision from the moment it is taken in until its caller has an answer."""

    decision: Decision
    frames: tuple[Frame, ...]
    future: asyncio.Future[Appended]
    deadline: float
    on_end: Callable[[Entry], None]
    size: int = field(init=False)
    doubtful: bool = False
    """Whether an attempt ended without a definite answer, so that it may be stored."""
    ended: bool = False

    def __post_init__(self) -> None:
        self.size = sum(f.size for f in self.frames)

    def stored_at(self, first: int) -> None:
        """It was stored just now, from sequence `first` on."""
        sequences = tuple(range(first, first + len(self.frames)))
        self.succeed(Appended(sequences, tuple(m.hash for m in self.decision.messages)))

    def succeed(self, appended: Appended) -> None:
        """Answer the caller."""
        if not self.future.done():
            self.future.set_result(appended)
        self._end()

    def fail(self, error: Exception) -> None:
        """Answer the caller, who may have gone."""
        if not self.future.done():
            self.future.set_exception(error)
        self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.on_end(self)


@dataclass(slots=True)
class Stats:
    """What an appender did since it was opened."""

    appended: int = 0
    """Decisions stored by us, just now."""
    messages: int = 0
    """Facts stored by us, just now."""
    singles: int = 0
    """Attempts as a plain publish."""
    batches: int = 0
    """Attempts as an atomic batch of one decision."""
    groups: int = 0
    """Attempts as an atomic batch of several decisions."""
    grouped: int = 0
    """Decisions sent in groups."""
    largest_group: int = 0
    """Decisions in the largest group."""
    retries: int = 0
    """Attempts after one without a definite answer."""
    fallen_apart: int = 0
    """Groups that were refused."""
    duplicates: int = 0
    conflicts: int = 0
    unknown: int = 0
    busy: int = 0
    full: int = 0
    rejected: int = 0

    def sent(self, entries: Sequence[Entry]) -> None:
        """Count one attempt."""
        if len(entries) > 1:
            self.groups += 1
            self.grouped += len(entries)
            self.largest_group = max(self.largest_group, len(entries))
        elif len(entries[0].frames) > 1:
            self.batches += 1
        else:
            self.singles += 1
