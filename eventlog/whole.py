"""Entries of the log byte by byte: for the sealer, for exports, and for whoever verifies.

Other readers are content with what a fact says. These need every byte that the server stores of a
message, its header block too, since that is what was signed (`proof.entry`).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from eventlog.connect import FactClient
from eventlog.headers import parse_headers
from eventlog.message import LOG
from eventlog.ordered import PATIENCE, OrderedReader, Vanished, client_of, place
from eventlog.read import AHEAD, AT_MOST, EVERYTHING, TIMEOUT, head, nothing
from proof.entry import LogEntry, kept, leaf, nanos_of

_NOT_FOUND: Final = 10037
_FIRST_LINE: Final = len(b"NATS/1.0\r\n")
_DIGITS: Final = 9


class Whole(NamedTuple):
    """A message of the log as it is stored."""

    sequence: int
    nanos: int
    """Since 1970, when the server stored it."""
    subject: str
    block: bytes
    """Its headers, as stored."""
    headers: Mapping[str, str]
    """The same, read; of repeated names the last."""
    body: bytes

    @property
    def line(self) -> bytes:
        """Its canonical line: what is exported, and the leaf."""
        return leaf(self.sequence, self.nanos, self.subject, self.block, self.body)

    @property
    def entry(self) -> LogEntry:
        """As the proof knows it."""
        return LogEntry(self.sequence, self.nanos, self.subject, kept(self.block), self.body)


class Block(Mapping[str, str]):
    """Headers as the bytes that they came in; they are read when somebody asks for one."""

    __slots__ = ("_read", "raw")

    def __init__(self, raw: bytes, read: Mapping[str, str] | None = None) -> None:
        self.raw = raw
        self._read = read

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Mapping[str, str]:
        if self._read is None:
            self._read = parse_headers(self.raw[_FIRST_LINE:])
        return self._read


class WholeClient(FactClient):
    """A client that keeps the header block of every message."""

    async def _process_headers(self, headers: bytes) -> Any:
        if not headers:
            return None
        if headers[_FIRST_LINE - 1 : _FIRST_LINE] == b"\n":
            return Block(bytes(headers))
        return Block(bytes(headers), await super()._process_headers(headers) or {})  # a status


def whole(message: Msg) -> Whole:
    """A message that a consumer has delivered to a `WholeClient`."""
    stands, headers = place(message.reply), block_of(message)
    if headers is None:
        headers = Block(b"", {})
    return Whole(stands.sequence, stands.nanos, message.subject, headers.raw, headers, message.data)


def block_of(message: Msg) -> Block | None:
    """The headers of a message as a `WholeClient` keeps them; None where it has none at all."""
    headers: object = message.headers
    if isinstance(headers, Block):
        return headers
    if headers is None:
        return None
    raise TypeError("to read whole messages, connect with `kind=WholeClient`")


async def whole_at(js: JetStreamContext, sequence: int) -> Whole | None:
    """What the leader has at `sequence`."""
    request = json.dumps({"seq": sequence}).encode()
    reply = await client_of(js).request(f"$JS.API.STREAM.MSG.GET.{LOG}", request, timeout=TIMEOUT)
    answer: dict[str, Any] = json.loads(reply.data)
    if error := answer.get("error"):
        if error.get("err_code") == _NOT_FOUND:
            return None
        APIError.from_error(error)
    message = answer["message"]
    raw = base64.b64decode(message.get("hdrs", ""))
    return Whole(
        message["seq"],
        _nanos(message["time"]),
        message["subject"],
        raw,
        parse_headers(raw[_FIRST_LINE:]),
        base64.b64decode(message.get("data", "")),
    )


async def read_whole(
    js: JetStreamContext, *, after: int = 0, up_to: int | None = None, at_most: int = AT_MOST
) -> AsyncGenerator[list[Whole], None]:
    """The log behind `after`, up to a sequence or as far as it reaches now, in batches.

    The connection must be a `WholeClient`.
    """
    insist_on_whole(js)
    end = await head(js)
    if up_to is not None:
        end = min(end, up_to)
    if end <= after:
        return

    async def still_there() -> None:
        if (now := await head(js)) < end:
            raise Vanished(f"the log reached to sequence {end} and now ends at {now}")

    async with whole_reader(js, after, at_most, still_there) as reader:
        while True:
            if reader.last < end and reader.to_come == 0:
                await still_there()
            batch = [one for one in await reader.take(at_most, fill=True) if one.sequence <= end]
            if batch:
                yield batch
            if not batch or batch[-1].sequence == end:
                return


def whole_reader(
    js: JetStreamContext,
    after: int,
    at_most: int,
    before_resuming: Callable[[], Awaitable[None]] = nothing,
    patience: float = PATIENCE,
) -> OrderedReader[Whole]:
    """A reader of the log behind `after`, without end."""
    insist_on_whole(js)
    return OrderedReader(
        js,
        whole,
        stream=LOG,
        subjects=EVERYTHING,
        after=after,
        ahead=max(2 * at_most, AHEAD),
        before_resuming=before_resuming,
        patience=patience,
    )


def insist_on_whole(js: JetStreamContext) -> None:
    """Raise unless the connection keeps header blocks: without them every hash would be wrong."""
    if not isinstance(client_of(js), WholeClient):
        raise TypeError("to read whole messages, connect with `kind=WholeClient`")


def _nanos(time: str) -> int:
    """The server leaves out zeros at the end."""
    second, _, rest = time.removesuffix("Z").partition(".")
    return nanos_of(f"{second}.{rest.ljust(_DIGITS, '0')}Z")


async def settled(
    step: Callable[[], Awaitable[str | None]], pauses: tuple[float, ...]
) -> str | None:
    """What is wrong, when it is still wrong after these pauses.

    A leader that was just elected may not have read all that it holds.
    """
    wrong = await step()
    for pause in pauses:
        if wrong is None:
            break
        await asyncio.sleep(pause)
        wrong = await step()
    return wrong
