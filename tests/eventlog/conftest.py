"""Real servers for the tests of reading and projecting."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from nats.js import JetStreamContext

from deploy.postgres_server import PostgresServer
from tests.deploy.folders import empty_house
from tests.eventlog.site import Site

OWNER = "projector"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a worker; each test has a database of its own."""
    with empty_house() as folder:
        server = PostgresServer(folder)

        async def start() -> None:
            await server.start()
            await server.create_role(OWNER)

        asyncio.run(start())
        yield server
        asyncio.run(server.stop())


@pytest.fixture
async def database_url(postgres: PostgresServer) -> str:
    return await postgres.create_database(f"test_{next(_numbers)}", OWNER)


@pytest.fixture
async def log_site(database_url: str) -> AsyncIterator[Site]:
    with empty_house() as folder:
        site = await Site.build(folder, database_url)
        yield site
        await site.close()


@pytest.fixture
async def js(log_site: Site) -> JetStreamContext:
    return await log_site.js()


@pytest.fixture
async def pool(log_site: Site) -> asyncpg.Pool:
    return await log_site.pool()
