"""An ordered reader of one stream: every message once, in order, whatever breaks in between.

The reader asks the server for a bounded number of messages and asks for more as they are taken,
so a slow reader holds little and loses nothing. The consumer on the server lives in memory and
is thrown away and made anew, right behind the last message, whenever a reconnection, a silence or a
gap leaves any doubt.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

log = structlog.get_logger()
T = TypeVar("T")
A = TypeVar("A")

HEARTBEAT: Final = 2.0
"""Seconds of quiet after which the server says that it is still there."""
SILENCE: Final = 5.0
"""Seconds without a word from the server after which the consumer is made anew."""
EXPIRES: Final = 30.0
"""Seconds until an unanswered request for messages is made again."""
FORGOTTEN: Final = 60.0
"""Seconds after which the server forgets the consumer of a reader that is gone."""
PATIENCE: Final = 30.0
"""Seconds of trying to reach the stream before we give up."""
MAKING: Final = 20.0
"""Seconds that the server may take to make a consumer: it counts what is behind the start."""
TICK: Final = 0.25
"""Seconds between two looks for a reconnection while nothing comes."""

MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes that one request may bring: big messages must not overrun the server's buffer for us."""

_NANOS: Final = 1_000_000_000
_ACK_PREFIX: Final = "$JS.ACK."
_SHORT: Final = 9
_ENDED: Final = frozenset({"Batch Completed", "Message Size Exceeds MaxBytes"})
"""How a request ends that was limited in bytes."""


class Unreachable(Exception):
    """The stream could not be read for longer than our patience."""


class Vanished(Exception):
    """The stream ends before a message that had been there."""


def client_of(js: JetStreamContext) -> Client:
    """The connection under a JetStream context, which nats-py keeps to itself."""
    return js._nc


class Place(NamedTuple):
    """Where a delivered message stands, by its reply subject."""

    sequence: int
    delivery: int
    """Counts what this consumer has delivered, from 1."""
    nanos: int
    """Since 1970, when the server stored it."""
    to_come: int
    """How many messages stood behind it."""
    consumer: str


@lru_cache(maxsize=1)
def place(reply: str) -> Place:
    """Read the reply subject of a delivered message, which has a short and a long form.

    nats-py reads it too, but rounds the time through a float; here it is exact. The last one is
    remembered: the reader asks, and then whoever it reads for.
    """
    tokens = reply.split(".")
    start = 2 if len(tokens) == _SHORT else 4
    _, consumer, _, sequence, delivery, nanos, pending = tokens[start : start + 7]
    return Place(int(sequence), int(delivery), int(nanos), int(pending), consumer)


def heed_cancellation() -> None:
    """Raise `CancelledError` if the task was told to end.

    `asyncio.wait_for` of Python 3.11, which nats-py and asyncpg rely on, swallows a cancellation
    that comes together with its result; whoever loops for ever must look for itself.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class OrderedReader(Generic[T]):
    """Reads a stream on `subjects` behind `after`; `read` turns each message into a T.

    Used as an asynchronous context manager. `before_resuming` runs before the reader goes on
    after an interruption: what it raises, `take` raises. `ahead` bounds what is asked for and not
    yet taken. `patience` is for interruptions; the first time the stream must be there soon.
    """

    def __init__(  # noqa: PLR0913 - what to read, from where, how far ahead
        self,
        js: JetStreamContext,
        read: Callable[[Msg], T],
        *,
        stream: str,
        subjects: Sequence[str],
        after: int,
        ahead: int,
        before_resuming: Callable[[], Awaitable[None]] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._js = js
        self._nc = client_of(js)
        self._read = read
        self._stream = stream
        self._subjects = tuple(subjects)
        self._ahead = ahead
        self._before_resuming = before_resuming
        self._patience = patience
        self.last = after
        """Sequence of the last message received."""
        self.to_come = 0
        """How many messages stood behind the last one received."""
        self._ready: deque[T] = deque()
        self._news = asyncio.Event()
        self._asked = 0
        self._delivered = 0
        self._consumer: str | None = None
        self._doubt: str | None = None
        self._heard = 0.0
        self._reconnects = 0
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._within(PATIENCE, self._make_consumer)
        except BaseException:
            await self._drop_consumer()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._drop_consumer()

    async def take(self, at_most: int, *, fill: bool = False) -> list[T]:
        """What has come, in order. Waits for the first; with `fill`, for as many as there are."""
        loop = asyncio.get_running_loop()
        self._heard = max(self._heard, loop.time())
        heed_cancellation()
        while len(self._ready) < self._enough(at_most, fill=fill):
            if doubt := self._doubts(loop.time()):
                log.info("reader_resumes", stream=self._stream, after=self.last, because=doubt)
                await self._within(self._patience, self._resume)
            await self._ask()
            self._news.clear()
            try:
                async with asyncio.timeout(TICK):
                    await self._news.wait()
            except TimeoutError:
                heed_cancellation()
        taken = [self._ready.popleft() for _ in range(min(at_most, len(self._ready)))]
        await self._ask()
        return taken

    def _enough(self, at_most: int, *, fill: bool) -> int:
        return min(at_most, max(1, len(self._ready) + self.to_come)) if fill else 1

    def _doubts(self, now: float) -> str | None:
        """Why the consumer cannot be trusted any more, if so."""
        if self._nc.is_closed:
            raise nats.errors.ConnectionClosedError
        if self._nc.stats["reconnects"] != self._reconnects:
            return "reconnected"
        if self._doubt is None and now - self._heard > SILENCE:
            return "silence"
        return self._doubt

    async def _ask(self) -> None:
        """Ask for more when half of what we may hold is neither here nor on its way."""
        room = self._ahead - self._asked - len(self._ready)
        if self._consumer is None or self._subscription is None or room < max(1, self._ahead // 2):
            return
        self._asked += room
        request = {
            "batch": room,
            "max_bytes": MOST_BYTES,
            "expires": int(EXPIRES * _NANOS),
            "idle_heartbeat": int(HEARTBEAT * _NANOS),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        await self._nc.publish(
            subject, json.dumps(request).encode(), reply=self._subscription.subject
        )

    async def _receive(self, message: Msg) -> None:
        """Called by the client for every message, in order."""
        self._heard = asyncio.get_running_loop().time()
        if not message.reply.startswith(_ACK_PREFIX):
            self._receive_status(message.headers or {})
            return
        stands = place(message.reply)
        if stands.consumer != self._consumer or self._doubt:
            return
        if stands.delivery != self._delivered + 1 or stands.sequence <= self.last:
            self._doubt = f"gap: delivery {stands.delivery} after {self._delivered}"
        else:
            self._ready.append(self._read(message))
            self._asked -= 1
            self._delivered += 1
            self.last = stands.sequence
            self.to_come = stands.to_come
        self._news.set()

    def _receive_status(self, headers: dict[str, str]) -> None:
        status, text = headers.get("Status", "503"), headers.get("Description", "")
        if status == "408" or text in _ENDED:  # with so many messages not given
            self._asked -= int(headers.get("Nats-Pending-Messages", 0))
        elif status != "100":  # not a heartbeat: consumer gone, leader changed, server going down
            self._doubt = f"{status} {text}"
        self._news.set()

    async def _resume(self) -> None:
        await self._drop_consumer()
        if self._before_resuming is not None:
            await self._before_resuming()
        await self._make_consumer()

    async def _make_consumer(self) -> None:
        """A fresh consumer behind the last message, heard on a fresh inbox."""
        self._reconnects = self._nc.stats["reconnects"]
        self._doubt, self._asked, self._delivered = None, 0, 0
        self._subscription = await self._nc.subscribe(
            self._nc.new_inbox(), cb=self._receive, pending_msgs_limit=0, pending_bytes_limit=0
        )
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.last + 1,
            filter_subject=self._subjects[0] if len(self._subjects) == 1 else None,
            filter_subjects=list(self._subjects) if len(self._subjects) > 1 else None,
            inactive_threshold=FORGOTTEN,
            max_deliver=1,
            mem_storage=True,
            num_replicas=1,
        )
        info = await self._answer(self._js.add_consumer(self._stream, config, timeout=MAKING))
        self.to_come = info.num_pending or 0
        self._consumer = info.name
        self._heard = asyncio.get_running_loop().time()
        await self._ask()

    async def _answer(self, request: Coroutine[Any, Any, A]) -> A:
        """What the server answers, for as long as it is the one that was asked.

        After a reconnection it may never have heard of the request.
        """
        asked = asyncio.create_task(request)
        try:
            while not asked.done() and self._nc.stats["reconnects"] == self._reconnects:
                await asyncio.wait((asked,), timeout=TICK)
            if asked.done():
                return asked.result()
            raise nats.errors.TimeoutError
        finally:
            asked.cancel()

    async def _drop_consumer(self) -> None:
        """Hear nothing more, and tell the server; it forgets by itself if it does not hear us."""
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, None
        if self._nc.is_closed:
            return
        if subscription is not None:
            await subscription.unsubscribe()
        if consumer is not None:
            await self._nc.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{consumer}", b"")

    async def _within(self, patience: float, step: Callable[[], Awaitable[None]]) -> None:
        """Run `step` until the server answers it."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + patience, 0.05
        while True:
            try:
                return await step()
            except (nats.errors.TimeoutError, nats.errors.NoRespondersError, APIError) as error:
                await self._drop_consumer()
                if loop.time() + pause > deadline:
                    raise Unreachable(
                        f"stream {self._stream} could not be read for {patience:.0f} s: {error}. "
                        "Does the server run, does the stream exist, and may this credential "
                        "create consumers on it and ask them for messages?"
                    ) from error
                log.warning("reader_waits", stream=self._stream, after=self.last, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
