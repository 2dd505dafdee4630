"""The ledger: awards a second through the room, passbooks read, facts a second in the check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
from nats.aio.client import Client

from bench.figures import Figure, middle, percentile
from bench.houses import MeasuredHouse
from contracts.account import PointsAwarded
from contracts.case import CaseClosed, CloseOutcome
from contracts.envelope import Command, Fact, Issued
from deploy.ledger_check import check_ledger
from eventlog.append import Appender, Decision
from eventlog.connect import connect_postgres
from eventlog.message import encode
from eventlog.project import position
from eventlog.read import Unread, head, read_log
from services.points.account import NO_ACCOUNT, Account, entered
from services.points.awards import lot_id
from services.points.decider.account import evolve
from services.points.holds import hear, hold, post
from services.points.projection import POINTS

PLATFORM: Final = "platform-kite"
SUBJECTS: Final = ("log.account.>",)
RULE: Final = "condition:bench"
AT_ONCE: Final = 400
RUNS: Final = 3
LOTS: Final = 4
"""Awards of a rider in the log that is checked."""
BEGAN: Final = datetime(2026, 5, 3, tzinfo=UTC)


async def measure(
    house: MeasuredHouse, *, awards_a_run: int, riders: int, reads: int
) -> Iterator[Figure]:
    """Each award durable, counted by what stands in the log; the check on one core."""
    router = await house.client("router")
    auditor = await house.client("auditor")
    with house.paused("notify", "projector", "intake"):
        speeds = [await _award(router, auditor, run, awards_a_run) for run in range(RUNS)]
    await _fill(await house.client("points"), riders)
    pool = await connect_postgres(house.info.database_url, most=4)
    try:
        await _caught_up(auditor, pool)
        slow = await _read(pool, riders, reads)
        found = [await check_ledger(auditor.jetstream(timeout=10), pool) for _ in range(RUNS)]
    finally:
        await pool.close()
    if any(one.count for one in found):
        raise RuntimeError(f"the ledger is not clean: {found[0].violations[:3]}")
    check = middle([one.facts / one.seconds for one in found])
    return iter(
        (
            Figure("points.awards_per_s", middle(speeds), "awards/s", runs=RUNS),
            Figure("points.passbook_p99", slow * 1000, "ms", runs=reads),
            Figure("points.ledger_check", check, "facts/s", runs=RUNS, aim=">= 50000"),
        )
    )


async def _award(router: Client, auditor: Client, run: int, how_many: int) -> float:
    """Cases that close as fixed, as fast as router can say so; until all of them have earned."""
    js, log = router.jetstream(timeout=10), auditor.jetstream(timeout=10)
    start = await head(log, SUBJECTS)
    room = asyncio.Semaphore(AT_ONCE)

    async def close(number: int) -> None:
        name = f"bench-{run}-{number}"
        fact = CaseClosed(
            case_id=name,
            report_id=name,
            rider_id=f"bench-earner-{number % 500}",
            platform=PLATFORM,
            service_code="exposed-garbage",
            outcome=CloseOutcome.FIXED,
            closed_at=BEGAN,
        )
        issued = Issued(Command(), f"close-{name}", "router", datetime.now(UTC))
        (message,) = encode([fact], issued, source="bench", fingerprint="", last_hash={})
        async with room:
            await js.publish(message.subject, message.body, headers=dict(message.headers))

    began = time.perf_counter()
    closing = asyncio.gather(*(close(n) for n in range(how_many)))
    left, after = how_many, start
    async with asyncio.timeout(300):
        while left:
            async for batch in read_log(log, after=after, subjects=SUBJECTS):
                for entry in batch:
                    decided = not isinstance(entry, Unread) and entry.body.stream == "account"
                    left -= decided
                    after = entry.sequence
            await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    await closing
    return how_many / seconds


async def _fill(points: Client, riders: int) -> None:
    """Accounts with a life: awards that became active, and a redemption, by the very decisions."""
    appender = await Appender.open(points)
    try:
        for first in range(0, riders, AT_ONCE):
            some = range(first, min(first + AT_ONCE, riders))
            await asyncio.gather(*(appender.append(_life(f"bench-rider-{n}")) for n in some))
    finally:
        await appender.close()


def _life(rider: str) -> Decision:
    account: Account = NO_ACCOUNT
    facts: list[Fact] = []

    def happen(more: list[Fact]) -> None:
        nonlocal account
        for fact in more:
            account = evolve(account, fact)
            facts.append(fact)

    for n in range(LOTS):
        report = f"{rider}-{n}"
        earned = PointsAwarded(
            rider_id=rider,
            platform=PLATFORM,
            report_id=report,
            case_id=report,
            service_code="exposed-garbage",
            points=5,
            rule=RULE,
            rulebook="bench",
            lot=lot_id(report, RULE, rider),
            activates_at=BEGAN,
            lifetime_days=36_500,
        )
        happen(entered(account, [earned]))
    at = BEGAN + timedelta(days=1)
    happen(entered(account, hear(account, at)))
    happen(hold(account, rider, hold_id=f"hold-{rider}", item="item", points=12, at=at))
    happen(post(account, hold_id=f"hold-{rider}", at=at))
    issued = Issued(Command(), f"life-{rider}", "points", at)
    messages = encode(facts, issued, source="bench", fingerprint="", last_hash={})
    return Decision(issued.command_id, messages, {messages[0].subject: 0})


async def _caught_up(auditor: Client, pool: asyncpg.Pool) -> None:
    """Until the tables have all of it."""
    end = await head(auditor.jetstream(timeout=10), SUBJECTS)
    async with asyncio.timeout(300):
        while await position(pool, POINTS.name) < end:
            await asyncio.sleep(0.1)


async def _read(pool: asyncpg.Pool, riders: int, reads: int) -> float:
    """A whole passbook: sums, lines, lots; the slowest but one in a hundred."""
    took: list[float] = []
    for n in range(reads):
        rider = f"bench-rider-{n * 7919 % riders}"
        began = time.perf_counter()
        async with pool.acquire() as connection:
            await connection.fetchrow("SELECT * FROM points.passbook WHERE rider_id = $1", rider)
            lines = await connection.fetch(
                "SELECT * FROM points.entry WHERE rider_id = $1 ORDER BY sequence, leg", rider
            )
            await connection.fetch("SELECT * FROM points.lot WHERE rider_id = $1", rider)
        took.append(time.perf_counter() - began)
        if not lines:
            raise RuntimeError(f"{rider} has no lines")
    return percentile(took, 0.99)
