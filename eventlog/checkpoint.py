"""How far a projection has folded the log, and whether the log is still the one it folded."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, cast

import structlog
from nats.js import JetStreamContext

from eventlog.message import LOG
from eventlog.projection import Projection
from eventlog.read import Entry, at, head
from eventlog.tables import Connection, Schema, shape_of

log = structlog.get_logger()

FOLLOWING: Final = "following"
STOPPED: Final = "stopped"
LOOK_AGAIN: Final = (0.3, 0.7, 1.5)
"""Seconds between looks at a log that seems to have lost something: a leader that was just
elected may not have read all that it holds."""

_CHECKPOINT: Final = """
    name text NOT NULL, version bigint NOT NULL, shape text NOT NULL,
    stream_created timestamptz NOT NULL, last_sequence bigint NOT NULL, last_hash text NOT NULL,
    last_recorded_at timestamptz, facts bigint NOT NULL,
    status text NOT NULL, error text, PRIMARY KEY (name, version)
"""
_PARKED: Final = """
    sequence bigint PRIMARY KEY, subject text NOT NULL, reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(), announced boolean NOT NULL DEFAULT false
"""


class Stop(Exception):
    """The projection cannot go on until somebody has acted; the text says how."""


class LogLost(Stop):
    """The log no longer holds what was folded from it."""


class TablesDiffer(Stop):
    """The tables are not those that this code declares."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a projection stands. Its row moves in the transaction that writes the rows."""

    version: int
    shape: str
    """Of the tables, as they were made."""
    stream_created: datetime
    last_sequence: int
    last_hash: str
    last_recorded_at: datetime | None
    facts: int
    """How many facts were taken in."""

    def behind(self, entry: Entry, facts: int) -> Checkpoint:
        """The checkpoint when `facts` more were taken in, `entry` the last of them."""
        return replace(
            self,
            last_sequence=entry.sequence,
            last_hash=entry.hash,
            last_recorded_at=entry.recorded_at,
            facts=self.facts + facts,
        )


_FIELDS: Final = tuple(field.name for field in fields(Checkpoint))


def lock_key(name: str) -> int:
    """The advisory lock of that name."""
    return int.from_bytes(sha256(f"waggle.{name}".encode()).digest()[:8], "big", signed=True)


async def hold_tables(connection: Connection, projection: str) -> None:
    """Until the end of the transaction nobody else makes or swaps the tables of the projection."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key(f"{projection}.tables"))


def channel(projection: str) -> str:
    """Where PostgreSQL notifies of every move of the checkpoint, with the sequence."""
    return f"waggle_{projection}"


def start_of(projection: Projection, stream_created: datetime) -> Checkpoint:
    """The checkpoint before the first fact."""
    return Checkpoint(projection.version, shape_of(projection), stream_created, 0, "", None, 0)


async def stream_created(js: JetStreamContext) -> datetime:
    """When the stream of the log was made; a restored or promoted one was made later."""
    info = await js.stream_info(LOG)
    return cast(datetime, info.created)


async def create(
    connection: Connection,
    schema: Schema,
    projection: Projection,
    start: Checkpoint,
    *,
    indexes: bool,
) -> None:
    """Make the schema with its tables, its checkpoint, and the table of parked facts."""
    await schema.create(connection, indexes=indexes)
    await connection.execute(f'CREATE TABLE "{schema.name}".checkpoint ({_CHECKPOINT})')
    await connection.execute(f'CREATE TABLE "{schema.name}".parked ({_PARKED})')
    places = ", ".join(f"${number}" for number in range(3, len(_FIELDS) + 3))
    await connection.execute(
        f'INSERT INTO "{schema.name}".checkpoint (name, status, {", ".join(_FIELDS)}) '
        f"VALUES ($1, $2, {places})",
        projection.name,
        FOLLOWING,
        *astuple(start),
    )


async def read(connection: Connection, schema: str, *, lock: bool = False) -> Checkpoint | None:
    """The checkpoint in a schema; None when there is no such schema.

    With `lock` it is held to the end of the transaction: nobody else folds meanwhile.
    """
    table = f'"{schema}".checkpoint'
    if not lock and await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return None
    row = await connection.fetchrow(
        f"SELECT {', '.join(_FIELDS)} FROM {table}{' FOR UPDATE' if lock else ''}"
    )
    return Checkpoint(*row) if row else None


async def move(connection: Connection, schema: str, projection: str, to: Checkpoint) -> None:
    """Put the checkpoint there, and tell who listens when the transaction is committed."""
    await connection.execute(
        f'WITH moved AS (UPDATE "{schema}".checkpoint SET stream_created = $1, last_sequence = $2, '
        "last_hash = $3, last_recorded_at = $4, facts = $5 RETURNING last_sequence::text) "
        "SELECT pg_notify($6, last_sequence) FROM moved",
        to.stream_created,
        to.last_sequence,
        to.last_hash,
        to.last_recorded_at,
        to.facts,
        channel(projection),
    )


async def say(connection: Connection, schema: str, status: str, error: str | None = None) -> None:
    """Note for operators how it goes."""
    await connection.execute(
        f'UPDATE "{schema}".checkpoint SET status = $1, error = $2', status, error
    )


def insist_on_tables(projection: Projection, checkpoint: Checkpoint) -> None:
    """Raise `TablesDiffer` unless the tables are those that the code declares."""
    name, version = projection.name, projection.version
    if checkpoint.version != version:
        raise TablesDiffer(
            f"projection {name}: the tables are of version {checkpoint.version}, this code "
            f"declares version {version}. Run `waggle rebuild --only {name}`."
        )
    if checkpoint.shape != shape_of(projection):
        raise TablesDiffer(
            f"projection {name}: the declared tables changed, but not their version {version}. "
            f"Raise the version, then run `waggle rebuild --only {name}`."
        )


async def insist_on_log(js: JetStreamContext, projection: str, checkpoint: Checkpoint) -> None:
    """Raise `LogLost` unless the log still holds what was folded from it.

    A head before the checkpoint shows a loss; so does another fact at the checkpoint's sequence,
    which decides, since new facts soon take the numbers of lost ones; so does a hole before it. A
    stream made at another time is only a hint: a promoted mirror and a restored backup are such
    streams.
    """
    if not checkpoint.last_sequence:
        return
    loss = await _loss(js, checkpoint)
    for pause in LOOK_AGAIN:
        if loss is None:
            break
        await asyncio.sleep(pause)
        loss = await _loss(js, checkpoint)
    if loss is not None:
        raise LogLost(
            f"projection {projection}: the log has lost facts. It was folded up to sequence "
            f"{checkpoint.last_sequence} (hash {checkpoint.last_hash[:12]}, recorded "
            f"{checkpoint.last_recorded_at}), but {loss}. Take no commands; restore the stream "
            f"{LOG} from its mirror or newest backup and start again. Only when the loss is final: "
            f"`waggle rebuild --only {projection}` folds what is left."
        )
    if (created := await stream_created(js)) != checkpoint.stream_created:
        log.warning("stream_made_anew", projection=projection, created=created.isoformat())


async def holes(js: JetStreamContext) -> str | None:
    """What is missing before the end of the log, if anything is: no fact is ever deleted."""
    state = (await js.stream_info(LOG)).state
    missing = state.last_seq - state.messages
    return f"{missing} facts before its end at {state.last_seq} are gone" if missing else None


async def _loss(js: JetStreamContext, checkpoint: Checkpoint) -> str | None:
    stored = await at(js, checkpoint.last_sequence)
    if stored is None:
        return f"the log ends at {await head(js)} and has nothing there"
    if stored.hash != checkpoint.last_hash:
        return f"the log has another fact there ({stored.subject}, hash {stored.hash[:12]})"
    if not stored.is_intact:
        return "the fact there does not give its own hash any more"
    return await holes(js)
