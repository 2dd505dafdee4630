"""Fold a projection anew from the log, in a schema beside the live one; compare; swap.

The live tables go on serving and following all the while. They are compared at a moment when
both stand at exactly the same sequence, and swapped in one transaction, for which the live
runner waits some milliseconds and then goes on with the new tables. Whatever interrupts it, the
live tables are untouched and nothing is left behind.
"""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import asyncpg
import structlog
from nats.js import JetStreamContext

from contracts.envelope import Recorded
from eventlog import checkpoint as marks
from eventlog.checkpoint import Checkpoint, LogLost, TablesDiffer
from eventlog.projection import Folding, Projection, Unfoldable
from eventlog.read import EVERYTHING, Entry, Unread, head, read_log
from eventlog.tables import LONG, Connection, Schema, Unstorable, grants

log = structlog.get_logger()

BATCH: Final = 2000
ROWS_PER_FACT: Final = 5
"""Rows held in memory for each fact of a batch, before they are written."""
SWAP_TRIES: Final = 20

Progress: TypeAlias = Callable[[int, int], None]
"""Told the sequence reached and the sequence to reach."""
Reach: TypeAlias = Callable[[int], Awaitable[None]]
"""Brings a build up to a sequence."""


class RebuildStopped(Exception):
    """The log holds a fact that cannot be folded. The live tables are as they were."""


class RebuildRuns(Exception):
    """Somebody else rebuilds this projection at the moment."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to."""

    name: str
    facts: int
    rows: int
    seconds: float
    digest_live: str | None
    """None where there was nothing to compare with: no tables, or tables of another version."""
    digest_rebuilt: str

    @property
    def equal(self) -> bool:
        """Whether every byte was the same."""
        return self.digest_live == self.digest_rebuilt


class Build:
    """Folds the log into a schema of its own, at full speed; its checkpoint moves with its rows.

    Holds a bounded number of rows in memory: when there are more, all that changed is written.
    """

    def __init__(
        self,
        projection: Projection,
        schema: str,
        connection: Connection,
        start: Checkpoint,
        batch_size: int,
    ) -> None:
        self.checkpoint = start
        self.projection = projection
        self.schema = Schema(schema, projection)
        self.connection = connection
        self._folding = Folding(projection)
        self._most_rows = ROWS_PER_FACT * batch_size

    async def create(self) -> None:
        """Make the tables, without the indexes."""
        async with self.connection.transaction():
            await marks.create(
                self.connection, self.schema, self.projection, self.checkpoint, indexes=False
            )

    async def take(self, entries: Sequence[Entry]) -> None:
        """Fold a batch; what was taken before is passed over. Raises `RebuildStopped`."""
        fresh: list[Recorded] = []
        last = self.checkpoint.last_sequence
        for entry in entries:
            if entry.sequence <= last:
                continue
            if isinstance(entry, Unread):
                raise RebuildStopped(f"projection {self.projection.name}: {entry.reason}")
            if self.projection.subjects == EVERYTHING and entry.sequence != last + 1:
                raise LogLost(
                    f"projection {self.projection.name}: the log has nothing at {last + 1}"
                )
            fresh.append(entry)
            last = entry.sequence
        if not fresh:
            return
        try:
            await self._fold(fresh)
        except (Unfoldable, Unstorable) as error:
            raise RebuildStopped(f"projection {self.projection.name}: {error}") from error
        self.checkpoint = self.checkpoint.behind(fresh[-1], len(fresh))
        if len(self._folding) > self._most_rows:
            await self.write()

    async def write(self) -> None:
        """Write all that changed. Raises `RebuildStopped` when a row cannot be stored."""
        try:
            async with self.connection.transaction():
                for table, changes in self._folding.changes():
                    await self.schema.tables[table].write(self.connection, changes)
                await marks.move(
                    self.connection, self.schema.name, self.schema.name, self.checkpoint
                )
        except Unstorable as error:
            raise RebuildStopped(
                f"projection {self.projection.name}: a row folded up to sequence "
                f"{self.checkpoint.last_sequence} cannot be stored: {error}"
            ) from error
        self._folding.forget()

    async def settle(self) -> None:
        """Make the indexes. Raises `RebuildStopped` when a row does not fit into one."""
        try:
            async with self.connection.transaction():
                await self.schema.settle(self.connection)
        except Unstorable as error:
            raise RebuildStopped(f"projection {self.projection.name}: {error}") from error

    async def _fold(self, facts: Sequence[Recorded]) -> None:
        folding = self._folding
        plan = [(fact, folding.touched(fact)) for fact in facts]
        for table, keys in folding.missing(touched for _, rows in plan for touched in rows):
            folding.know(table, keys, await self.schema.tables[table].load(self.connection, keys))
        for fact, rows in plan:
            folding.fold(fact, rows)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Let the collector of cycles look more rarely.

    Facts and rows form none, and looking for some among all that is held takes a sixth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(20_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@asynccontextmanager
async def building(
    projection: Projection,
    js: JetStreamContext,
    pool: asyncpg.Pool,
    schema: str,
    batch_size: int = BATCH,
) -> AsyncIterator[Build]:
    """A fresh build in `schema`, which is dropped in the end unless it was renamed meanwhile.

    What an earlier one left there is cleared away. Raises `RebuildRuns`.
    """
    async with pool.acquire() as connection:
        key = marks.lock_key(schema)
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            raise RebuildRuns(f"projection {projection.name} is being rebuilt already; wait for it")
        drop = f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'
        await connection.execute(drop)
        # Until the swap a crash only means to begin again; the swap's own commit flushes all of it.
        await connection.execute("SET synchronous_commit = off")
        try:
            start = marks.start_of(projection, await marks.stream_created(js))
            build = Build(projection, schema, connection, start, batch_size)
            await build.create()
            yield build
        finally:
            if not connection.is_closed():
                if connection.is_in_transaction():  # its BEGIN was cancelled when it had begun
                    await connection.execute("ROLLBACK")
                await connection.execute(drop)


async def rebuild_into(
    build: Build,
    js: JetStreamContext,
    *,
    up_to: int,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> None:
    """Fold the log into the build, behind where it stands, as far as `up_to`."""
    after = build.checkpoint.last_sequence
    batches = read_log(
        js, after=after, up_to=up_to, subjects=build.projection.subjects, at_most=batch_size
    )
    with _rarely_collecting():
        async with aclosing(batches):
            async for batch in batches:
                await build.take(batch)
                if progress is not None:
                    progress(batch[-1].sequence, up_to)
        await build.write()


async def rebuild(
    projection: Projection,
    js: JetStreamContext,
    pool: asyncpg.Pool,
    *,
    check: bool,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> Rebuilt:
    """Fold the projection anew and compare; with `check` drop the result, else swap it in.

    Needs two connections of the pool. Raises `RebuildStopped`, `RebuildRuns`.
    """
    began = time.monotonic()
    async with (
        building(projection, js, pool, f"{projection.name}_rebuild", batch_size) as build,
        pool.acquire() as live,
    ):

        async def reach(sequence: int) -> None:
            await rebuild_into(build, js, up_to=sequence, batch_size=batch_size, progress=progress)

        standing = await _comparable(live, js, projection)
        await reach(standing.last_sequence if standing else await head(js, projection.subjects))
        await build.settle()
        digest_live = await _digest_live(build, live, reach) if standing else None
        async with build.connection.transaction():
            digest = await build.schema.digest(build.connection)
        if not check:
            await _swap(build, live, reach)
    return Rebuilt(
        name=projection.name,
        facts=build.checkpoint.facts,
        rows=digest.rows,
        seconds=time.monotonic() - began,
        digest_live=digest_live,
        digest_rebuilt=digest.sha256,
    )


async def _comparable(
    live: Connection, js: JetStreamContext, projection: Projection
) -> Checkpoint | None:
    """Where the live tables stand, if they are such as this code and this log should give."""
    checkpoint = await marks.read(live, projection.name)
    if checkpoint is None:
        return None
    try:
        marks.insist_on_tables(projection, checkpoint)
        await marks.insist_on_log(js, projection.name, checkpoint)
    except (TablesDiffer, LogLost) as reason:
        log.warning("nothing_to_compare_with", projection=projection.name, reason=str(reason))
        return None
    return checkpoint


async def _digest_live(build: Build, live: Connection, reach: Reach) -> str | None:
    """The digest of the live tables as of one moment, the build brought to exactly there.

    A snapshot stands still while the live tables follow on, so nobody waits.
    """
    projection = build.projection
    async with live.transaction(isolation="repeatable_read", readonly=True):
        standing = await marks.read(live, projection.name)
        if standing is None:
            return None
        await reach(standing.last_sequence)
        if build.checkpoint.last_sequence != standing.last_sequence:
            return None  # the live tables were dropped and begin again
        return (await Schema(projection.name, projection).digest(live)).sha256


async def _swap(build: Build, live: Connection, reach: Reach) -> None:
    """Put the build in the place of the live tables, at the sequence where those stand.

    Whoever reads them in a long transaction holds us up; we step back and try again, so that the
    live runner never waits for long.
    """
    for tries_left in reversed(range(SWAP_TRIES)):
        await _catch_up(build, live, reach)
        try:
            async with live.transaction():
                await _swap_now(build, live, reach)
            break
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if not tries_left:
                raise
            log.warning("swap_waits", projection=build.projection.name, tries_left=tries_left)
    log.info("swapped", projection=build.projection.name, at=build.checkpoint.last_sequence)


async def _catch_up(build: Build, live: Connection, reach: Reach) -> None:
    """Bring the build to where the live tables stand now."""
    standing = await marks.read(live, build.projection.name)
    if standing is not None and standing.version == build.checkpoint.version:
        await reach(standing.last_sequence)


async def _swap_now(build: Build, live: Connection, reach: Reach) -> None:
    name, rebuilt = build.projection.name, build.schema.name
    await live.execute("SET LOCAL lock_timeout = '1s'")
    await marks.hold_tables(live, name)
    granted: list[str] = []
    if await marks.read(live, name) is not None:
        # The runner's first step in a transaction is this table: it waits here, holding nothing.
        await live.execute(f'LOCK TABLE "{name}".checkpoint IN ACCESS EXCLUSIVE MODE')
        await _catch_up(build, live, reach)
        granted = await grants(live, name, rebuilt)
        await live.execute(f'DROP SCHEMA "{name}" CASCADE', timeout=LONG)
    await live.execute(f'ALTER SCHEMA "{rebuilt}" RENAME TO "{name}"')
    for grant in granted:
        await live.execute(grant)
