"""Lost answers, broken connections, dead servers: nothing lost, nothing doubled, nothing half."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

from deploy.nats_server import NatsServer
from eventlog.append import Appended, Appender, Busy, Conflict, Limits, Unknown
from eventlog.append.atomic import batch
from eventlog.append.decisions import frames
from tests.eventlog.append.kit import (
    Proxy,
    Site,
    decision,
    end_of,
    insist_on_acknowledged,
    insist_on_order,
    whole_log,
)

QUICK = Limits(budget=15, timeout=0.3)


@pytest.fixture
async def proxy(server: NatsServer) -> AsyncIterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    await proxy.stop()


@pytest.fixture
async def far(site: Site, proxy: Proxy) -> AsyncIterator[Appender]:
    """An appender behind the proxy."""
    nc = await site.connect(urls=[await proxy.start()])
    appender = await Appender.open(nc, limits=QUICK)
    yield appender
    await appender.close(grace=0.1)
    await nc.close()


@pytest.mark.parametrize("facts", [1, 3])
@pytest.mark.parametrize("broken", [False, True])
async def test_a_lost_answer_is_found_out(
    far: Appender, proxy: Proxy, nc: Client, facts: int, broken: bool
) -> None:
    """Stored, but nobody said so: because an answer was lost, or the connection with it."""
    proxy.deaf = True
    future = far.submit(decision("c1", "a", facts=facts))
    await proxy.lost_answer.wait()
    if broken:
        proxy.cut()
    proxy.deaf = False
    appended = await future
    assert appended.duplicate
    assert appended.sequences == tuple(range(1, facts + 1))
    log = await whole_log(nc)
    assert len(log) == facts
    insist_on_acknowledged(log, {"c1": appended})


async def test_a_lost_answer_is_found_out_after_others_wrote_behind_it(
    far: Appender, proxy: Proxy, nc: Client, appender: Appender
) -> None:
    proxy.deaf = True
    future = far.submit(decision("c1", "a"))
    await proxy.lost_answer.wait()
    await appender.append(decision("c2", "a", at=await end_of(nc, "log.report.a")))
    proxy.deaf = False
    assert (await future).sequences == (1,)
    insist_on_order(await whole_log(nc))


async def test_a_lost_answer_to_a_group_is_found_out_for_each(
    far: Appender, proxy: Proxy, nc: Client
) -> None:
    proxy.deaf = True
    futures = [far.submit(decision(f"c{n}", f"id{n}")) for n in range(40)]
    await proxy.lost_answer.wait()
    proxy.deaf = False
    acknowledged = {f"c{n}": await future for n, future in enumerate(futures)}
    assert all(appended.duplicate for appended in acknowledged.values())
    log = await whole_log(nc)
    assert len(log) == 40
    insist_on_acknowledged(log, acknowledged)


async def test_a_lost_refusal_is_a_conflict_all_the_same(
    far: Appender, proxy: Proxy, nc: Client, appender: Appender
) -> None:
    await appender.append(decision("c1", "a"))
    proxy.deaf = True
    future = far.submit(decision("c2", "a"))
    await proxy.lost_answer.wait()
    proxy.deaf = False
    with pytest.raises(Conflict):
        await future
    assert len(await whole_log(nc)) == 1


async def test_without_any_answer_the_outcome_is_unknown_and_repeating_is_safe(
    site: Site, proxy: Proxy, nc: Client
) -> None:
    there = await site.connect(urls=[await proxy.start()])
    hasty = await Appender.open(there, limits=Limits(budget=0.8, timeout=0.2))
    proxy.deaf = True
    first = [hasty.submit(decision(f"c{n}", f"id{n}")) for n in range(20)]
    behind = hasty.submit(decision("behind", "id0"))
    with pytest.raises(Unknown):
        await first[0]
    with pytest.raises((Busy, Unknown, Conflict)):
        await behind
    results = await asyncio.gather(*first, return_exceptions=True)
    assert all(isinstance(result, Unknown) for result in results)
    assert hasty.stats.unknown >= 20
    proxy.deaf = False
    proxy.cut()
    again = await asyncio.gather(*(hasty.append(decision(f"c{n}", f"id{n}")) for n in range(20)))
    assert sorted(s for appended in again for s in appended.sequences) == list(range(1, 21))
    insist_on_order(await whole_log(nc))
    await hasty.close()


async def test_what_cannot_leave_in_time_is_told_so(site: Site, server: NatsServer) -> None:
    """With the server gone one group is under way; the rest never left, and that is certain."""
    nc = await site.connect()
    appender = await Appender.open(nc, limits=Limits(budget=0.6, timeout=0.2, group_messages=20))
    await server.kill()
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(60)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(result, Unknown | Busy) for result in results)
    assert sum(isinstance(result, Busy) for result in results) >= 20
    await appender.close()


async def test_a_closed_connection_is_not_waited_for(site: Site, server: NatsServer) -> None:
    nc = await site.connect()
    appender = await Appender.open(nc)
    await nc.close()
    async with asyncio.timeout(2):
        with pytest.raises(Unknown, match="closed"):
            await appender.append(decision("c1", "a"))
    await appender.close()


async def test_a_batch_cut_off_in_the_middle_leaves_nothing(
    site: Site, nc: Client, appender: Appender
) -> None:
    decided = decision("c1", "a", "b", facts=4)
    whole = batch(frames(decided, nc.max_payload), b"half", b"_INBOX_intake.nobody")
    there = await site.connect()
    await there._send_command(whole[: whole.rindex(b"HPUB")])
    await there.flush()
    await there.close()
    assert await whole_log(nc) == []
    assert len((await appender.append(decided)).sequences) == 8
    insist_on_order(await whole_log(nc))


@pytest.mark.parametrize("seed", range(3))
async def test_a_server_killed_in_mid_flight_loses_and_doubles_nothing(
    site: Site, nc: Client, server: NatsServer, appender: Appender, seed: int
) -> None:
    """Decisions of one to five facts, at once and in streams, while the server dies twice."""
    chance = random.Random(seed)
    acknowledged: dict[str, Appended] = {}
    stop = asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            command_id = f"w{writer}-{number}"
            ids = [f"{command_id}-{n}" for n in range(chance.choice((1, 1, 1, 2)))]
            decided = decision(command_id, *ids, facts=chance.choice((1, 1, 2, 5)))
            acknowledged[command_id] = await appender.append(decided)

    writers = [asyncio.create_task(write(n)) for n in range(40)]
    for _ in range(2):
        await asyncio.sleep(chance.uniform(0.1, 0.4))
        await server.kill()
        await server.start()
    await asyncio.sleep(0.4)
    stop.set()
    await asyncio.gather(*writers)
    log = await whole_log(nc)
    insist_on_order(log)
    insist_on_acknowledged(log, acknowledged)
    assert {fact.command_id for fact in log} == set(acknowledged)
    assert len(acknowledged) > 100
    assert appender.stats.retries > 0


async def test_decisions_wait_out_a_server_that_is_away(
    nc: Client, server: NatsServer, appender: Appender
) -> None:
    await server.kill()
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(30)]
    one = asyncio.ensure_future(appender.append(decision("one", "one", facts=3)))
    await asyncio.sleep(0.3)
    await server.start()
    await asyncio.gather(one, *futures)
    log = await whole_log(nc)
    assert len(log) == 33
    insist_on_order(log)
