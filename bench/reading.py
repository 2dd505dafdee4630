"""One measured read of a log in a process of its own: `python -m bench.reading JSON`.

Its own process, so that memory is counted from nothing. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

import asyncpg
import nats
import structlog
import uvloop
from nats.aio.msg import Msg

from deploy.projections import PROJECTIONS
from eventlog.asof import as_of
from eventlog.connect import connect_nats, connect_postgres
from eventlog.projection import Projection
from eventlog.read import head
from eventlog.rebuild import rebuild

BATCH: Final = 2_000
COLUMNS: Final = ("sequence", "subject", "type", "body")


@dataclass(frozen=True, slots=True)
class Task:
    """What to read, and how: `rebuild`, `asof` or `raw`."""

    job: str
    nats_url: str
    party: str
    seed_file: str
    database_url: str
    projection: str
    events: int


@dataclass(frozen=True, slots=True)
class Done:
    """What it took."""

    events: int
    seconds: float
    memory_mb: float
    """The most the process ever held."""


async def run(task: Task) -> Done:
    """Do what is asked."""
    projection = next(p for p in PROJECTIONS if p.name == task.projection)
    seconds = await JOBS[task.job](task, projection)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Done(task.events, seconds, memory)


async def _rebuild(task: Task, projection: Projection) -> float:
    """Everything a rebuild does where no tables are: read, fold, write, index, digest, swap."""
    nc = await connect_nats(task.nats_url, identity=task.party, seed_file=task.seed_file)
    pool = await connect_postgres(task.database_url)
    await pool.execute(f'DROP SCHEMA IF EXISTS "{projection.name}" CASCADE')
    began = time.perf_counter()
    done = await rebuild(projection, nc.jetstream(timeout=30), pool, check=False, batch_size=BATCH)
    seconds = time.perf_counter() - began
    await pool.close()
    await nc.close()
    if done.facts != task.events:
        raise AssertionError(f"{done.facts} facts were rebuilt, not {task.events}")
    return seconds


async def _as_of(task: Task, projection: Projection) -> float:
    """Everything `waggle asof` does for its last sequence: read, fold, write, digest, drop."""
    nc = await connect_nats(task.nats_url, identity=task.party, seed_file=task.seed_file)
    pool = await connect_postgres(task.database_url)
    js = nc.jetstream(timeout=30)
    end = await head(js)
    began = time.perf_counter()
    async with as_of(projection, js, pool, end, batch_size=BATCH) as build:
        async with build.connection.transaction():
            await build.schema.digest(build.connection)
        facts = build.checkpoint.facts
    seconds = time.perf_counter() - began
    await pool.close()
    await nc.close()
    if facts != task.events:
        raise AssertionError(f"{facts} facts were folded, not {task.events}")
    return seconds


async def _read_and_copy(task: Task, _: Projection) -> float:
    """The reference: bare nats-py in order, the body as JSON, COPY into one table.

    The log of the measurement holds nothing but what the projection reads.
    """
    nc = await nats.connect(
        task.nats_url, nkeys_seed=task.seed_file, inbox_prefix=f"_INBOX_{task.party}"
    )
    connection = await asyncpg.connect(task.database_url)
    await connection.execute(
        "DROP TABLE IF EXISTS raw;"
        "CREATE TABLE raw (sequence bigint, subject text, type text, body jsonb)"
    )
    read: asyncio.Queue[Msg] = asyncio.Queue(4 * BATCH)
    began = time.perf_counter()
    js = nc.jetstream(timeout=30)
    await js.subscribe("log.>", stream="LOG", ordered_consumer=True, cb=read.put)
    left = task.events
    while left:
        rows = [_row(await read.get()) for _ in range(min(BATCH, left))]
        await connection.copy_records_to_table("raw", records=rows, columns=COLUMNS)
        left -= len(rows)
    seconds = time.perf_counter() - began
    await connection.close()
    await nc.close()
    return seconds


def _row(message: Msg) -> tuple[int, str, str, str]:
    sequence = int(message.reply.split(".")[5])
    kind = (message.headers or {})["ce-type"]
    return sequence, message.subject, kind, json.dumps(json.loads(message.data))


JOBS: Final = {"rebuild": _rebuild, "asof": _as_of, "raw": _read_and_copy}


def main() -> None:
    """Read the task from the command line, print what it took."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(json.dumps(asdict(uvloop.run(run(Task(**json.loads(sys.argv[1])))))))


if __name__ == "__main__":
    main()
