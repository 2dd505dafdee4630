"""What was destroyed leaves the disk too: rows and their write-ahead log, and parked messages.

A destroyed key is gone from its row at once; but PostgreSQL keeps the row as it was before, in the
table until it is written anew and in the write-ahead log until that is removed. A key that can be
found there, with the master key beside it, is not destroyed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

PARK: Final = "PARK"
CLEAR_WORDS: Final = "parked.intake-inbox"
"""The only messages that are kept and not sealed: what platforms dropped in and nobody could
read or decide."""


async def scrub_keys(admin_url: str) -> None:
    """Write the key table anew without its dead rows, and remove the write-ahead log before that.

    Needs the superuser of the house's own PostgreSQL, which recycles no old log (`wal_recycle`).
    """
    connection = await asyncpg.connect(admin_url, server_settings={"log_statement": "none"})
    try:
        await connection.execute("VACUUM (FULL) data_key")
        await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def wipe_parked(js: JetStreamContext, rider: str) -> int:
    """Overwrite every parked message that names the rider; how many there were.

    Of a message with the reports of many, a copy without the rider's is parked first.
    """
    wiped, sequence = 0, 1
    while (message := await next_parked(js, sequence)) is not None:
        found = message.seq or 0
        sequence = found + 1
        data = message.data or b""
        if rider.encode() not in data:
            continue
        if (rest := without(rider, data)) is not None:
            headers = {**(message.headers or {}), "Nats-Msg-Id": f"{found}.without"}
            await js.publish(CLEAR_WORDS, rest, stream=PARK, headers=headers)
        await js.delete_msg(PARK, found)
        wiped += 1
    return wiped


def without(rider: str, data: bytes) -> bytes | None:
    """What is left of a dropped-in message without the rider's reports; None: nothing."""
    try:
        said = json.loads(data)
    except ValueError:
        return None
    if not isinstance(said, Mapping) or not isinstance(said.get("reports"), list):
        return None
    others = [one for one in said["reports"] if not _names(one, rider)]
    return json.dumps({**said, "reports": others}).encode() if others else None


def _names(part: Any, rider: str) -> bool:
    return rider in json.dumps(part, ensure_ascii=False)


async def next_parked(js: JetStreamContext, sequence: int) -> RawStreamMsg | None:
    """The first parked message at `sequence` or behind it that may hold words in clear."""
    try:
        return await js.get_msg(PARK, seq=sequence, subject=CLEAR_WORDS, next=True)
    except NotFoundError:
        return None
