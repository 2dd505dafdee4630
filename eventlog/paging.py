"""The log as it is stored, byte by byte, in pages that any replica answers.

For whoever copies, hashes or sends on what is stored. It takes no right but to read: no consumer
is made, nothing is left on the server. A reader that follows the log (`eventlog.ordered`) is
faster.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from eventlog.message import LOG
from eventlog.ordered import Unreachable, client_of, heed_cancellation
from eventlog.whole import block_of, insist_on_whole
from proof.entry import LogEntry, kept, nanos_of

PAGE: Final = 1000
"""Entries in one page."""
PATIENCE: Final = 20.0
"""Seconds that a replica may be behind, or nobody answer."""
SILENCE: Final = 2.0
"""Seconds without a word after which a page is asked for again."""
PAUSE: Final = 0.1

_MARK: Final = b"\r\nNats-Stream: "
"""What the server adds to the headers of a direct get begins here."""
_END: Final = b"\r\n\r\n"


async def read_stored(
    js: JetStreamContext, *, after: int, up_to: int, page: int = PAGE
) -> AsyncGenerator[list[LogEntry], None]:
    """Everything in the log behind `after` as far as `up_to`, in order, with nothing left out.

    The connection must be a `WholeClient`. Raises `Unreachable` where the log does not reach that
    far, or nobody answers for long.
    """
    insist_on_whole(js)
    nc = client_of(js)
    inbox = nc.new_inbox()
    replies: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await nc.subscribe(f"{inbox}.*", cb=replies.put)
    loop = asyncio.get_running_loop()
    asked, deadline = 0, loop.time() + PATIENCE
    try:
        while after < up_to:
            heed_cancellation()
            asked += 1
            request = {"seq": after + 1, "next_by_subj": "log.>", "batch": min(page, up_to - after)}
            reply = f"{inbox}.{asked}"
            await nc.publish(f"$JS.API.DIRECT.GET.{LOG}", json.dumps(request).encode(), reply=reply)
            got = await _page(replies, reply, after)
            if got:
                after = got[-1].sequence
                yield got
                deadline = loop.time() + PATIENCE
            elif loop.time() > deadline:
                raise Unreachable(
                    f"the log could not be read behind sequence {after} for {PATIENCE:.0f} s. Does "
                    "it reach that far, does the server run, and may this credential read it?"
                )
            else:
                await asyncio.sleep(PAUSE)
    finally:
        if not nc.is_closed:
            try:
                await subscription.unsubscribe()
            except NatsError:
                pass  # the connection is gone, and the subscription with it


async def _page(replies: asyncio.Queue[Msg], reply: str, after: int) -> list[LogEntry]:
    """As much of one page as comes in one piece: what is late belongs to no page any more."""
    got: list[LogEntry] = []
    while True:
        try:
            async with asyncio.timeout(SILENCE):
                message = await replies.get()
        except TimeoutError:
            return got
        if message.subject != reply:
            continue
        if "Nats-Sequence" not in (headers := message.headers or {}):
            status = headers.get("Status", "503")
            if status not in ("204", "404", "408", "503"):
                raise APIError(code=int(status), description=headers.get("Description"))
            return got
        entry = entry_of(message)
        if entry.sequence != after + len(got) + 1:
            return got
        got.append(entry)


def entry_of(message: Msg) -> LogEntry:
    """The stored message in the answer to a direct get, freed of what the server added."""
    if (headers := block_of(message)) is None:
        raise ValueError("not an answer to a direct get: it has no headers")
    stored, mark, _ = headers.raw.rpartition(_MARK)
    if not mark:
        raise ValueError(f"not an answer to a direct get: {headers}")
    second, _, rest = headers["Nats-Time-Stamp"].removesuffix("Z").partition(".")
    return LogEntry(
        sequence=int(headers["Nats-Sequence"]),
        recorded_nanos=nanos_of(f"{second}.{rest:0<9}Z"),
        subject=headers["Nats-Subject"],
        header_block=kept(stored + _END),
        body=message.data,
    )
