"""Many writers on few stream ids: the chain stays whole, every command counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from deploy.nats_server import NatsServer
from eventlog.append import Appended, Appender, Limits
from tests.eventlog.append.kit import (
    Site,
    insist_on_acknowledged,
    insist_on_order,
    whole_log,
    write_hot,
)

HOT = ("a", "b", "c", "d")


async def hot_writers(
    site: Site, during: Callable[[], Awaitable[None]], limits: Limits | None = None
) -> int:
    """Twelve writers over three connections on four stream ids; how many decisions there were."""
    stop = asyncio.Event()
    appenders: list[Appender] = []
    writers = []
    for process in range(3):
        nc = await site.connect()
        appender = await Appender.open(nc, limits=limits or Limits())
        appenders.append(appender)
        writers += [
            asyncio.create_task(write_hot(appender, nc, f"p{process}w{n}", HOT, stop))
            for n in range(4)
        ]
    await during()
    stop.set()
    acknowledged: dict[str, Appended] = {}
    for writer in writers:
        acknowledged |= await writer
    log = await whole_log(await site.connect())
    insist_on_order(log)
    insist_on_acknowledged(log, acknowledged)
    assert {fact.command_id for fact in log} == set(acknowledged)
    assert sum(appender.stats.conflicts for appender in appenders) > 0
    for appender in appenders:
        await appender.close()
    return len(acknowledged)


async def test_twelve_writers_on_four_stream_ids(site: Site, server: NatsServer) -> None:
    assert await hot_writers(site, lambda: asyncio.sleep(2)) > 20


async def test_twelve_writers_while_the_server_dies(site: Site, server: NatsServer) -> None:
    async def die() -> None:
        await asyncio.sleep(0.7)
        await server.kill()
        await server.start()
        await asyncio.sleep(1)

    assert await hot_writers(site, die) > 20


async def test_twelve_writers_on_a_replicated_log(site: Site) -> None:
    async with await site.cluster():
        await site.provision(replicas=3)
        assert await hot_writers(site, lambda: asyncio.sleep(2)) > 20
        await site.close()


@pytest.mark.cluster
async def test_twelve_writers_while_the_leader_dies_again_and_again(site: Site) -> None:
    async with await site.cluster() as cluster:
        await site.provision(replicas=3)
        watcher = await site.connect()

        async def die() -> None:
            for _ in range(3):
                await asyncio.sleep(4)
                info = await watcher.jetstream(timeout=10).stream_info("LOG")
                leader = info.cluster.leader if info.cluster else None
                victim = next(s for s in cluster.servers if s.server_name == leader)
                await victim.kill()
                await asyncio.sleep(6)
                await victim.start()
            await asyncio.sleep(3)

        assert await hot_writers(site, die, Limits(budget=60)) > 100
        await site.close()
