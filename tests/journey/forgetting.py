"""What the tests of an erasure do with a house: be a party, look for a key, read a case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from nats.aio.client import Client

from contracts.case import CaseFile, ReadCase
from deploy.databases import KEYS
from eventlog.asking import command_headers
from eventlog.connect import FactClient, connect_nats
from tests.journey.house import House


@asynccontextmanager
async def party(house: House, name: str, kind: type[Client] = FactClient) -> AsyncIterator[Client]:
    seed = str(house.info.credentials.seed_file(name))
    client = await connect_nats(house.info.nats_url, identity=name, seed_file=seed, kind=kind)
    try:
        yield client
    finally:
        await client.close()


def now() -> str:
    return datetime.now(UTC).isoformat()


def holds(house: House, wrapped: bytes) -> dict[str, list[str]]:
    """The files that hold the wrapped key: the bytes themselves."""
    return {
        str(file.relative_to(house.folder)): ["key"]
        for file in house.folder.rglob("*")
        if file.is_file() and wrapped in file.read_bytes()
    }


async def wrapped_key(house: House, rider: str) -> bytes | None:
    connection = await asyncpg.connect(house.info.keys_url)
    try:
        key: bytes | None = await connection.fetchval(
            "SELECT wrapped FROM data_key WHERE person = $1", rider
        )
    finally:
        await connection.close()
    return key


async def checkpointed(house: House) -> None:
    """What is in memory is in the files."""
    connection = await asyncpg.connect(str(house.info.admin_url(KEYS)))
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def read(house: House, unit: str, case: str) -> CaseFile:
    async with party(house, unit) as nc:
        headers = command_headers("read-it", None)
        data = ReadCase(case_id=case).model_dump_json().encode()
        reply = await nc.request(f"cmd.{unit}.router.read_case", data, headers=headers, timeout=5)
    return CaseFile.model_validate_json(reply.data)
