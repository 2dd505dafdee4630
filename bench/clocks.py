"""The clock's look at what has come, with a million open cases on the board."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from bench.figures import Figure, middle, percentile
from deploy.house import Plan, open_house
from deploy.rulebooks import load_rulebook
from eventlog.connect import connect_postgres
from eventlog.tables import Schema
from services.router.projection import ROUTER
from services.router.watch import Watch, look_once

TICKS: Final = 200
DUE: Final = 100
"""Cases for which a moment has come, in each look."""
AIM: Final = "a tick under 50 ms with 1,000,000 open cases"

_FILL: Final = """
    INSERT INTO router."case" (case_id, report_id, rider_id, platform, step, rulebook, history,
        opened_at, sequence, dispatches, returns, reworks, transfers, reopens, reports, level,
        overdue, late, excused, contested, unit, condition, lat, lng, due_at, due_by, next_at)
    SELECT 'case-' || n, 'case-' || n, 'rider-' || n % 4000, 'platform-kite', 'handling',
        'fengxi@1.1.1.1.1', false, $1::timestamptz - n * interval '1 second', n,
        1, 0, 0, 0, 0, 1, 0, false, false, false, false, 'unit-' || n % 40, 'condition-' || n % 500,
        29 + (n % 1000) * 0.0005, 121 + (n / 1000) * 0.0005,
        $1::timestamptz + n * interval '1 second', $1::timestamptz + n * interval '1 second',
        $1::timestamptz + n * interval '1 second'
    FROM generate_series(1, $2::bigint) n
"""


async def measure(*, cases: int) -> Iterator[Figure]:
    """Milliseconds of a look, when nothing has come and when a hundred moments have."""
    with tempfile.TemporaryDirectory(prefix="waggle-bench-") as folder:
        plan = Plan(Path(folder), load_rulebook(), services=False)
        async with open_house(plan) as (info, _):
            tables = await connect_postgres(info.rebuild_url)
            try:
                return iter(await _looks(tables, cases))
            finally:
                await tables.close()


async def _looks(tables: asyncpg.Pool, cases: int) -> list[Figure]:
    start = datetime(2027, 1, 4, 9, tzinfo=UTC)
    schema = Schema("router", ROUTER)
    async with tables.acquire() as connection:
        await schema.create(connection, indexes=False)
        await connection.execute(_FILL, start, cases, timeout=600)
        await schema.settle(connection)
    watch = Watch(tables)
    quiet = await _ticks(tables, watch, [start] * TICKS)
    moments = [start + timedelta(seconds=DUE * n) for n in range(1, min(TICKS, cases // DUE))]
    busy = await _ticks(tables, watch, moments)
    bare = await _bare(tables)
    return [
        Figure("clocks.quiet_tick_ms.p50", middle(quiet), "ms", "select 1", bare, TICKS, AIM),
        Figure(
            f"clocks.tick_with_{DUE}_due_ms.p50", middle(busy), "ms", "select 1", bare, TICKS, AIM
        ),
        Figure(
            f"clocks.tick_with_{DUE}_due_ms.p99",
            percentile(busy, 0.99),
            "ms",
            "select 1",
            bare,
            TICKS,
            AIM,
        ),
    ]


async def _ticks(tables: asyncpg.Pool, watch: Watch, moments: list[datetime]) -> list[float]:
    """How long each look takes; what was heard is over for the next one, as the projector says."""

    async def ring(_case_id: str, _moment: datetime) -> None:
        return None

    took = []
    for now in moments:
        began = time.perf_counter()
        await look_once(watch, ring, now, ())
        took.append((time.perf_counter() - began) * 1000)
        await tables.execute('UPDATE router."case" SET next_at = NULL WHERE next_at < $1', now)
    return took


async def _bare(tables: asyncpg.Pool) -> float:
    took = []
    for _ in range(TICKS):
        began = time.perf_counter()
        await tables.fetchval("SELECT 1")
        took.append((time.perf_counter() - began) * 1000)
    return middle(took)
