"""A stream as a file, and back: the server's own snapshots, with every message and consumer.

nats-py has no helper for this part of the API. The server sends the snapshot in pieces and waits
for an answer to each; a piece without content is the end, and may carry an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from deploy.errors import DeployError

PIECE: Final = 128 * 1024
SILENCE: Final = 30.0
"""Seconds to wait for the next piece, or for the server to have put one away."""

Progress = Callable[[int], None]
"""Told how many bytes more have gone."""


class SnapshotError(DeployError):
    """A stream could not be saved, or not be restored; the text says why."""


async def stream_names(nc: Client) -> list[str]:
    """Every stream there is."""
    answer = await _call(nc, "$JS.API.STREAM.NAMES", {})
    return sorted(answer.get("streams") or [])


async def save_stream(
    nc: Client, name: str, file: Path, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a snapshot of a stream as it is now; its `config` and `state` by the server.

    The server checks every message that it sends against its own checksum.
    """
    inbox = nc.new_inbox()
    pieces: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await nc.subscribe(inbox, cb=pieces.put)
    try:
        wanted = {"deliver_subject": inbox, "chunk_size": PIECE, "no_consumers": False}
        head = await _call(nc, f"$JS.API.STREAM.SNAPSHOT.{name}", {**wanted, "jsck": True})
        with file.open("xb") as out:
            while True:
                async with asyncio.timeout(SILENCE):
                    piece = await pieces.get()
                if piece.reply:
                    await piece.respond(b"")
                if not piece.data:
                    break
                out.write(piece.data)
                if progress is not None:
                    progress(len(piece.data))
        status = piece.headers or {}
        if status.get("Status", "204") != "204":
            raise SnapshotError(f"{name}: {status.get('Status')} {status.get('Description')}")
    except TimeoutError as silence:
        raise SnapshotError(f"{name}: the server sent nothing for {SILENCE:g} s") from silence
    finally:
        await subscription.unsubscribe()
    return {"config": head["config"], "state": head["state"]}


async def restore_stream(
    nc: Client,
    file: Path,
    config: Mapping[str, Any],
    state: Mapping[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a stream from its snapshot; its state by the server. There must be none of that name."""
    name = config["name"]
    begun = await _call(
        nc, f"$JS.API.STREAM.RESTORE.{name}", {"config": dict(config), "state": dict(state)}
    )
    subject = begun["deliver_subject"]
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            reply = await nc.request(subject, piece, timeout=SILENCE)
            if reply.data and (said := json.loads(reply.data).get("error")):
                raise SnapshotError(f"{name}: {said.get('description')}")
            if progress is not None:
                progress(len(piece))
    answer = json.loads((await nc.request(subject, b"", timeout=SILENCE)).data)
    if error := answer.get("error"):
        raise SnapshotError(f"{name}: {error.get('description')}")
    restored: dict[str, Any] = answer["state"]
    return restored


async def _call(nc: Client, subject: str, request: Mapping[str, Any]) -> dict[str, Any]:
    reply = await nc.request(subject, json.dumps(request).encode(), timeout=SILENCE)
    answer: dict[str, Any] = json.loads(reply.data)
    if error := answer.get("error"):
        raise SnapshotError(f"{subject}: {error.get('description')} ({error.get('err_code')})")
    return answer


def digest_of(file: Path, progress: Progress | None = None) -> str:
    """The SHA-256 of a file."""
    digest = sha256()
    with file.open("rb") as source:
        while part := source.read(1024 * 1024):
            digest.update(part)
            if progress is not None:
                progress(len(part))
    return digest.hexdigest()
