"""The references: bare nats-py on a server and stream like ours, with the bytes of our facts."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext

from bench.figures import middle
from contracts.envelope import Issued, Sealed
from contracts.report import Position, ReportAccepted, SubmitReport
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.provision import PROVISIONER, provision_streams
from eventlog.message import Message, encode

RUNS: Final = 5
IN_FLIGHT: Final = 256
WRITER: Final = "intake"

_numbers = count()


@dataclass(frozen=True, slots=True)
class Raw:
    """Medians of bare publishes with acknowledgement, `sync_interval: always`, messages/s."""

    one: float
    """One after another."""
    many: float
    """256 in flight."""


async def measure(*, messages_a_run: int) -> Raw:
    """Measure both on a server of their own."""
    with tempfile.TemporaryDirectory(prefix="waggle-bench-") as folder:
        keys = Credentials(Path(folder))
        users = keys.users((Party(PROVISIONER, Kind.PROVISIONER), Party(WRITER, Kind.SERVICE)))
        async with NatsServer(Path(folder), users) as server:
            await _provision(server, keys)
            nc = await _connect(server, keys, WRITER)
            try:
                js = nc.jetstream(timeout=30)
                one = [await _publish(js, messages_a_run // 5, 1) for _ in range(RUNS)]
                many = [await _publish(js, messages_a_run, IN_FLIGHT) for _ in range(RUNS)]
            finally:
                await nc.close()
    return Raw(middle(one), middle(many))


async def _provision(server: NatsServer, keys: Credentials) -> None:
    nc = await _connect(server, keys, PROVISIONER)
    try:
        await provision_streams(nc.jetstream(timeout=30))
    finally:
        await nc.close()


async def _connect(server: NatsServer, keys: Credentials, party: str) -> Client:
    return await nats.connect(
        server.url, nkeys_seed=str(keys.seed_file(party)), inbox_prefix=f"_INBOX_{party}"
    )


def facts(how_many: int) -> list[Message]:
    """Messages as intake would write them: about 700 bytes of headers, 500 of body."""
    return [_fact(next(_numbers)) for _ in range(how_many)]


def _fact(number: int) -> Message:
    now = datetime.now(UTC)
    report_id = f"bench-{time.time_ns()}-{number}"
    rider_id = f"rider-{number % 300}"
    fact = ReportAccepted(
        report_id=report_id,
        rider_id=rider_id,
        platform="platform-kite",
        seen_at=now,
        service_code="exposed-garbage",
        position=Position(lat=29.775, lng=121.300),
        text=Sealed(key=rider_id, box="x" * 200),
    )
    command = SubmitReport(report_id=report_id, rider_id=rider_id, seen_at=now)
    issued = Issued(command=command, command_id=report_id, actor="platform-kite", at=now)
    return encode([fact], issued, source="intake", fingerprint="0" * 32, last_hash={})[0]


async def _publish(js: JetStreamContext, how_many: int, in_flight: int) -> float:
    messages: Sequence[Message] = facts(how_many)
    waiting = iter(messages)

    async def sender() -> None:
        for message in waiting:
            await js.publish(message.subject, message.body, headers=dict(message.headers))

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(in_flight)))
    return how_many / (time.perf_counter() - began)
