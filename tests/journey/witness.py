"""Somebody who looks at a house while it is at work, and keeps elsewhere what was to be seen.

Roots of the log: what was sealed once must be how the log begins for ever. And reads of the tables,
each with the sequence that it claims: the log folded to there must give the very same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random

import asyncpg
import nats.errors

from deploy.house import AUDITOR
from deploy.projections import PROJECTIONS
from eventlog import checkpoint
from eventlog.read import at, head
from eventlog.tables import Schema
from proof.merkle import Frontier
from tests.journey.crew import Crew
from tests.journey.proving import Root, leaf_of

EVERY = 1.0
"""Seconds between two looks."""
AWAY = (
    OSError,
    TimeoutError,
    nats.errors.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a look may meet while servers are away."""


@dataclass(frozen=True)
class Read:
    """All tables of a projection, as they were read at once."""

    projection: str
    sequence: int
    digest: str


@dataclass
class Witness:
    """Looks again and again; keeps what it saw."""

    dice: Random
    roots: list[Root] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    _frontier: Frontier = field(default_factory=Frontier)

    async def watch(self, crew: Crew) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(10):
                    await self.seal(crew)
                    await self._read(crew)
            except AWAY:
                pass  # the next look will do
            await asyncio.sleep(EVERY)

    async def seal(self, crew: Crew) -> None:
        """Keep the root of the log as it is now."""
        js = crew.clients[AUDITOR].jetstream(timeout=2)
        last = await head(js)
        while self._frontier.size < last:
            stored = await at(js, self._frontier.size + 1)
            if stored is None:
                return
            self._frontier.append(leaf_of(stored))
        self.roots.append(Root(self._frontier.size, self._frontier.root))

    async def _read(self, crew: Crew) -> None:
        projection = self.dice.choice(PROJECTIONS)
        connection = await asyncpg.connect(crew.info.database_url, timeout=2)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                there = await checkpoint.read(connection, projection.name)
                if there is not None and there.last_sequence:
                    digest = await Schema(projection.name, projection).digest(connection)
                    self.reads.append(Read(projection.name, there.last_sequence, digest.sha256))
        finally:
            connection.terminate()
