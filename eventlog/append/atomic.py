"""Messages on the wire: single publishes and atomic batches, each with one answer.

The client library has no publisher of atomic batches, and its own publish checks and encodes
every header of every message anew: 30 to 40 microseconds a message before any answer. Here the
part that never changes is encoded once (`frame`), all that goes together is one write, and all
answers come back on one inbox: the whole way costs less than half (`python -m bench.append`).
The price is two private methods of the client, `_send_command` and `_flush_pending`; a test holds
what they store against the client's own publish.

It is also where nothing foreign gets in: a header that would steer the server (`Nats-...`), a
line feed in a value, a subject outside the log's grammar are refused before anything is sent.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from eventlog.append.answers import CLOSED, LOST, Answer, read_answer
from eventlog.message import Message

MOST_MESSAGES: Final = 1000
"""How many messages the server takes in one atomic batch."""
MOST_ADDED_BYTES: Final = 512
"""What an attempt adds to a message at most."""
MOST_HEADER_BYTES: Final = 65_535 - MOST_ADDED_BYTES
"""How long the headers of a message may be: the server's limit, less what an attempt adds."""
MESSAGE_ID: Final = "Nats-Msg-Id"
EXPECTED_STREAM: Final = "Nats-Expected-Stream"

log = structlog.get_logger(__name__)

_SUBJECT: Final = re.compile(r"[a-z]+(?:\.[A-Za-z0-9_-]{1,64}){2}")
_OURS: Final = frozenset({MESSAGE_ID, EXPECTED_STREAM})
_EXPECTED_LAST: Final = "Nats-Expected-Last-Subject-Sequence"


class Unfit(ValueError):
    """A decision that the log could never store: too large, malformed, or incomplete."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, encoded but for what differs from attempt to attempt."""

    subject: bytes
    head: bytes
    """The headers, each line ended; the blank line is still missing."""
    body: bytes

    @property
    def size(self) -> int:
        """Bytes on the wire, about."""
        return len(self.subject) + len(self.head) + len(self.body)


def frame(message: Message, expected: int | None) -> Frame:
    """`message` ready to be sent; stored only if its subject's last sequence is `expected`.

    None sets no condition: right for a message whose subject was written earlier in the same
    decision, where the condition of that earlier one covers both.
    """
    if not _SUBJECT.fullmatch(message.subject):
        raise Unfit(f"{message.subject!r} is not a subject of an id (log.<stream>.<id>)")
    lines = ["NATS/1.0"]
    for name, value in message.headers.items():
        if name[:5].casefold() == "nats-" and name not in _OURS:
            raise Unfit(
                f"header {name} on {message.subject}: only the append library steers the server"
            )
        if value.strip() != value:
            raise Unfit(f"header {name} on {message.subject}: space around {value!r} would be lost")
        lines.append(f"{name}: {value}")
    if expected is not None:
        lines.append(f"{_EXPECTED_LAST}: {expected}")
    lines.append("")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise Unfit(f"a header on {message.subject} contains a line break")
    return Frame(message.subject.encode(), head.encode(), message.body)


def single(frame: Frame, reply: bytes) -> bytes:
    """A plain publish."""
    return _publish(frame, b"\r\n", reply)


def batch(frames: Sequence[Frame], batch_id: bytes, reply: bytes) -> bytes:
    """An atomic batch: all or none. Only the last message asks for an answer."""
    last = len(frames)
    return b"".join(
        _publish(
            frame,
            b"Nats-Batch-Id: %b\r\nNats-Batch-Sequence: %d\r\n%b\r\n"
            % (batch_id, index, b"Nats-Batch-Commit: 1\r\n" if index == last else b""),
            reply if index == last else b"",
        )
        for index, frame in enumerate(frames, start=1)
    )


def _publish(frame: Frame, tail: bytes, reply: bytes) -> bytes:
    heading = len(frame.head) + len(tail)
    return b"HPUB %b %b %d %d\r\n%b%b%b\r\n" % (
        frame.subject,
        reply,
        heading,
        heading + len(frame.body),
        frame.head,
        tail,
        frame.body,
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """Frames to be stored together, until when to wait, and where the answer goes."""

    frames: Sequence[Frame]
    deadline: float
    """By the clock of the event loop."""
    answered: Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class _Flight:
    """An attempt that waits for its answer."""

    attempt: Attempt
    connection: int
    """Which connection it went out on: its answer may be lost with it."""


class Wire:
    """Attempts out, answers in, over one connection. Each attempt gets exactly one answer.

    `expire` must be called now and then: it answers `LOST` to whatever waited too long or went
    out on a connection that broke since.
    """

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._inbox = nc.new_inbox()
        self._reply = f"{self._inbox}.".encode()
        self._unique = self._inbox.rpartition(".")[2].encode()
        self._numbers = itertools.count(1)
        self._flights: dict[str, _Flight] = {}
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Listen for answers."""
        if self._subscription is None:
            self._subscription = await self._nc.subscribe(f"{self._inbox}.*", cb=self._on_answer)

    async def close(self) -> None:
        """Stop listening; whatever still waits is answered `LOST`."""
        if self._subscription is not None:
            try:
                await self._subscription.unsubscribe()
            except NatsError as error:  # the connection is closed or closing: so it is the same
                log.debug("append_inbox_gone", why=repr(error))
        self._subscription = None
        self._lose(list(self._flights))

    async def send(self, attempts: Sequence[Attempt]) -> None:
        """Send each attempt, all in one write.

        One frame goes as a plain publish, several as one atomic batch under a new batch id.
        """
        commands = []
        numbers = []
        connection = self._nc.stats["reconnects"]
        for attempt in attempts:
            number = str(next(self._numbers))
            numbers.append(number)
            reply = self._reply + number.encode()
            self._flights[number] = _Flight(attempt, connection)
            if len(attempt.frames) == 1:
                commands.append(single(attempt.frames[0], reply))
            else:
                batch_id = b"%b-%b" % (self._unique, number.encode())
                commands.append(batch(attempt.frames, batch_id, reply))
        try:
            if not self._nc.is_connected:
                raise ConnectionError("not connected")
            await self._nc._send_command(b"".join(commands))
            await self._nc._flush_pending()
        except (NatsError, OSError) as error:
            log.debug("append_not_sent", attempts=len(attempts), why=repr(error))
            self._lose(numbers)

    def expire(self) -> None:
        """Answer `LOST` to every attempt whose answer cannot be waited for any longer."""
        now = asyncio.get_running_loop().time()
        connection = self._nc.stats["reconnects"]
        self._lose(
            [
                number
                for number, flight in self._flights.items()
                if flight.attempt.deadline <= now or flight.connection != connection
            ]
        )

    async def _on_answer(self, msg: Msg) -> None:
        flight = self._flights.pop(msg.subject.rpartition(".")[2], None)
        if flight is not None:
            status = msg.headers.get("Status") if msg.headers else None
            flight.attempt.answered(read_answer(msg.data, status))

    def _lose(self, numbers: Sequence[str]) -> None:
        for number in numbers:
            flight = self._flights.pop(number, None)
            if flight is not None:
                flight.attempt.answered(LOST if not self._nc.is_closed else CLOSED)
