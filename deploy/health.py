"""Asks a server on this machine how it is."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import aiohttp

TIMEOUT: Final = 2.0


async def get_json(url: str, within: float = TIMEOUT) -> tuple[int, Any] | None:
    """Status and document of a GET; None if nobody answers, or not in JSON."""
    limit = aiohttp.ClientTimeout(total=within)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as response:
            return response.status, await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


async def is_healthy(url: str, within: float = TIMEOUT) -> bool:
    """Whether a health address answers 200, whatever it says besides."""
    limit = aiohttp.ClientTimeout(total=within)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def nats_name(host: str, port: int, within: float = TIMEOUT) -> str | None:
    """The name that the nats-server on this port gives itself; None if there is none."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return None
    verb, _, document = greeting.partition(b" ")
    if verb != b"INFO":
        return None
    name: str = json.loads(document)["server_name"]
    return name
