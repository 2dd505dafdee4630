"""What router looks up in its own tables: what is open nearby, and what the clock must hear.

The tables may be a moment behind the log. What the clock hears twice is decided once: its command
id is the moment, and the state of the case knows what it has heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from contracts.case import Nearby, Step
from contracts.report import Position
from contracts.rulebook import Duplicates
from eventlog.columns import columns_of
from eventlog.together import Together
from services.router.duplicates import around
from services.router.evaluation import Period
from services.router.lifecycle import OPEN
from services.router.openings import Shown
from services.router.tables.course import CourseRow

log = structlog.get_logger()

TICK: Final = 0.5
"""Seconds between two looks at what is due."""
AT_A_TIME: Final = 500
"""Cases that are heard before more are asked for."""
SIDE_BY_SIDE: Final = 64
HEARD_FOR: Final = 30.0
"""Seconds for which a moment is not asked for again: until the tables show what came of it."""

DUE: Final = (
    'SELECT case_id, next_at FROM router."case" WHERE next_at < $1'
    " AND (next_at, case_id) > ($2, $3) ORDER BY next_at, case_id LIMIT $4"
)
NEARBY: Final = """
SELECT number, last_sequence, found.* FROM router.checkpoint CROSS JOIN
unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::float8[], $6::timestamptz[])
WITH ORDINALITY AS asked (condition, south, north, west, east, since, number)
LEFT JOIN LATERAL (
    SELECT case_id, condition, lat, lng, opened_at FROM router."case"
    WHERE condition = asked.condition AND lat BETWEEN asked.south AND asked.north
      AND lng BETWEEN asked.west AND asked.east AND opened_at >= asked.since AND step = ANY($7)
) AS found ON true
"""
"""One statement, so that the cases are those of the place that the checkpoint tells; and for many
reports at once, since each round trip costs more than the look itself."""
TWINS: Final = (
    "SELECT later.case_id, later.condition, later.lat, later.lng, later.opened_at,"
    " sooner.case_id AS into, sooner.lat AS into_lat, sooner.lng AS into_lng,"
    " sooner.opened_at AS into_opened_at"
    ' FROM router.course AS recent JOIN router."case" AS later USING (case_id)'
    ' JOIN router."case" AS sooner ON sooner.condition = later.condition'
    " AND sooner.lat BETWEEN later.lat - $2 AND later.lat + $2"
    " AND abs(sooner.lng - later.lng) * cos(radians(later.lat)) <= $2 * 1.01"
    " AND (sooner.opened_at, sooner.case_id) < (later.opened_at, later.case_id)"
    " WHERE recent.opened_at >= $1 AND later.step = $3 AND later.dispatches = 1"
    " AND NOT later.history AND NOT sooner.history AND sooner.step = ANY($4)"
)
"""Cases that nobody has taken on yet, each with an open one of the condition beside it."""
LATEST: Final = "SELECT max(opened_at) FROM router.course"
COURSES: Final = (
    "SELECT * FROM router.course"
    " WHERE opened_at < $2 AND (closed_at IS NULL OR closed_at >= $1 OR due_at >= $1)"
)
CHECKPOINT: Final = "SELECT last_sequence FROM router.checkpoint"
NOT_THERE: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""The projector has not made the tables yet, or they wait for a rebuild."""

TOGETHER: Final = 5.0
"""Seconds between two looks at what several processes have opened side by side."""
OVERLAP: Final = timedelta(seconds=10)
"""By how much a look goes back behind the last one: the tables do not show cases in their order."""
AT_FIRST: Final = timedelta(minutes=10)
"""By how much the first look goes back."""

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

Due = tuple[str, datetime]
"""A case, and the moment that it waits for."""
Around = tuple[str, float, float, float, float, datetime]
"""A condition; south, north, west and east of where it is looked for; since when."""


class Watch:
    """Looks into the tables of the room."""

    def __init__(self, tables: asyncpg.Pool) -> None:
        self._tables = tables
        self._heard: dict[Due, float] = {}
        self._nearby = Together(self._shown)
        self._seen: datetime | None = None
        """When the last case was opened that was looked at for others beside it."""

    async def nearby(
        self, condition: str, position: Position, at: datetime, rule: Duplicates
    ) -> Shown:
        """The open cases of a condition around a point that the tables show."""
        south, west, north, east = around(position, rule.radius_metres)
        since = at - timedelta(hours=rule.window_hours)
        return await self._nearby.ask((condition, south, north, west, east, since))

    async def _shown(self, asked: Sequence[Around]) -> dict[Around, Shown]:
        try:
            rows = await self._tables.fetch(NEARBY, *zip(*asked, strict=True), list(OPEN))
        except NOT_THERE as error:
            log.warning("duplicates_not_looked_for", reports=len(asked), error=str(error))
            return dict.fromkeys(asked, Shown((), 0))
        cases: dict[int, list[Nearby]] = {number: [] for number in range(1, len(asked) + 1)}
        as_of = max((row["last_sequence"] for row in rows), default=0)
        for row in rows:
            if row["case_id"] is not None:
                cases[row["number"]].append(_nearby(row))
        return {
            one: Shown(tuple(found), as_of)
            for one, found in zip(asked, cases.values(), strict=True)
        }

    async def twins(self, now: datetime, metres: int) -> list[tuple[Nearby, Nearby]]:
        """The cases opened lately that nobody has taken on, each beside an earlier open one."""
        try:
            latest = await self._tables.fetchval(LATEST)
            if latest is None or latest == self._seen:
                return []
            since = self._seen - OVERLAP if self._seen else now - AT_FIRST
            degrees_high = around(Position(lat=0, lng=0), metres)[2]
            rows = await self._tables.fetch(TWINS, since, degrees_high, Step.DISPATCHED, list(OPEN))
        except NOT_THERE as error:
            log.warning("twins_not_looked_for", error=str(error))
            return []
        self._seen = latest
        return [_twins(row) for row in rows]

    async def courses(self, period: Period) -> tuple[list[CourseRow], int]:
        """The cases that a period may count, and the place of the log that they stand at."""
        async with (
            self._tables.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch(COURSES, period.first, period.end)
            as_of: int = await connection.fetchval(CHECKPOINT)
        return [_course(row) for row in rows], as_of

    async def due(self, now: datetime) -> AsyncIterator[list[Due]]:
        """What the clock must hear, in order, some at a time; not what it heard a moment ago."""
        fresh = time.monotonic()
        self._heard = {due: until for due, until in self._heard.items() if until > fresh}
        last: Due = ("", LONG_AGO)
        while True:
            try:
                rows = await self._tables.fetch(DUE, now, last[1], last[0], AT_A_TIME)
            except NOT_THERE as error:
                log.warning("clock_not_looked_at", error=str(error))
                return
            found = [(row["case_id"], row["next_at"]) for row in rows]
            yield [due for due in found if due not in self._heard]
            if len(found) < AT_A_TIME:
                return
            last = found[-1]

    def heard(self, due: Due) -> None:
        """It was decided; the tables will show it in a moment."""
        self._heard[due] = time.monotonic() + HEARD_FOR


def _nearby(row: asyncpg.Record) -> Nearby:
    return Nearby(
        case_id=row["case_id"],
        condition=row["condition"],
        position=Position(lat=row["lat"], lng=row["lng"]),
        opened_at=row["opened_at"],
    )


def _twins(row: asyncpg.Record) -> tuple[Nearby, Nearby]:
    case_id, condition, lat, lng, opened_at, into, into_lat, into_lng, into_opened_at = row
    there, here = Position(lat=into_lat, lng=into_lng), Position(lat=lat, lng=lng)
    case = Nearby(case_id=case_id, condition=condition, position=here, opened_at=opened_at)
    sooner = Nearby(case_id=into, condition=condition, position=there, opened_at=into_opened_at)
    return case, sooner


_COLUMNS: Final = columns_of(CourseRow)


def _course(record: asyncpg.Record) -> CourseRow:
    values = {
        c.name: c.read(record[c.name]) if c.read and record[c.name] is not None else record[c.name]
        for c in _COLUMNS
    }
    return CourseRow(**values)


async def keep_time(
    watch: Watch,
    ring: Callable[[str, datetime], Awaitable[None]],
    now: Callable[[], datetime],
    passing: tuple[type[Exception], ...],
) -> None:
    """Look again and again for what has come, until cancelled. What fails is tried again.

    `passing` are the errors that pass by themselves.
    """
    while True:
        try:
            await look_once(watch, ring, now(), passing)
        except passing as error:
            log.warning("clock_delayed", error=repr(error))
        await asyncio.sleep(TICK)


async def keep_together(
    bring: Callable[[], Awaitable[None]], passing: tuple[type[Exception], ...]
) -> None:
    """Again and again let what was opened side by side gather, until cancelled."""
    while True:
        try:
            await bring()
        except passing as error:
            log.warning("twins_delayed", error=repr(error))
        except Exception:
            log.exception("twins_broke")
        await asyncio.sleep(TOGETHER)


async def look_once(
    watch: Watch,
    ring: Callable[[str, datetime], Awaitable[None]],
    now: datetime,
    passing: tuple[type[Exception], ...],
) -> None:
    """One look: everything that has come is rung, many side by side."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(due: Due) -> None:
        async with room:
            try:
                await ring(*due)
                watch.heard(due)
            except passing as error:
                log.warning("ring_delayed", case_id=due[0], error=repr(error))
            except Exception:
                log.exception("ring_broke", case_id=due[0], moment=due[1].isoformat())
                watch.heard(due)

    async for waiting in watch.due(now):
        await asyncio.gather(*(one(due) for due in waiting))
