"""The clock of points: lots and redemptions whose time has come, looked up in its tables.

The tables may be a moment behind the log. What is rung twice is decided once: its command id is
the lot, or the redemption and the moment, and the log knows what became of it. So the loop may die
and start again at any time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg
import structlog

log = structlog.get_logger()

TICK: Final = 1.0
"""Seconds between two looks at what is due."""
AT_A_TIME: Final = 500
SIDE_BY_SIDE: Final = 64
HEARD_FOR: Final = 30.0
"""Seconds for which what was rung is not rung again: until the tables show what came of it."""
LOTS: Final = (
    "SELECT rider_id, lot, pending FROM points.lot WHERE due_at <= $1 ORDER BY due_at LIMIT $2"
)
"""Rider, lot, and whether it is its pending window that is over."""
REDEMPTIONS: Final = (
    "SELECT redemption_id, due_at FROM store.redemption WHERE due_at <= $1"
    " ORDER BY due_at, redemption_id LIMIT $2"
)
"""Redemption, and the moment that it waits for."""
NOT_THERE: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""The projector has not made the tables yet, or they wait for a rebuild."""

Due: TypeAlias = tuple[Any, ...]
"""What has come, as the query names it."""
Ring: TypeAlias = Callable[..., Awaitable[None]]
"""Is given what has come."""


class Watch:
    """Looks into the tables of the room for what has come."""

    def __init__(self, tables: asyncpg.Pool, query: str) -> None:
        self._tables = tables
        self._query = query
        self._heard: dict[Due, float] = {}

    async def due(self, now: datetime) -> list[Due]:
        """What has come by `now` and was not rung a moment ago, the earliest first."""
        fresh = time.monotonic()
        self._heard = {due: until for due, until in self._heard.items() if until > fresh}
        try:
            rows = await self._tables.fetch(self._query, now, AT_A_TIME + len(self._heard))
        except NOT_THERE as error:
            log.warning("clock_not_looked_at", error=str(error))
            return []
        found = [tuple(row) for row in rows]
        return [due for due in found if due not in self._heard][:AT_A_TIME]

    def heard(self, due: Due) -> None:
        """It was decided; the tables will show it in a moment."""
        self._heard[due] = time.monotonic() + HEARD_FOR


async def keep_time(
    watch: Watch,
    ring: Ring,
    now: Callable[[], datetime],
    passing: tuple[type[Exception], ...],
) -> None:
    """Look again and again for what has come, until cancelled. What fails is tried again.

    `passing` are the errors that pass by themselves.
    """
    while True:
        more = False
        try:
            more = await look_once(watch, ring, now(), passing)
        except passing as error:
            log.warning("clock_delayed", error=repr(error))
        await asyncio.sleep(0 if more else TICK)


async def look_once(
    watch: Watch, ring: Ring, now: datetime, passing: tuple[type[Exception], ...]
) -> bool:
    """One look: everything that has come is rung, many side by side. Whether there may be more."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)
    done = 0

    async def one(due: Due) -> None:
        nonlocal done
        async with room:
            try:
                await ring(*due)
                done += 1
            except passing as error:
                log.warning("ring_delayed", due=due, error=repr(error))
                return
            except Exception:
                log.exception("ring_broke", due=due)
            watch.heard(due)

    waiting = await watch.due(now)
    await asyncio.gather(*(one(due) for due in waiting))
    return len(waiting) == AT_A_TIME and done > 0
