"""The servers of a house on this machine, and how the rest of the house finds them.

    async with Supervisor(house) as supervisor:
        servers = LocalServers.of(house, parties)
        await servers.start(supervisor, readers=ROOMS, key_users=ROOMS)
        ...                                   # streams, tables, services
        announce(servers)
        await supervisor.run()

Everything else that talks to this house asks `running_house(house)`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from deploy.credentials import Credentials
from deploy.databases import create_databases
from deploy.house_lock import holder
from deploy.nats_server import NatsServer
from deploy.permissions import Party
from deploy.postgres_server import PostgresServer
from deploy.supervisor import Supervisor


class ClientOptions(TypedDict):
    """What a NATS client needs to come in as a party; nats-py takes these as keywords."""

    servers: str
    nkeys_seed: str
    inbox_prefix: str


@dataclass(frozen=True, slots=True)
class LocalServers:
    """One nats-server and one PostgreSQL in the same data folder."""

    nats: NatsServer
    postgres: PostgresServer
    credentials: Credentials

    @classmethod
    def of(cls, house: Path, parties: Iterable[Party], *, port: int | None = None) -> LocalServers:
        """The servers of a house, with credentials for these parties; `port` is that of NATS."""
        credentials = Credentials(house)
        nats = NatsServer(house, credentials.users(parties), port=port)
        return cls(nats, PostgresServer(house), credentials)

    async def start(
        self, supervisor: Supervisor, *, readers: Sequence[str], key_users: Sequence[str]
    ) -> None:
        """Start both side by side, then have the databases."""
        await supervisor.start(self.nats, self.postgres)
        await create_databases(self.postgres, readers, key_users)


@dataclass(frozen=True, slots=True)
class RunningHouse:
    """Where the servers of a house that runs are."""

    house: str
    pid: int
    nats_url: str
    monitor_url: str
    postgres_port: int

    def client_options(self, party: Party) -> ClientOptions:
        """How to connect to NATS as a party, with the seed kept in this house."""
        return {
            "servers": self.nats_url,
            "nkeys_seed": str(Credentials(Path(self.house)).seed_file(party.name)),
            "inbox_prefix": party.inbox_prefix,
        }

    def database_url(self, role: str, database: str) -> str:
        """A role's address of a database, its password in it."""
        return PostgresServer(Path(self.house), port=self.postgres_port).url(role, database)


def announce(servers: LocalServers) -> RunningHouse:
    """Let others find the house from now on, for as long as this process holds its lock."""
    house = servers.nats.house
    running = RunningHouse(
        house=str(house),
        pid=os.getpid(),
        nats_url=servers.nats.url,
        monitor_url=servers.nats.monitor_url,
        postgres_port=servers.postgres.port,
    )
    path = _announcement(house)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(running), indent=2) + "\n")
    draft.replace(path)
    return running


def running_house(house: Path) -> RunningHouse | None:
    """The house that runs in this folder and has announced itself; None if there is none."""
    house = house.resolve()
    try:
        running = RunningHouse(**json.loads(_announcement(house).read_text()))
    except FileNotFoundError:
        return None
    return running if holder(house) == running.pid else None


def _announcement(house: Path) -> Path:
    return house / "house.json"
