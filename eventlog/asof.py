"""A projection as it was at one sequence of the log: the same fold, in a schema of its own.

Nothing live is touched: a schema `asof_…` is made, filled, looked at, and dropped. One row whose
facts all stand in one stream id needs no tables at all (`rows_of_one`).
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import asyncpg
from nats.js import JetStreamContext

from contracts.envelope import Recorded
from eventlog import checkpoint as marks
from eventlog.checkpoint import LogLost
from eventlog.projection import Projection, Table, rows_after
from eventlog.read import Stored, at, head, read_stream
from eventlog.rebuild import BATCH, Build, Progress, building, rebuild_into
from eventlog.tables import LONG, Connection

PREFIX: Final = "asof_"
"""Of schemas that are dropped when whoever made them is done, or gone."""


async def sequence_at(js: JetStreamContext, moment: datetime) -> int:
    """The last sequence that was recorded at `moment` or before, by the log's clock; 0: none."""
    low, high = 0, await head(js)
    while low < high:
        middle = (low + high + 1) // 2
        if (await insist_on(js, middle)).recorded_at <= moment:
            low = middle
        else:
            high = middle - 1
    return low


async def insist_on(js: JetStreamContext, sequence: int) -> Stored:
    """What the log has at a sequence that it must have. Raises `LogLost`."""
    stored = await at(js, sequence)
    if stored is None:
        raise LogLost(f"the log has nothing at sequence {sequence}")
    return stored


@asynccontextmanager
async def as_of(
    projection: Projection,
    js: JetStreamContext,
    pool: asyncpg.Pool,
    sequence: int,
    *,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> AsyncIterator[Build]:
    """The projection's tables as they were at `sequence`, for as long as somebody looks at them.

    Raises `RebuildStopped` at a fact that cannot be folded.
    """
    schema = f"{PREFIX}{secrets.token_hex(4)}_{projection.name}"
    async with building(projection, js, pool, schema, batch_size) as build:
        await _write_ahead(build, logged=False)  # a crash only means to ask again
        await rebuild_into(build, js, up_to=sequence, batch_size=batch_size, progress=progress)
        yield build


async def keep(build: Build, schema: str) -> None:
    """Let the tables stay, with their indexes, in a schema of this name. It must not be there."""
    await _write_ahead(build, logged=True)
    await build.settle()
    await build.connection.execute(f'ALTER SCHEMA "{build.schema.name}" RENAME TO "{schema}"')


async def _write_ahead(build: Build, *, logged: bool) -> None:
    """Whether PostgreSQL keeps a second copy of each row, to survive a crash of its own."""
    how = "LOGGED" if logged else "UNLOGGED"
    for table in (*(table.name for table in build.schema.tables), "checkpoint", "parked"):
        await build.connection.execute(
            f'ALTER TABLE "{build.schema.name}"."{table}" SET {how}', timeout=LONG
        )


async def drop(connection: Connection, schema: str) -> None:
    """Let what was kept go."""
    await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


async def sweep(pool: asyncpg.Pool) -> list[str]:
    """Drop what was left behind by somebody who was killed; gives the names."""
    gone: list[str] = []
    async with pool.acquire() as connection:
        left = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", PREFIX
        )
        for schema in sorted(row[0] for row in left):
            key = marks.lock_key(schema)  # held as long as somebody looks
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
                await drop(connection, schema)
                await connection.execute("SELECT pg_advisory_unlock($1)", key)
                gone.append(schema)
    return gone


async def rows_where(
    build: Build, table: Table[Any], column: str | None = None, value: str | None = None
) -> list[Any]:
    """The rows of a table, in the order of its key; those only that have `value` in `column`."""
    (stored,) = (t for t in build.schema.tables if t.name == table.name)
    return await stored.select(build.connection, column, value)


async def rows_of_one(
    projection: Projection, table: Table[Any], js: JetStreamContext, key: str, sequence: int
) -> list[Any]:
    """The rows under a stream id at `sequence`, by nothing but the facts of that stream id.

    Only for a table that says which `stream` its rows follow from. The leader answers: a replica
    may not have all of it yet.
    """
    facts: list[Recorded] = []
    async for fact in read_stream(js, str(table.stream), key, leader=True):
        if fact.sequence > sequence:
            break
        facts.append(fact)
    return rows_after(projection, facts)[table.name]


def concerned(table: Table[Any], rows: Sequence[Any], column: str, value: str) -> list[Any]:
    """Those of the rows that have `value` in `column`, in the order of the table's key."""
    return sorted((row for row in rows if getattr(row, column) == value), key=table.key_of())
