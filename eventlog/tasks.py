"""Putting an end to a task for sure."""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN: Final = 0.2
"""Seconds after which a task that has not ended is cancelled once more."""


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all have ended; what they raise is theirs and not looked at here.

    Once is not enough on Python 3.11: `asyncio.wait_for` loses a cancellation that arrives
    together with the result it waits for (https://github.com/python/cpython/issues/86296).
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN)


async def stop(task: asyncio.Task[Any]) -> None:
    """End a task that runs for ever; raises what had broken it before."""
    await end(task)
    if not task.cancelled():
        task.result()
