"""A log of one server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from deploy.nats_server import NatsServer
from eventlog.append import Appender
from tests.eventlog.append.kit import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    yield site
    await site.close()


@pytest.fixture
async def server(site: Site) -> AsyncIterator[NatsServer]:
    server = await site.server()
    await site.provision()
    yield server
    await site.close()
    await server.kill()


@pytest.fixture
async def nc(site: Site, server: NatsServer) -> Client:
    return await site.connect()


@pytest.fixture
async def appender(nc: Client) -> AsyncIterator[Appender]:
    appender = await Appender.open(nc)
    yield appender
    await appender.close()
