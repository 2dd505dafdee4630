"""A log and a database for the tests of reading and projecting, on real servers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from contracts.account import PointsAwarded
from contracts.case import CaseClosed, CaseOpened, CloseOutcome, WorkAccepted
from contracts.envelope import Command, Fact, Issued
from deploy.credentials import Credentials
from deploy.nats_config import User
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.streams import streams
from eventlog.checkpoint import Checkpoint, read
from eventlog.connect import FactClient, connect_nats, connect_postgres
from eventlog.message import LOG, encode
from eventlog.parking import PARK
from eventlog.project import ProjectionRunner
from eventlog.projection import Projection
from eventlog.tables import Digest, Schema
from eventlog.whole import WholeClient

PROVISIONER = Party("provisioner", Kind.PROVISIONER)
PROJECTOR = Party("projector", Kind.PROJECTOR)
SEALER = Party("sealer", Kind.SEALER)
WRITERS = {
    "account": Party("points", Kind.SERVICE),
    "case": Party("router", Kind.SERVICE),
}
PATIENCE = 30.0
BEGAN = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)


@dataclass
class Site:
    """A log on a server of its own, and an empty database on a shared one."""

    folder: Path
    database_url: str
    server: NatsServer
    urls: list[str]
    replicas: int = 1
    _clients: list[Client] = field(default_factory=list)
    _pools: list[asyncpg.Pool] = field(default_factory=list)
    _writers: dict[str, Client] = field(default_factory=dict)
    _heads: dict[str, str] = field(default_factory=dict)
    _commands: int = 0

    @classmethod
    async def build(cls, folder: Path, database_url: str) -> Site:
        server = NatsServer(folder, users(folder))
        await server.start()
        site = cls(folder, database_url, server, [server.url])
        await site.provision()
        return site

    async def close(self) -> None:
        for pool in self._pools:
            pool.terminate()
        for client in self._clients:
            with suppress(NatsError, OSError):
                await client.close()
        await self.server.kill()

    async def connect(self, party: Party = PROJECTOR, kind: type[Client] = FactClient) -> Client:
        seed = str(Credentials(self.folder).seed_file(party.name))
        client = await connect_nats(self.urls, identity=party.name, seed_file=seed, kind=kind)
        self._clients.append(client)
        return client

    async def js(self, party: Party = PROJECTOR) -> JetStreamContext:
        return (await self.connect(party)).jetstream(timeout=5)

    async def whole(self, party: Party = SEALER) -> JetStreamContext:
        """A connection that keeps every byte of what it reads."""
        return (await self.connect(party, WholeClient)).jetstream(timeout=5)

    async def pool(self) -> asyncpg.Pool:
        pool = await connect_postgres(self.database_url, most=6)
        self._pools.append(pool)
        return pool

    def process(self, job: str, batch_size: int) -> subprocess.Popen[bytes]:
        """The job (`run` or `rebuild`) of the test projection in a process of its own."""
        what = {
            "url": self.server.url,
            "seed_file": str(Credentials(self.folder).seed_file(PROJECTOR.name)),
            "database_url": self.database_url,
            "job": job,
            "batch_size": batch_size,
        }
        log = (self.folder / f"{job}.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.eventlog.follower", json.dumps(what)],
                stdout=log,
                stderr=log,
            )

    async def provision(self) -> None:
        js = await self.js(PROVISIONER)
        for stream in streams(replicas=self.replicas, log_bytes=2**30):
            if stream.name in {LOG, PARK}:
                await js.add_stream(stream)

    async def lose_the_log(self) -> None:
        """Everything in it is gone; a new and empty one is there."""
        js = await self.js(PROVISIONER)
        await js.delete_stream(LOG)
        self._heads.clear()
        for stream in streams(log_bytes=2**30):
            if stream.name == LOG:
                await js.add_stream(stream)

    def forget_commands(self) -> None:
        """Begin again with the first command id, so that the same facts get the same bytes."""
        self._commands = 0

    async def publish(self, *facts: Fact) -> int:
        """Write facts, one after the other; the sequence of the last."""
        sequence = 0
        for fact in facts:
            sequence = await self.send(*self.message(fact))
        return sequence

    async def publish_together(self, facts: Sequence[Fact]) -> int:
        """Write many facts of different stream ids, all at once; the highest sequence."""
        messages = [self.message(fact) for fact in facts]
        for stream in {fact.stream for fact in facts}:
            await self._writer(stream)
        return max(await asyncio.gather(*(self.send(*message) for message in messages)))

    async def publish_raw(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None
    ) -> int:
        return await self.send(subject, headers, data)

    def message(self, fact: Fact) -> tuple[str, dict[str, str], bytes]:
        self._commands += 1
        at = BEGAN + timedelta(seconds=self._commands)
        issued = Issued(Command(), f"command-{self._commands}", "tester", at)
        (message,) = encode(
            [fact], issued, source="test", fingerprint="0" * 32, last_hash=self._heads
        )
        self._heads[message.subject] = message.hash
        return message.subject, dict(message.headers), message.body

    async def send(self, subject: str, headers: dict[str, str] | None, data: bytes) -> int:
        writer = await self._writer(subject.split(".")[1])
        reply = await writer.request(subject, data, timeout=10, headers=headers)
        return int(json.loads(reply.data)["seq"])

    async def _writer(self, stream: str) -> Client:
        if stream not in self._writers:
            self._writers[stream] = await self.connect(WRITERS[stream])
        return self._writers[stream]


def users(folder: Path) -> tuple[User, ...]:
    """Who may connect, their keys kept in the folder."""
    return Credentials(folder).users((PROVISIONER, PROJECTOR, SEALER, *WRITERS.values()))


def awarded(rider: str, points: int, report: str = "r1", code: str = "garbage") -> PointsAwarded:
    return PointsAwarded(
        rider_id=rider,
        platform="kite",
        report_id=report,
        case_id=report,
        service_code=code,
        points=points,
        rule=f"service:{code}",
        rulebook="district@1",
    )


def opened(case: str, rider: str = "ann") -> CaseOpened:
    return CaseOpened(
        case_id=case, report_id=case, rider_id=rider, platform="kite", rulebook="district@1"
    )


def accepted(case: str, unit: str = "sanitation") -> WorkAccepted:
    return WorkAccepted(case_id=case, unit=unit)


def closed(case: str, rider: str = "ann") -> CaseClosed:
    return CaseClosed(
        case_id=case,
        report_id=case,
        rider_id=rider,
        platform="kite",
        outcome=CloseOutcome.FIXED,
        closed_at=datetime(2026, 5, 3, 12, tzinfo=UTC),
    )


@asynccontextmanager
async def running(*runners: ProjectionRunner) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runners at work; what stops one is raised in the end."""
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


async def reached(pool: asyncpg.Pool, projection: Projection, sequence: int) -> Checkpoint:
    """Wait until a projection has taken in a sequence."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with pool.acquire() as connection:
                    checkpoint = await read(connection, projection.name)
                if checkpoint and checkpoint.last_sequence >= sequence:
                    return checkpoint
            await asyncio.sleep(0.01)


async def digest(pool: asyncpg.Pool, projection: Projection) -> Digest:
    async with pool.acquire() as connection, connection.transaction():
        return await Schema(projection.name, projection).digest(connection)


async def rows(pool: asyncpg.Pool, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await pool.fetch(query)]
