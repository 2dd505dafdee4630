"""Whole cases: from a report to its points, with every room at work and the tables caught up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count
from math import cos, degrees, radians
from typing import Any, Final

import asyncpg
import nats.errors
import shapely
from nats.aio.client import Client
from nats.js import JetStreamContext

from bench.figures import Figure, middle, percentile
from bench.houses import MeasuredHouse
from bench.intake import PLATFORM, TEXT
from contracts.case import AcceptWork, ResolveWork, VerifyWork, WorkOrder
from contracts.envelope import Command, Outcome
from contracts.report import Position, SubmitReport
from contracts.rulebook import Rulebook
from deploy.house import AUDITOR
from deploy.projections import PROJECTIONS
from deploy.provision import PROVISIONER
from deploy.rulebooks import load_rulebook
from deploy.streams import REACTIONS
from eventlog.asking import ask
from eventlog.connect import connect_postgres
from eventlog.project import position
from eventlog.read import head
from eventlog.tasks import end
from services.router.duplicates import EARTH_METRES
from services.router.places import Places
from services.router.rules import Rules

UNIT: Final = "fire"
SERVICE: Final = "fire-lane"
"""Goes straight to its department: submit, accept, resolve, verify."""
INSPECTION: Final = "inspection"
BEYOND: Final = 1.05
"""Of the radius within which two reports are about the same thing: no case joins another."""
RIDERS: Final = 300
AT_A_TIME: Final = 128
RUNS: Final = 5
POLL: Final = 0.025
PACE: Final = 50
"""Reports a second while latency is measured."""

_numbers = count()


async def measure(
    house: MeasuredHouse, *, cases_a_run: int, paced_seconds: float
) -> Iterator[Figure]:
    """Cases a second, and how long until a department has its order."""
    crew = await _Crew.of(house)
    await crew.whole_cases(cases_a_run // 4)  # keys made, code warm
    rates, costs = [], []
    for _ in range(RUNS):
        before = house.processor_seconds()
        rates.append(await crew.whole_cases(cases_a_run))
        costs.append((house.processor_seconds() - before) * 1000 / cases_a_run)
    waits = sorted([wait for _ in range(RUNS) for wait in await crew.waits(paced_seconds)])
    alone = middle(waits[:1])
    return iter(
        (
            Figure("loop.cases_per_s", middle(rates), "cases/s", "aim", 200, RUNS, "200"),
            Figure("loop.processor_ms_per_case", middle(costs), "ms", runs=RUNS),
            Figure(
                "loop.submit_to_work_order_ms.p50",
                percentile(waits, 0.5),
                "ms",
                "fastest",
                alone,
                RUNS,
            ),
            Figure(
                "loop.submit_to_work_order_ms.p99",
                percentile(waits, 0.99),
                "ms",
                "aim",
                100,
                RUNS,
                "under 100",
            ),
        )
    )


@cache
def _places() -> tuple[Position, ...]:
    """Points all over the district, each far enough from the others to be a case of its own."""
    book = Rulebook.model_validate(load_rulebook())
    rules, areas = Rules(book), Places(book.places)
    west, south, east, north = shapely.total_bounds(areas.shapes)
    apart = BEYOND * rules.duplicates(rules.services[SERVICE].default).radius_metres
    upwards = degrees(apart / EARTH_METRES)
    sideways = upwards / cos(radians(north))
    points = (
        Position(lat=south + row * upwards, lng=west + column * sideways)
        for row in range(int((north - south) / upwards))
        for column in range(int((east - west) / sideways))
    )
    return tuple(point for point in points if areas.area_of(point))


class _Crew:
    """The people of the measurement: a platform, a department and the inspection."""

    def __init__(self, house: MeasuredHouse, clients: dict[str, Client]) -> None:
        self._house = house
        self._clients = clients

    @classmethod
    async def of(cls, house: MeasuredHouse) -> _Crew:
        names = (PLATFORM, UNIT, INSPECTION, AUDITOR, PROVISIONER)
        return cls(house, {name: await house.client(name) for name in names})

    async def whole_cases(self, how_many: int) -> float:
        """Play cases to their points; cases a second until every table has them."""
        done = 0
        places = asyncio.Semaphore(AT_A_TIME)

        async def handle(order: WorkOrder) -> None:
            nonlocal done
            case = order.case_id
            await self._tell(UNIT, AcceptWork(case_id=case), f"{case}-accept")
            await self._tell(
                UNIT, ResolveWork(case_id=case, result="通道已清空"), f"{case}-resolve"
            )
            await self._tell(INSPECTION, VerifyWork(case_id=case, passed=True), f"{case}-verify")
            done += 1
            places.release()

        began = time.perf_counter()
        async with self._orders(handle):
            async with asyncio.TaskGroup() as sending:
                for _ in range(how_many):
                    await places.acquire()
                    sending.create_task(self._submit())
            while done < how_many:
                await asyncio.sleep(0.002)
        await self._caught_up()
        return how_many / (time.perf_counter() - began)

    async def waits(self, seconds: float) -> list[float]:
        """Milliseconds from sending a report to having its order, at a steady pace."""
        sent: dict[str, float] = {}
        waits: list[float] = []

        async def note(order: WorkOrder) -> None:
            waits.append((time.perf_counter() - sent[order.case_id]) * 1000)

        total = int(seconds * PACE)
        began = time.perf_counter()
        async with self._orders(note):
            async with asyncio.TaskGroup() as sending:
                for number in range(total):
                    await asyncio.sleep(max(0.0, began + number / PACE - time.perf_counter()))
                    sending.create_task(self._submit(sent))
            while len(waits) < total:
                await asyncio.sleep(0.005)
        return waits

    async def _submit(self, sent: dict[str, float] | None = None) -> None:
        number = next(_numbers)
        report_id = f"loop-{time.time_ns()}-{number}"
        if sent is not None:
            sent[report_id] = time.perf_counter()
        report = SubmitReport(
            report_id=report_id,
            rider_id=f"rider-{number % RIDERS}",
            seen_at=datetime.now(UTC),
            service_code=SERVICE,
            position=_places()[number % len(_places())],
            text=TEXT,
        )
        await self._tell(PLATFORM, report, report_id)

    async def _tell(self, party: str, command: Command, command_id: str) -> None:
        answer, _ = await ask(self._clients[party], party, command, command_id)
        if answer.outcome is not Outcome.ACCEPTED:
            raise RuntimeError(answer.model_dump_json())

    @asynccontextmanager
    async def _orders(self, handle: Callable[[WorkOrder], Awaitable[None]]) -> AsyncIterator[None]:
        """Hand each order of the unit's queue to `handle`, as many at a time as come."""
        js = self._clients[UNIT].jetstream(timeout=10)
        queue = await js.pull_subscribe_bind(UNIT, "WORK")
        tasks: set[asyncio.Task[Any]] = set()

        async def pull() -> None:
            while True:
                try:
                    messages = await queue.fetch(1, timeout=1)
                except (TimeoutError, nats.errors.TimeoutError):
                    continue
                for message in messages:
                    await message.ack()
                    order = WorkOrder.model_validate_json(message.data)
                    task = asyncio.ensure_future(handle(order))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                    task.add_done_callback(_told)

        pullers = [asyncio.create_task(pull()) for _ in range(8)]
        try:
            yield
        finally:
            await end(*pullers)
            await asyncio.gather(*tasks, return_exceptions=True)
            await queue.unsubscribe()

    async def _caught_up(self) -> None:
        """Until every fact has had its effects: points, notices, and the tables in step."""
        js = self._clients[AUDITOR].jetstream(timeout=10)
        pool = await connect_postgres(self._house.info.database_url)
        try:
            while await self._reacting() or await _behind(js, pool):
                await asyncio.sleep(POLL)
        finally:
            await pool.close()

    async def _reacting(self) -> bool:
        """Whether a room still has a fact to react to."""
        js = self._clients[PROVISIONER].jetstream(timeout=10)
        for durable in REACTIONS:
            info = await js.consumer_info(durable.stream, durable.config.durable_name or "")
            if info.num_pending or info.num_ack_pending:
                return True
        return False


async def _behind(js: JetStreamContext, pool: asyncpg.Pool) -> bool:
    """Whether a table does not show yet what the log has for it."""
    for projection in PROJECTIONS:
        if await position(pool, projection.name) < await head(js, projection.subjects):
            return True
    return False


def _told(task: asyncio.Future[Any]) -> None:
    """Say what broke in handling an order: nobody waits for it."""
    if not task.cancelled() and (error := task.exception()):
        print(f"an order was not handled: {error}", file=sys.stderr, flush=True)
