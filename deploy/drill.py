"""A restored house against the one it was saved from: the chain of every fact, every table.

The digests are of tables at the same sequence: the last one that the backup holds. Where the live
tables of the source have gone on since, they are folded again up to there, from the source's log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import asyncpg
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from eventlog import checkpoint as marks
from eventlog.asof import as_of
from eventlog.message import LOG
from eventlog.ordered import OrderedReader, place
from eventlog.projection import Projection
from eventlog.read import EVERYTHING, head
from eventlog.tables import Schema
from proof.chain import Chains

BATCH = 1000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Chained:
    """What looking at every fact of a log has shown."""

    facts: int
    first_bad: int | None
    """The sequence of the first fact that is wrong or missing."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A projection of the source at the sequence of the backup."""

    name: str
    digest: str
    live: bool
    """Whether these were its live tables; else they were folded up to there for this."""


@dataclass(frozen=True, slots=True)
class _Raw:
    sequence: int
    subject: str
    headers: Mapping[str, str]
    body: bytes


def _raw(message: Msg) -> _Raw:
    sequence = place(message.reply).sequence
    return _Raw(sequence, message.subject, message.headers or {}, message.data)


async def chained(js: JetStreamContext, progress: Progress) -> Chained:
    """Whether every fact gives its hash, follows the one before it, and none is missing."""
    end, chains, last = await head(js), Chains(), 0
    if not end:
        return Chained(0, None, None)
    async with OrderedReader(
        js, _raw, stream=LOG, subjects=EVERYTHING, after=0, ahead=2 * BATCH
    ) as reader:
        while last < end:
            for one in await reader.take(BATCH, fill=True):
                if one.sequence != last + 1:
                    return Chained(last, last + 1, f"the log has nothing at {last + 1}")
                if problem := chains.follow(one.subject, one.headers, one.body):
                    return Chained(last, one.sequence, problem)
                last = one.sequence
            progress("verifying the chain", last, end)
    return Chained(last, None, None)


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
