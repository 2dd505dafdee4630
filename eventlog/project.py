"""Follow the log and fold its facts into rows, each batch in one transaction with the checkpoint.

So a fact takes effect exactly once, whatever is delivered again, killed, or run twice: facts at
or below the checkpoint are passed over, an advisory lock lets one runner work, and should two
ever think they may, the lock on the checkpoint's row lets the second see what the first did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Final

import asyncpg
import nats.errors
import structlog
from nats.js import JetStreamContext
from nats.js.errors import APIError

from contracts.envelope import Recorded
from eventlog import checkpoint as marks
from eventlog import parking
from eventlog.checkpoint import Checkpoint, LogLost, Stop, TablesDiffer
from eventlog.ordered import Unreachable, heed_cancellation
from eventlog.parking import Parked, Waiting
from eventlog.projection import Folding, Projection, Touched, Unfoldable
from eventlog.read import EVERYTHING, Entry, Unread, at, follow, head
from eventlog.tables import Connection, Schema, Unstorable

log = structlog.get_logger()

BATCH: Final = 500
STANDBY: Final = 0.5
"""Seconds between two looks whether the runner that works is gone."""
LOOK_AGAIN: Final = 1.0
"""Seconds after which who waits for a checkpoint looks without having been told."""
GATHER: Final = 0.02
"""Seconds for which facts may gather after a batch that was not full: a fact that comes alone is
taken in at once, but of those that come thick and fast many share a transaction."""
PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0

PASSING: Final = (
    OSError,
    TimeoutError,
    Unreachable,
    nats.errors.Error,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that died in the middle of something
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    # The tables were just swapped or dropped: look again.
    asyncpg.InvalidCachedStatementError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
)
"""What passes by itself: tried again without end."""


class ProjectionRunner:
    """Keeps the tables of one projection in step with the log."""

    def __init__(
        self,
        projection: Projection,
        js: JetStreamContext,
        pool: asyncpg.Pool,
        *,
        batch_size: int = BATCH,
    ) -> None:
        self.projection = projection
        self.position = 0
        """The sequence of the last fact taken in."""
        self.works = False
        """Whether this is the runner that works, rather than one that stands by."""
        self._js = js
        self._pool = pool
        self._batch_size = batch_size
        self._schema = Schema(projection.name, projection)

    async def run(self) -> None:
        """Follow until cancelled. Raises `Stop` when somebody has to act first."""
        pause = PAUSE
        while True:
            before = self.position
            try:
                async with self._pool.acquire() as connection:
                    await self._follow(connection)
            except PASSING as error:
                name = self.projection.name
                log.warning(
                    "projection_waits", projection=name, error=f"{type(error).__name__}: {error}"
                )
            finally:
                self.works = False
            heed_cancellation()
            pause = PAUSE if self.position > before else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def lag(self) -> int:
        """How many sequences the checkpoint is behind the last fact on its subjects; 0: in step."""
        last = await head(self._js, self.projection.subjects)
        return max(0, last - await position(self._pool, self.projection.name))

    async def _follow(self, connection: Connection) -> None:
        name = self.projection.name
        while True:
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", marks.lock_key(name)):
                break
            heed_cancellation()
            await asyncio.sleep(STANDBY)
        self.works = True
        try:
            start = await self._open(connection)
            await marks.insist_on_log(self._js, name, start)
            await self._announce(connection)
            await self._take_all(connection, start)
        except Stop as stop:
            log.error("projection_stopped", projection=name, reason=str(stop))
            await marks.say(connection, name, marks.STOPPED, str(stop))
            raise

    async def _open(self, connection: Connection) -> Checkpoint:
        """The checkpoint to go on from; makes the tables where there are none."""
        name = self.projection.name
        async with connection.transaction():
            await marks.hold_tables(connection, name)
            checkpoint = await marks.read(connection, name)
            if checkpoint is None:
                checkpoint = marks.start_of(self.projection, await marks.stream_created(self._js))
                await marks.create(
                    connection, self._schema, self.projection, checkpoint, indexes=True
                )
        marks.insist_on_tables(self.projection, checkpoint)
        self.position = checkpoint.last_sequence
        await marks.say(connection, name, marks.FOLLOWING)
        log.info("projection_follows", projection=name, after=self.position)
        return checkpoint

    async def _take_all(self, connection: Connection, start: Checkpoint) -> None:
        async def guard() -> None:
            now = await marks.read(connection, self.projection.name)
            await marks.insist_on_log(self._js, self.projection.name, now or start)

        batches = follow(
            self._js,
            after=start.last_sequence,
            subjects=self.projection.subjects,
            at_most=self._batch_size,
            before_resuming=guard,
        )
        async with aclosing(batches):
            async for batch in batches:
                await self._take(connection, batch)
                if len(batch) < self._batch_size:
                    await asyncio.sleep(GATHER)

    async def _take(self, connection: Connection, batch: Sequence[Entry]) -> None:
        try:
            parked = await take_in(connection, self._schema, self.projection, batch)
        except Unstorable:
            parked = await self._take_one_by_one(connection, batch)
        self.position = batch[-1].sequence
        if parked:
            await self._announce(connection)

    async def _take_one_by_one(
        self, connection: Connection, batch: Sequence[Entry]
    ) -> list[Parked]:
        """A row of this batch cannot be stored: find the fact to blame, let the others through."""
        parked: list[Parked] = []
        for entry in batch:
            try:
                parked += await take_in(connection, self._schema, self.projection, [entry])
            except Unstorable as error:
                reason = {entry.sequence: str(error)}
                parked += await take_in(connection, self._schema, self.projection, [entry], reason)
        return parked

    async def _announce(self, connection: Connection) -> None:
        try:
            await parking.announce(self._js, connection, self.projection.name, self.projection.name)
        except (
            nats.errors.Error,
            APIError,
        ) as error:  # told with the next one, or at the next start
            log.error("parked_not_announced", projection=self.projection.name, error=str(error))


async def take_in(
    connection: Connection,
    schema: Schema,
    projection: Projection,
    entries: Sequence[Entry],
    refused: Mapping[int, str] | None = None,
) -> list[Parked]:
    """Take a batch in, in one transaction; what was taken in before is passed over.

    `refused` names sequences that are to be parked, with the reason. Gives what was parked.
    """
    async with connection.transaction():
        checkpoint = await marks.read(connection, schema.name, lock=True)
        if checkpoint is None:
            raise TablesDiffer(f"schema {schema.name} has no checkpoint: rebuild the projection")
        marks.insist_on_tables(projection, checkpoint)
        fresh = [entry for entry in entries if entry.sequence > checkpoint.last_sequence]
        if not fresh:
            return []
        if projection.subjects == EVERYTHING and fresh[0].sequence != checkpoint.last_sequence + 1:
            missing = f"{checkpoint.last_sequence + 1} to {fresh[0].sequence - 1}"
            raise LogLost(
                f"projection {projection.name}: the log has nothing at sequences {missing}"
            )
        parked = await _fold(connection, schema, projection, fresh, refused or {})
        await marks.move(
            connection, schema.name, projection.name, checkpoint.behind(fresh[-1], len(fresh))
        )
    return parked


async def unpark(
    js: JetStreamContext, pool: asyncpg.Pool, projection: Projection, subject: str
) -> int:
    """Fold the parked facts of a stream id, from the log, after their cause was mended.

    Gives how many are folded now; what still cannot be stays parked. Rows that several stream ids
    share see these facts late: if their order matters, rebuild.
    """
    schema = Schema(projection.name, projection)
    async with pool.acquire() as connection, connection.transaction():
        checkpoint = await marks.read(connection, schema.name, lock=True)
        if checkpoint is None:
            return 0
        marks.insist_on_tables(projection, checkpoint)
        sequences = await parking.sequences(connection, schema.name, subject)
        await parking.release(connection, schema.name, subject)
        for sequence in sequences:
            stored = await at(js, sequence)
            if stored is None:
                raise LogLost(
                    f"projection {projection.name}: the log has nothing at sequence {sequence}"
                )
            try:
                async with connection.transaction():
                    await _fold(connection, schema, projection, [stored.entry], {})
            except Unstorable as error:
                reason = {sequence: str(error)}
                await _fold(connection, schema, projection, [stored.entry], reason)
        still = await parking.sequences(connection, schema.name, subject)
        await marks.move(connection, schema.name, projection.name, checkpoint)
    log.info(
        "unparked", projection=projection.name, subject=subject, folded=len(sequences) - len(still)
    )
    return len(sequences) - len(still)


async def position(pool: asyncpg.Pool, projection: str) -> int:
    """The sequence of the last fact that a projection has taken in; 0 where there is none."""
    async with pool.acquire() as connection:
        checkpoint = await marks.read(connection, projection)
    return checkpoint.last_sequence if checkpoint else 0


async def wait_for(
    pool: asyncpg.Pool, projection: str, sequence: int, timeout: float = 5.0
) -> None:
    """Until a projection has taken in `sequence` (of a fact on its subjects): read your own writes.

    Raises `TimeoutError`. Holds a connection of the pool while it waits.
    """
    moved = asyncio.Event()

    def hear(*_: object) -> None:
        moved.set()

    async with asyncio.timeout(timeout), pool.acquire() as connection:
        await connection.add_listener(marks.channel(projection), hear)
        try:
            while True:
                moved.clear()
                checkpoint = await marks.read(connection, projection)
                if checkpoint is not None and checkpoint.last_sequence >= sequence:
                    return
                try:
                    async with asyncio.timeout(LOOK_AGAIN):
                        await moved.wait()
                except TimeoutError:
                    continue
        finally:
            await connection.remove_listener(marks.channel(projection), hear)


async def _fold(
    connection: Connection,
    schema: Schema,
    projection: Projection,
    entries: Sequence[Entry],
    refused: Mapping[int, str],
) -> list[Parked]:
    """Fold entries into the tables. What cannot be folded is parked, and what is behind it."""
    folding = Folding(projection)
    waiting = Waiting(await parking.blocked(connection, schema.name))
    plan: list[tuple[Recorded, list[Touched]]] = []
    for entry in entries:
        if waiting.parks(entry):
            continue
        if isinstance(entry, Unread):
            waiting.park(entry, entry.reason)
        elif entry.sequence in refused:
            waiting.park(entry, refused[entry.sequence])
        else:
            try:
                plan.append((entry, folding.touched(entry)))
            except Unfoldable as error:
                waiting.park(entry, error.reason)
    for table, keys in folding.missing(touched for _, rows in plan for touched in rows):
        folding.know(table, keys, await schema.tables[table].load(connection, keys))
    for fact, rows in plan:
        if not waiting.parks(fact):
            try:
                folding.fold(fact, rows)
            except Unfoldable as error:
                waiting.park(fact, error.reason)
    for table, changes in folding.changes():
        await schema.tables[table].write(connection, changes)
    if waiting.parked:
        await parking.park(connection, schema.name, waiting.parked)
    return waiting.parked
