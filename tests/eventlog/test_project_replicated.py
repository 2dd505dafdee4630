"""Following a log on three servers, each of which dies once."""

from __future__ import annotations

import asyncio

import pytest
from nats.errors import Error as NatsError

from contracts.envelope import Fact
from deploy.nats_cluster import NatsCluster
from eventlog.project import ProjectionRunner
from eventlog.rebuild import rebuild
from tests.deploy.folders import empty_house
from tests.eventlog.site import Site, reached, running, users
from tests.eventlog.tally import TALLY
from tests.eventlog.test_project import assert_tables_say, story

FACTS_A_DEATH = 40


@pytest.mark.cluster
async def test_a_runner_follows_a_replicated_log_over_the_death_of_every_server(
    database_url: str,
) -> None:
    with empty_house() as folder:
        async with await NatsCluster.start(folder, 3, users(folder)) as cluster:
            site = Site(folder, database_url, cluster.servers[0], cluster.urls, replicas=3)
            await site.provision()
            pool = await site.pool()
            facts = story(4 * FACTS_A_DEATH)
            waiting = iter(facts)

            async with running(ProjectionRunner(TALLY, await site.js(), pool, batch_size=5)):
                for server in (None, *cluster.servers):
                    if server is not None:
                        await server.kill()
                    last = await write(site, [next(waiting) for _ in range(FACTS_A_DEATH)])
                    await reached(pool, TALLY, last)
                    if server is not None:
                        await server.start()
                last = await write(site, list(waiting))
                await reached(pool, TALLY, last)

            await assert_tables_say(pool, facts)
            assert (await rebuild(TALLY, await site.js(), pool, check=True)).equal
            await site.close()


async def write(site: Site, facts: list[Fact]) -> int:
    """Write facts, each until it is acknowledged; the server drops what it has already."""
    last = 0
    for fact in facts:
        message = site.message(fact)
        while True:
            try:
                last = await site.send(*message)
                break
            except (NatsError, KeyError):  # nobody there, or no leader to say the sequence
                await asyncio.sleep(0.1)
    return last
