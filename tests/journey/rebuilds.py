"""Folds every projection anew from the log, in many ways; each must give the very same bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from nats.js import JetStreamContext

from deploy.house import AUDITOR
from deploy.projections import PROJECTIONS
from eventlog.connect import connect_postgres
from eventlog.project import take_in
from eventlog.projection import Projection
from eventlog.read import read_log
from eventlog.rebuild import building, rebuild
from eventlog.tables import Schema
from tests.journey.crew import Crew

BATCHES = (1, 1000)


async def differences(crew: Crew) -> list[str]:
    """Which projection differs from which of its rebuilds; empty when all are equal."""
    js = crew.clients[AUDITOR].jetstream(timeout=10)
    found = []
    async with _owned(crew) as pool:
        for projection in PROJECTIONS:
            for size in BATCHES:
                done = await rebuild(projection, js, pool, check=True, batch_size=size)
                assert done.facts, f"{projection.name} was compared over nothing"
                if not done.equal:
                    found.append(f"{projection.name} is not what batches of {size} give")
            live = await _digest(projection, pool)
            if await _heard_twice(projection, js, pool) != live:
                found.append(f"{projection.name} is not what every fact heard twice gives")
            await _hear_all_again(projection, js, pool)
            if await _digest(projection, pool) != live:
                found.append(f"{projection.name} changes when it hears the log once more")
    return found


@asynccontextmanager
async def _owned(crew: Crew) -> AsyncIterator[asyncpg.Pool]:
    pool = await connect_postgres(crew.info.rebuild_url)
    try:
        yield pool
    finally:
        await pool.close()


async def _heard_twice(projection: Projection, js: JetStreamContext, pool: asyncpg.Pool) -> str:
    """The digest of a build that is given every fact twice, and every batch twice."""
    async with building(projection, js, pool, f"{projection.name}_twice", 50) as build:
        async for batch in read_log(js, subjects=projection.subjects, at_most=50):
            await build.take([entry for one in batch for entry in (one, one)])
            await build.take(batch)
        await build.write()
        async with build.connection.transaction():
            return (await build.schema.digest(build.connection)).sha256


async def _hear_all_again(projection: Projection, js: JetStreamContext, pool: asyncpg.Pool) -> None:
    """What a second runner would do that knows nothing of the first."""
    schema = Schema(projection.name, projection)
    async with pool.acquire() as connection:
        async for batch in read_log(js, subjects=projection.subjects):
            assert not await take_in(connection, schema, projection, batch)


async def _digest(projection: Projection, pool: asyncpg.Pool) -> str:
    async with pool.acquire() as connection, connection.transaction():
        return (await Schema(projection.name, projection).digest(connection)).sha256
