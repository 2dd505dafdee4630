"""A verb that is done ends, whatever becomes of its connections."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli import session
from deploy.house import HouseInfo

HOUSE = HouseInfo(
    pid=1,
    nats_url="",
    monitor_url=None,
    database_url="",
    rebuild_url="",
    keys_url="",
    health={},
    folder=Path(),
)


class Hanging:
    """Connections of which one was never given back: closing waits for it for ever."""

    async def close(self) -> None:
        await asyncio.Event().wait()


async def test_a_connection_that_does_not_close_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connect(url: str) -> Hanging:
        return Hanging()

    monkeypatch.setattr(session, "connect_postgres", connect)
    monkeypatch.setattr(session, "CLOSING", 0.05)
    async with asyncio.timeout(10), AsyncExitStack() as stack:
        assert await session.Session(HOUSE, stack).tables() is not None
