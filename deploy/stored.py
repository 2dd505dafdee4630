"""A stream that the house has had is never made anew.

nats-server may leave a stream out at its start, because it cannot read its files, and say that it
is ready. Whoever then creates the stream begins a history that contradicts the one before.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deploy.errors import StartError
from deploy.streams import streams

MEMORY: Final = "streams.json"
"""The streams that the house has had, in its data folder."""


async def insist_on_stored(js: JetStreamContext, house: Path) -> None:
    """Raise `StartError` where a stream is missing that this house has had."""
    if not (file := house / MEMORY).is_file():
        return
    for name in json.loads(file.read_bytes()):
        if not await _exists(js, name):
            raise StartError(
                f"the stream {name} is gone from the server; {house / 'log' / 'nats.log'} may say "
                f"why. Nothing is started. Put a copy of {house / 'nats'} aside and restore the "
                f"stream from its mirror or newest backup. Only when the loss is final: delete "
                f"{file}."
            )


def remember_streams(house: Path) -> None:
    """The streams are there. Whole on the disk or as it was before: a power cut may come now."""
    names = json.dumps(sorted(str(one.name) for one in streams())) + "\n"
    file = house / MEMORY
    if file.is_file() and file.read_text() == names:
        return
    draft = file.with_name(f".{MEMORY}")
    with draft.open("w") as written:
        written.write(names)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)


async def _exists(js: JetStreamContext, name: str) -> bool:
    try:
        await js.stream_info(name)
    except NotFoundError:
        return False
    return True
