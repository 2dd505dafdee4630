"""Facts out of the log: one stream id, the whole log, up to a sequence or a moment, or for ever.

A stored message that no fact can be read from is handed on as `Unread`: who follows the log
parks it, who rebuilds from it stops. A decision cannot be made on half a stream id, so
`read_stream` raises instead.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from contracts.envelope import Header, Recorded, Unreadable, log_subject
from eventlog.headers import parse_headers
from eventlog.message import LOG, chain_hash, decode
from eventlog.ordered import PATIENCE, OrderedReader, Vanished, client_of, place

EVERYTHING: Final = ("log.>",)
AT_MOST: Final = 1000
"""Facts in one batch."""
AHEAD: Final = 1000
"""Facts asked for and not yet taken, at least."""
PAGE: Final = 500
"""Facts in one page when a stream id is read from any replica."""
TIMEOUT: Final = 5.0

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_FOUND: Final = 10037


async def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A stored message that no fact can be read from, and why."""

    sequence: int
    recorded_at: datetime
    subject: str
    reason: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def hash(self) -> str:
        """What stands for the chain hash of a fact."""
        return _hash(self.subject, self.headers, self.data)


Entry = Recorded | Unread
"""What stands at one sequence of the log."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the leader of the log has it."""

    sequence: int
    recorded_at: datetime
    subject: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def entry(self) -> Entry:
        """The fact that it is."""
        try:
            return self.fact()
        except Unreadable as error:
            return Unread(
                self.sequence, self.recorded_at, self.subject, str(error), self.headers, self.data
            )

    @property
    def hash(self) -> str:
        """Its chain hash, as far as it has one."""
        return _hash(self.subject, self.headers, self.data)

    @property
    def is_intact(self) -> bool:
        """Whether the stored bytes give the hash that they claim."""
        claimed = self.headers.get(Header.HASH)
        if claimed is None or Header.PREVIOUS not in self.headers:
            return claimed is None
        return chain_hash(self.subject, self.headers, self.data) == claimed

    def fact(self) -> Recorded:
        """The fact that it is. Raises `Unreadable`."""
        return decode(
            self.subject,
            self.headers,
            self.data,
            sequence=self.sequence,
            recorded_at=self.recorded_at,
        )


def recorded_from(message: Msg) -> Recorded:
    """The fact in a message that a consumer delivered. Raises `Unreadable`."""
    stands = place(message.reply)
    return decode(
        message.subject,
        message.headers,
        message.data,
        sequence=stands.sequence,
        recorded_at=_moment(stands.nanos),
    )


def entry_from(message: Msg) -> Entry:
    """What a delivered message is: a fact, or unread."""
    try:
        return recorded_from(message)
    except Exception as error:  # noqa: BLE001 - whatever reading raises is said of this message
        stands = place(message.reply)
        return Unread(
            stands.sequence,
            _moment(stands.nanos),
            message.subject,
            str(error),
            message.headers or {},
            message.data,
        )


async def at(js: JetStreamContext, sequence: int) -> Stored | None:
    """What the leader has at `sequence`."""
    return await _leader_get(js, {"seq": sequence})


async def head(js: JetStreamContext, subjects: Sequence[str] = EVERYTHING) -> int:
    """The last sequence on `subjects`, by the leader; 0 when there is none."""
    last = [await _leader_get(js, {"last_by_subj": subject}) for subject in subjects]
    return max((stored.sequence for stored in last if stored), default=0)


async def read_stream(
    js: JetStreamContext, stream: str, stream_id: str, *, after: int = 0, leader: bool = False
) -> AsyncIterator[Recorded]:
    """The facts of one stream id behind `after`, in order.

    Any replica may answer, in pages, and may be a little behind; with `leader` the leader
    answers, one fact at a time. Raises `Unreadable`: nothing can be decided on half a stream id.
    """
    subject = log_subject(stream, stream_id)
    stored = _leader_walk(js, subject, after) if leader else _replica_pages(js, subject, after)
    async for message in stored:
        yield message.fact()


async def read_log(
    js: JetStreamContext,
    *,
    after: int = 0,
    up_to: int | None = None,
    until: datetime | None = None,
    subjects: Sequence[str] = EVERYTHING,
    types: frozenset[str] | None = None,
    at_most: int = AT_MOST,
) -> AsyncGenerator[list[Entry], None]:
    """The log behind `after`, in batches, as far as it reaches now.

    `up_to` (a sequence) and `until` (a moment, by the log's clock) are the last to be read.
    `types` names the facts wanted; what cannot be read comes in any case.
    """
    end = await head(js, subjects)
    if up_to is not None:
        end = min(end, up_to)
    if end <= after:
        return

    async def still_there() -> None:
        if (now := await head(js, subjects)) < end:
            raise Vanished(f"the log reached to sequence {end} and now ends at {now}")

    async with _reader(js, subjects, after, at_most, still_there) as reader:
        while True:
            if reader.last < end and reader.to_come == 0:
                await still_there()
            batch = await reader.take(at_most, fill=True)
            wanted = [
                entry
                for entry in batch
                if entry.sequence <= end
                and (until is None or entry.recorded_at <= until)
                and (types is None or isinstance(entry, Unread) or entry.type in types)
            ]
            if wanted:
                yield wanted
            last = batch[-1]
            if last.sequence >= end or (until is not None and last.recorded_at > until):
                return


async def follow(
    js: JetStreamContext,
    *,
    after: int,
    subjects: Sequence[str] = EVERYTHING,
    at_most: int = AT_MOST,
    before_resuming: Callable[[], Awaitable[None]] = nothing,
) -> AsyncGenerator[list[Entry], None]:
    """The log behind `after` and whatever is added, without end: what has gathered, when it has.

    After an interruption it goes on where it was; `before_resuming` runs first.
    """
    async with _reader(js, subjects, after, at_most, before_resuming, math.inf) as reader:
        while True:
            yield await reader.take(at_most)


def _reader(
    js: JetStreamContext,
    subjects: Sequence[str],
    after: int,
    at_most: int,
    before_resuming: Callable[[], Awaitable[None]],
    patience: float = PATIENCE,
) -> OrderedReader[Entry]:
    return OrderedReader(
        js,
        entry_from,
        stream=LOG,
        subjects=subjects,
        after=after,
        ahead=max(2 * at_most, AHEAD),
        before_resuming=before_resuming,
        patience=patience,
    )


def _hash(subject: str, headers: Mapping[str, str], data: bytes) -> str:
    """The hash that a message claims, or that of its bytes."""
    return headers.get(Header.HASH) or sha256(subject.encode() + b"\n" + data).hexdigest()


def _moment(nanos: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanos // 1000)


async def _leader_get(js: JetStreamContext, which: dict[str, Any]) -> Stored | None:
    request = json.dumps(which).encode()
    reply = await client_of(js).request(f"$JS.API.STREAM.MSG.GET.{LOG}", request, timeout=TIMEOUT)
    answer = json.loads(reply.data)
    if error := answer.get("error"):
        if error.get("err_code") == _NOT_FOUND:
            return None
        APIError.from_error(error)
    message = answer["message"]
    return Stored(
        message["seq"],
        datetime.fromisoformat(message["time"]),
        message["subject"],
        parse_headers(base64.b64decode(message.get("hdrs", ""))),
        base64.b64decode(message.get("data", "")),
    )


async def _leader_walk(js: JetStreamContext, subject: str, after: int) -> AsyncIterator[Stored]:
    while stored := await _leader_get(js, {"seq": after + 1, "next_by_subj": subject}):
        yield stored
        after = stored.sequence


async def _replica_pages(js: JetStreamContext, subject: str, after: int) -> AsyncIterator[Stored]:
    """Direct gets, a page at a time: one request, many replies, and a status at the end."""
    nc = client_of(js)
    replies: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await nc.subscribe(nc.new_inbox(), cb=replies.put)
    try:
        while True:
            request = json.dumps({"seq": after + 1, "next_by_subj": subject, "batch": PAGE})
            await nc.publish(
                f"$JS.API.DIRECT.GET.{LOG}", request.encode(), reply=subscription.subject
            )
            async for stored in _page(replies):
                if stored is None:
                    return
                yield stored
                after = stored.sequence
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()


async def _page(replies: asyncio.Queue[Msg]) -> AsyncIterator[Stored | None]:
    """The messages of one page; None behind the last one there is."""
    while True:
        async with asyncio.timeout(TIMEOUT):
            reply = await replies.get()
        headers = reply.headers or {"Status": "503"}
        match headers.get("Status"):
            case None:
                yield Stored(
                    int(headers["Nats-Sequence"]),
                    datetime.fromisoformat(headers["Nats-Time-Stamp"]),
                    headers["Nats-Subject"],
                    headers,
                    reply.data,
                )
            case "204" if headers.get("Nats-Num-Pending") != "0":
                return
            case "204" | "404":
                yield None
                return
            case status:
                raise APIError(code=int(status), description=headers.get("Description"))
