"""A restored house against the one it was saved from: every fact, every table.

The digests are of tables at the same sequence: the last one that the backup holds. Where the live
tables of the source have gone on since, they are folded again up to there, from the source's log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from nats.js import JetStreamContext

from eventlog import checkpoint as marks
from eventlog.asof import as_of
from eventlog.projection import Projection
from eventlog.read import head
from eventlog.tables import Schema
from eventlog.whole import read_whole
from proof.audit import Audit
from proof.chain import Chains
from proof.checkpoint import opened
from proof.files import LATEST, SealFolder

BATCH: Final = 1000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What looking at every fact of a log has shown."""

    facts: int
    checkpoints: int
    """How many signed checkpoints it agrees with; 0 where the backup holds no seal."""
    covered: int
    """How many of the facts those cover."""
    first_bad: int | None
    """The sequence of the first fact that is wrong or missing."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A projection of the source at the sequence of the backup."""

    name: str
    digest: str
    live: bool
    """Whether these were its live tables; else they were folded up to there for this."""


async def verified(js: JetStreamContext, seal: Path, progress: Progress) -> Verified:
    """Whether every fact follows the one before it and is the one that was signed.

    `seal` is where the backup keeps checkpoints and tiles, if it has any. The connection must be a
    `WholeClient`.
    """
    end, last = await head(js), 0
    audit, chains = _audit(seal, end), Chains()
    async for batch in read_whole(js, at_most=BATCH):
        for one in batch:
            if problem := chains.follow(one.subject, one.headers, one.body):
                return Verified(last, 0, 0, one.sequence, (problem,))
            audit.add(one.line)
            last = one.sequence
        progress("verifying", last, end)
        if audit.ended:
            break
    verdict = audit.finish()
    return Verified(
        verdict.facts, verdict.checkpoints, verdict.covered, verdict.first_bad, verdict.problems
    )


def _audit(seal: Path, end: int) -> Audit:
    if not (seal / LATEST).is_file():
        return Audit((), up_to=end)
    folder = SealFolder(seal)
    key = folder.key()
    return Audit(
        folder.checkpoints(key), folder.tiles(opened(folder.latest(), key).size), up_to=end
    )


async def source_at(
    projection: Projection,
    js: JetStreamContext,
    pool: asyncpg.Pool,
    sequence: int,
    restored: int,
) -> Compared:
    """The digest of the source's tables at `sequence`.

    `restored` is the last sequence that concerns the projection in the restored log: where the live
    tables stand there, nothing has come since and they are looked at themselves.
    """
    name = projection.name
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        standing = await marks.read(connection, name)
        if standing is not None and standing.last_sequence == restored:
            digest = await Schema(name, projection).digest(connection)
            return Compared(name, digest.sha256, live=True)
    async with as_of(projection, js, pool, sequence) as build, build.connection.transaction():
        digest = await build.schema.digest(build.connection)
    return Compared(name, digest.sha256, live=False)
