"""One bad fact stops its own stream id and no other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from nats.js import JetStreamContext

from contracts.account import PointsAwarded
from contracts.envelope import Recorded
from eventlog.project import ProjectionRunner, unpark
from eventlog.projection import Projection
from tests.eventlog.site import PATIENCE, PROVISIONER, Site, awarded, digest, reached, rows, running
from tests.eventlog.tally import TALLY, Purse, purse

UNLUCKY = 13


def breaks(row: Purse | None, fact: Recorded) -> Any:
    match fact.body:
        case PointsAwarded(points=points) if points == UNLUCKY:
            raise ValueError("thirteen \0 \ud800")
    return purse(row, fact)


def too_large(row: Purse | None, fact: Recorded) -> Any:
    """A row that cannot be sent, of a fact that can be folded."""
    match fact.body:
        case PointsAwarded(rider_id=rider, points=points) if points == UNLUCKY:
            return Purse(rider, 2**70, 1, fact.sequence)
    return purse(row, fact)


def without_points(row: Purse | None, fact: Recorded) -> Any:
    """A row that PostgreSQL refuses, of a fact that can be folded."""
    match fact.body:
        case PointsAwarded(rider_id=rider, points=points) if points == UNLUCKY:
            return Purse(rider, None, 1, fact.sequence)  # type: ignore[arg-type]
    return purse(row, fact)


def with_purse(fold: Any) -> Projection:
    return replace(TALLY, tables=(replace(TALLY.tables[0], fold=fold), *TALLY.tables[1:]))


PURSES = "SELECT rider, points FROM tally.purse ORDER BY rider"
PARKED = "SELECT sequence, subject, reason FROM tally.parked ORDER BY sequence"


@pytest.mark.parametrize("batch_size", [1, 3, 500])
async def test_an_unreadable_fact_stops_only_its_stream_id(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, batch_size: int
) -> None:
    await log_site.publish(awarded("ann", 1), awarded("bob", 2))
    bad = await log_site.publish_raw("log.account.ann", b"?", {"ce-type": "waggle.account.Odd"})
    last = await log_site.publish(
        awarded("bob", 3, "r2"), awarded("ann", 4, "r2"), awarded("ann", 5, "r3"), awarded("cid", 6)
    )

    async with running(ProjectionRunner(TALLY, js, pool, batch_size=batch_size)):
        await reached(pool, TALLY, last)

    assert await rows(pool, PURSES) == [("ann", 1), ("bob", 5), ("cid", 6)]
    first, *behind = await rows(pool, PARKED)
    assert first[:2] == (bad, "log.account.ann")
    assert "log.account.ann" in first[2]
    assert behind == [
        (5, "log.account.ann", f"waits behind sequence {bad}"),
        (6, "log.account.ann", f"waits behind sequence {bad}"),
    ]


@pytest.mark.parametrize(
    ("fold", "reason"),
    [
        (breaks, "ValueError: thirteen \ufffd ?"),
        (too_large, "purse: OverflowError: "),
        (without_points, "purse: NotNullViolationError: "),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 500])
async def test_a_fact_that_cannot_be_folded_or_stored_stops_only_its_stream_id(
    log_site: Site,
    js: JetStreamContext,
    pool: asyncpg.Pool,
    batch_size: int,
    fold: Any,
    reason: str,
) -> None:
    last = await log_site.publish(
        awarded("ann", 1),
        awarded("bob", UNLUCKY, "r1"),
        awarded("bob", 2, "r2"),
        awarded("cid", 4, "r3"),
    )

    async with running(ProjectionRunner(with_purse(fold), js, pool, batch_size=batch_size)):
        await reached(pool, TALLY, last)

    assert await rows(pool, PURSES) == [("ann", 1), ("cid", 4)]
    assert await rows(pool, "SELECT awards FROM tally.count WHERE code = 'all'") == [(2,)], (
        "a fact is folded into all tables or into none"
    )
    parked = await rows(pool, PARKED)
    assert [row[:2] for row in parked] == [(2, "log.account.bob"), (3, "log.account.bob")]
    assert reason in parked[0][2]


async def test_what_is_parked_is_found_on_the_parking_stream(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await log_site.publish_raw("log.account.ann", b"?", {"ce-type": "Odd", "Nats-Msg-Id": "1"})
    last = await log_site.publish(awarded("bob", 1))

    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
        await reached_park(log_site, 1)

    message = await (await log_site.js(PROVISIONER)).get_msg("PARK", seq=1)
    assert message.subject == "parked.tally"
    assert message.data == b"?"
    assert message.headers is not None
    assert message.headers["waggle-parked-sequence"] == "1"
    assert message.headers["waggle-parked-subject"] == "log.account.ann"
    assert message.headers["ce-type"] == "Odd"
    assert await rows(pool, "SELECT announced FROM tally.parked") == [(True,)]


async def test_a_stopped_stream_id_stays_stopped_for_the_next_runner(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish_raw("log.account.ann", b"?")
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)

    last = await log_site.publish(awarded("ann", 1), awarded("bob", 1))
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)

    assert await rows(pool, PURSES) == [("bob", 1)]


async def test_a_mended_stream_id_is_folded_from_where_it_stopped(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = [
        awarded("ann", 1),
        awarded("bob", UNLUCKY, "r1"),
        awarded("bob", 2, "r2"),
        awarded("ann", 4, "r2"),
    ]
    last = await log_site.publish(*facts)
    async with running(ProjectionRunner(with_purse(breaks), js, pool)):
        await reached(pool, TALLY, last)

        assert await unpark(js, pool, TALLY, "log.account.bob") == 2
        assert await rows(pool, PARKED) == []
        assert await rows(pool, PURSES) == [("ann", 5), ("bob", 15)]

        last = await log_site.publish(awarded("bob", 1, "r3"))
        await reached(pool, TALLY, last)

    assert await rows(pool, PURSES) == [("ann", 5), ("bob", 16)]
    assert await unpark(js, pool, TALLY, "log.account.bob") == 0


async def test_what_is_not_mended_stays_parked(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(awarded("bob", UNLUCKY, "r1"), awarded("bob", 2, "r2"))
    for fold in (breaks, too_large, without_points):
        broken = with_purse(fold)
        async with running(ProjectionRunner(broken, js, pool)):
            await reached(pool, TALLY, last)
        before = await digest(pool, TALLY)

        assert await unpark(js, pool, broken, "log.account.bob") == 0

        assert await digest(pool, TALLY) == before
        assert [row[0] for row in await rows(pool, PARKED)] == [1, 2]


async def test_without_a_parking_stream_the_others_still_go_on(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await (await log_site.js(PROVISIONER)).delete_stream("PARK")
    await log_site.publish_raw("log.account.ann", b"?")
    last = await log_site.publish(awarded("bob", 1))

    async with running(ProjectionRunner(TALLY, js, pool, batch_size=1)):
        await reached(pool, TALLY, last)
    assert await rows(pool, "SELECT announced FROM tally.parked") == [(False,)]

    await log_site.provision()
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached_park(log_site, 1)


async def reached_park(site: Site, number: int) -> None:
    js = await site.js(PROVISIONER)
    async with asyncio.timeout(PATIENCE):
        while (await js.stream_info("PARK")).state.messages < number:
            await asyncio.sleep(0.01)
