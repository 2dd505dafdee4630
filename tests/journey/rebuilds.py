"""Folds every projection anew from the log, in many ways; each must give the very same bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from nats.js import JetStreamContext

from deploy.house import AUDITOR
from deploy.ledger_check import check_ledger
from deploy.projections import PROJECTIONS
from eventlog.connect import connect_postgres
from eventlog.project import take_in
from eventlog.projection import Projection
from eventlog.read import head, read_log
from eventlog.rebuild import RebuildStopped, building, rebuild, rebuild_into
from eventlog.tables import Schema
from tests.journey.crew import Crew
from tests.journey.witness import Read

BATCHES = (1, 1000)


async def differences(crew: Crew, planted: bool = False) -> list[str]:
    """Which projection differs from which of its rebuilds; empty when all are equal.

    Where something that is no fact was `planted`, a rebuild must say so and leave all as it is.
    """
    js = crew.clients[AUDITOR].jetstream(timeout=10)
    found = []
    async with _owned(crew) as pool:
        for projection in PROJECTIONS:
            if planted:
                found += await _goes_on_without_stopping(projection, js, pool)
                continue
            if not await head(js, projection.subjects):
                continue  # no journey speaks of these things yet
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


async def not_as_read(crew: Crew, reads: Sequence[Read]) -> list[str]:
    """Which reads, made while the house was at work, no log gives at the sequence they claimed."""
    js = crew.clients[AUDITOR].jetstream(timeout=10)
    found = []
    async with _owned(crew) as pool:
        for read in reads:
            projection = next(one for one in PROJECTIONS if one.name == read.projection)
            async with building(projection, js, pool, f"{read.projection}_as_read") as build:
                await rebuild_into(build, js, up_to=read.sequence)
                async with build.connection.transaction():
                    then = (await build.schema.digest(build.connection)).sha256
            if then != read.digest:
                found.append(f"{read.projection} was read at {read.sequence} as it never was")
    return found


async def unbalanced(crew: Crew) -> list[str]:
    """What the check of the ledger finds, every step replayed and every row compared."""
    js = crew.clients[AUDITOR].jetstream(timeout=10)
    async with _owned(crew) as pool:
        found = await check_ledger(js, pool)
    return [f"{one.invariant} at {one.sequence}: {one.detail}" for one in found.violations]


async def _goes_on_without_stopping(
    projection: Projection, js: JetStreamContext, pool: asyncpg.Pool
) -> list[str]:
    """Whether a rebuild passes over what the live projection has parked."""
    live = await _digest(projection, pool)
    parked = await pool.fetchval(f'SELECT min(sequence) FROM "{projection.name}".parked')  # noqa: S608
    try:
        await rebuild(projection, js, pool, check=True)
    except RebuildStopped as stopped:
        if parked is None or f"sequence {parked}" not in str(stopped):
            return [f"{projection.name} is not rebuilt: {stopped}; parked is {parked}"]
    else:
        if parked is not None:
            return [f"{projection.name} is rebuilt, though {parked} is parked"]
    return [] if await _digest(projection, pool) == live else [f"{projection.name} was changed"]


async def _hear_all_again(projection: Projection, js: JetStreamContext, pool: asyncpg.Pool) -> None:
    """What a second runner would do that knows nothing of the first."""
    schema = Schema(projection.name, projection)
    async with pool.acquire() as connection:
        async for batch in read_log(js, subjects=projection.subjects):
            assert not await take_in(connection, schema, projection, batch)


async def _digest(projection: Projection, pool: asyncpg.Pool) -> str:
    async with pool.acquire() as connection, connection.transaction():
        return (await Schema(projection.name, projection).digest(connection)).sha256
