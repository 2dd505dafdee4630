"""Reports through intake: one a request, and a hundred a request, all durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final

from nats.aio.client import Client

from bench.figures import Figure, middle
from bench.houses import MeasuredHouse
from bench.raw import Raw
from contracts.envelope import Header
from contracts.report import Position, SubmitReport

PLATFORM: Final = "platform-kite"
OTHERS: Final = ("router", "points", "notify", "projector")
TEXT: Final = "路口转角有一堆生活垃圾，已经漫到非机动车道，来往骑手都要绕行，气味很大，请尽快清理。"
IN_FLIGHT: Final = 200
BULK: Final = 100
BULKS_IN_FLIGHT: Final = 8
RUNS: Final = 5

_numbers = count()


def reports(how_many: int) -> list[bytes]:
    """Bodies of SubmitReport by 300 riders, about 500 bytes each."""
    seen_at = datetime.now(UTC)
    return [
        SubmitReport(
            report_id=f"bench-{time.time_ns()}-{number}",
            rider_id=f"rider-{number % 300}",
            seen_at=seen_at,
            service_code="exposed-garbage",
            position=Position(lat=29.775, lng=121.300),
            text=TEXT,
        )
        .model_dump_json()
        .encode()
        for number in (next(_numbers) for _ in range(how_many))
    ]


async def measure(house: MeasuredHouse, raw: Raw, *, reports_a_run: int) -> Iterator[Figure]:
    """Intake's two figures, while the other rooms stand still: they would react to each report."""
    client = await house.client(PLATFORM)
    with house.paused(*OTHERS):
        await _one_by_one(client, reports(reports_a_run // 4))  # keys made, code warm
        single = [await _one_by_one(client, reports(reports_a_run)) for _ in range(RUNS)]
        bulk = [await _in_bulk(client, reports(2 * reports_a_run)) for _ in range(RUNS)]
    value = middle(single)
    many = middle(bulk)
    unit = "reports/s"
    return iter(
        (
            Figure(
                "intake.durable_reports_per_s",
                value,
                unit,
                "raw.publish_one_in_flight",
                raw.one,
                RUNS,
            ),
            Figure(
                "intake.durable_reports_per_s",
                value,
                unit,
                "raw.publish_256_in_flight",
                raw.many,
                RUNS,
                "ratio above 1",
            ),
            Figure(
                "intake.bulk_reports_per_s",
                many,
                unit,
                "raw.publish_256_in_flight",
                raw.many,
                RUNS,
                "10000",
            ),
        )
    )


async def _one_by_one(client: Client, bodies: Sequence[bytes]) -> float:
    waiting = iter(bodies)
    subject = f"cmd.{PLATFORM}.intake.submit_report"

    async def sender() -> None:
        for body in waiting:
            reply = await client.request(subject, body, timeout=30)
            if b'"accepted"' not in reply.data:
                raise RuntimeError(reply.data.decode())

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))
    return len(bodies) / (time.perf_counter() - began)


async def _in_bulk(client: Client, bodies: Sequence[bytes]) -> float:
    chunks = (
        b'{"reports":[' + b",".join(bodies[i : i + BULK]) + b"]}"
        for i in range(0, len(bodies), BULK)
    )
    subject = f"cmd.{PLATFORM}.intake.submit_reports"

    async def sender() -> None:
        for body in chunks:
            headers = {Header.ID: f"bulk-{next(_numbers)}"}
            reply = await client.request(subject, body, timeout=30, headers=headers)
            if reply.data.count(b'"accepted"') != BULK:
                raise RuntimeError(reply.data.decode()[:500])

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(BULKS_IN_FLIGHT)))
    return len(bodies) / (time.perf_counter() - began)
