"""Where faults happen: a whole house, on servers of its own or on servers behind wires."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.rulebook import Rulebook
from deploy import health
from deploy.credentials import Credentials
from deploy.house import parties
from deploy.nats_config import User
from deploy.nats_server import NatsServer
from deploy.ports import free_ports
from deploy.postgres_server import PostgresServer
from deploy.rulebooks import load_rulebook
from tests.deploy.folders import empty_house
from tests.faults.wire import Wire, nats_wire, postgres_wire
from tests.journey.house import House

ROLE = "waggle"
TABLES = "waggle_tables"
KEYS = "waggle_keys"


@dataclass
class Stand:
    """A house and what a fault gets hold of."""

    house: House
    server: NatsServer | None = None
    """The nats-server, where it is not the house's own."""
    postgres: PostgresServer | None = None
    """The PostgreSQL, where it is not the house's own."""
    to_nats: Wire | None = None
    to_postgres: Wire | None = None

    @property
    def folder(self) -> Path:
        """The data folder of the house."""
        return self.house.folder

    async def stop(self) -> None:
        """End the house in order."""
        await asyncio.to_thread(self.house.stop)

    async def start(self) -> None:
        """Start it again on what it left, or on what became of that."""
        await asyncio.to_thread(self.house.start_again)

    async def ready(self, name: str) -> tuple[bool, Mapping[str, str]]:
        """What a process of the house says of itself."""
        told = await health.get_json(f"{self.house.info.health[name]}/readyz")
        if told is None:
            return False, {}
        return told[0] == 200, told[1]["checks"]


@asynccontextmanager
async def on_its_own(folder: Path | None = None) -> AsyncIterator[Stand]:
    """A house as `waggle up` runs it, at a port that stays."""
    async with AsyncExitStack() as stack:
        folder = folder or stack.enter_context(empty_house())
        house = await stack.enter_async_context(house_on(folder / "var", {}, free_ports(1)[0]))
        yield Stand(house)


@asynccontextmanager
async def behind_wires() -> AsyncIterator[Stand]:
    """A house that reaches its servers by wires."""
    async with AsyncExitStack() as stack:
        theirs, folder = (stack.enter_context(empty_house()) for _ in range(2))
        nats = await stack.enter_async_context(NatsServer(theirs, users_of(folder / "var")))
        postgres = await _database(stack, theirs)
        to_nats = await stack.enter_async_context(nats_wire(nats.port).open())
        to_postgres = await stack.enter_async_context(postgres_wire(postgres.port).open())
        servers = {
            "NATS_URL": to_nats.through(nats.url),
            "DATABASE_URL": to_postgres.through(postgres.url(ROLE, TABLES)),
            "WAGGLE_KEYS_URL": to_postgres.through(postgres.url(ROLE, KEYS)),
            "WAGGLE_NATS_MONITOR_URL": nats.monitor_url,
        }
        house = await stack.enter_async_context(house_on(folder / "var", servers))
        yield Stand(house, nats, postgres, to_nats, to_postgres)


async def _database(stack: AsyncExitStack, folder: Path) -> PostgresServer:
    """A PostgreSQL with what a house needs on a server that is not its own."""
    postgres = await stack.enter_async_context(PostgresServer(folder))
    await postgres.create_role(ROLE)
    for database in (TABLES, KEYS):
        await postgres.create_database(database, ROLE)
    return postgres


def users_of(folder: Path) -> tuple[User, ...]:
    """The parties of a house that is to stand in this folder."""
    return Credentials(folder).users(parties(Rulebook.model_validate(load_rulebook())))


@asynccontextmanager
async def house_on(
    folder: Path, servers: Mapping[str, str], port: int | None = None
) -> AsyncIterator[House]:
    """A house in this folder, on these servers; stopped in the end, unless it is down already."""
    house = await asyncio.to_thread(House.start, folder, port, servers)
    try:
        yield house
    finally:
        if house.up.poll() is None:
            await asyncio.to_thread(house.stop)
