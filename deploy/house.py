"""A whole house in one data folder: servers, credentials, streams, tables, services.

Everything is safe to bring about again, so a folder left by a crash is simply started. Servers
that run already are used where their addresses are given, and left alone at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import structlog
from pydantic import BaseModel, ConfigDict

from contracts.rulebook import Rulebook
from deploy import health, projections
from deploy.credentials import MASTER_KEY, Credentials
from deploy.databases import KEYRING, KEYS, PROJECTIONS, PROJECTOR, create_databases
from deploy.errors import StartError
from deploy.house_lock import holder
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.ports import free_ports
from deploy.postgres_server import SUPERUSER, PostgresServer
from deploy.program import Program, Spec
from deploy.provision import (
    PROVISIONER,
    provision_consumers,
    provision_streams,
    publish_rulebook,
    register_parties,
)
from deploy.retention import Days
from deploy.stored import insist_on_stored, remember_streams
from deploy.streams import REACTIONS
from deploy.supervisor import Part, Supervisor
from eventlog import checkpoint
from eventlog.connect import connect_nats, connect_postgres
from eventlog.sealing import create_key_table, new_master_key

log = structlog.get_logger()

ROOMS: Final = ("intake", "router", "points", "notify")
AUDITOR: Final = "auditor"
SEALER: Final = "sealer"
ARCHIVE: Final = "archive"
OFFICER: Final = "officer"
AUDIT_OFFICE: Final = "audit-office"
OFFICERS: Final = (OFFICER, "second-officer")
"""Some things need two."""
INFO_FILE: Final = "house.json"
MODULES: Final = {"projector": "deploy.projector", SEALER: "deploy.sealer"}
"""The processes that are no rooms."""


class Outside(BaseModel):
    """Servers that run already, by their addresses."""

    model_config = ConfigDict(frozen=True)

    nats_url: str | None = None
    database_url: str | None = None
    keys_url: str | None = None
    replicas: int = 1
    """On how many servers of a cluster each stream is kept."""

    @classmethod
    def from_environment(cls) -> Outside:
        """NATS_URL, DATABASE_URL, WAGGLE_KEYS_URL and WAGGLE_REPLICAS, where they are set."""
        given = os.environ.get
        database = given("DATABASE_URL") or None
        return cls(
            nats_url=given("NATS_URL") or None,
            database_url=database,
            keys_url=given("WAGGLE_KEYS_URL") or database,
            replicas=int(given("WAGGLE_REPLICAS") or 1),
        )


class HouseInfo(BaseModel):
    """What a client on this machine needs to know of a running house."""

    model_config = ConfigDict(frozen=True)

    pid: int
    nats_url: str
    monitor_url: str | None
    database_url: str
    """For reading projections."""
    rebuild_url: str
    """For rebuilding projections: as the role that owns them."""
    keys_url: str
    """For opening what the log keeps sealed; for officers only."""
    health: dict[str, str]
    """Each process and where it answers /livez and /readyz."""
    folder: Path
    own_postgres: bool = True
    """Whether the house runs it, and so may tidy it up as its superuser."""

    def admin_url(self, database: str) -> str | None:
        """A database as the superuser, where the server is the house's own."""
        return (
            _as(SUPERUSER, _renamed(self.keys_url, database), self) if self.own_postgres else None
        )

    @property
    def credentials(self) -> Credentials:
        """The keys of this house's parties."""
        return Credentials(self.folder)

    @property
    def seal_folder(self) -> Path:
        """Where checkpoints and tiles of the log are published."""
        return self.folder / "seal"

    @property
    def master_key_file(self) -> Path:
        """The key that wraps the data keys."""
        return master_key_file(self.folder)


@dataclass(frozen=True, slots=True)
class Plan:
    """What house is wanted."""

    folder: Path
    document: Mapping[str, Any]
    """The rulebook to put in force if no newer one is."""
    port: int | None = None
    outside: Outside = field(default_factory=Outside)
    settings: Mapping[str, str] | None = None
    """More environment for the services."""
    days: Days = field(default_factory=lambda: Days.from_environment(os.environ))
    """How long what is kept."""
    sync_interval: str = "always"
    """Anything else is for a house that nobody uses before all of it is on the disk."""
    services: bool = True
    """False: servers only, for work on the tables while nobody serves."""


def parties(book: Rulebook) -> tuple[Party, ...]:
    """Every credential of the house."""
    bound: dict[str, list[str]] = {room: [] for room in ROOMS}
    for durable in REACTIONS:
        name = durable.config.durable_name or ""
        bound[name.partition("-")[0]].append(f"{durable.stream}.{name}")
    return (
        Party(PROVISIONER, Kind.PROVISIONER),
        *(Party(room, Kind.SERVICE, tuple(bound[room])) for room in ROOMS),
        Party("projector", Kind.PROJECTOR),
        Party(AUDITOR, Kind.AUDITOR),
        Party(SEALER, Kind.SEALER),
        Party(ARCHIVE, Kind.ARCHIVE),
        Party(AUDIT_OFFICE, Kind.AUDIT_OFFICE),
        *(Party(officer, Kind.OFFICER) for officer in OFFICERS),
        *(Party(unit.code, Kind.UNIT) for unit in book.units),
        *(Party(platform.code, Kind.PLATFORM) for platform in book.platforms),
    )


def running_house(folder: Path) -> HouseInfo | None:
    """The house that runs in a folder, if one does."""
    try:
        info = HouseInfo.model_validate_json((folder.resolve() / INFO_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return info if holder(info.folder) == info.pid else None


@asynccontextmanager
async def open_house(plan: Plan) -> AsyncIterator[tuple[HouseInfo, Supervisor]]:
    """Start a house and stop it at the end. Ready when it is yielded.

    Servers without services are announced to nobody.
    """
    book = Rulebook.model_validate(plan.document)
    folder = plan.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    async with Supervisor(folder) as supervisor:
        info = await start_servers(plan, book, supervisor)
        await set_up(plan, book, info)
        if not plan.services:
            yield info, supervisor
            return
        await _insist_on_log(plan, info)
        await supervisor.start(*_programs(plan, info))
        await _furnish(plan, book, info)
        await _until_ready(info)
        file = folder / INFO_FILE
        file.touch(mode=0o600)
        file.write_text(info.model_dump_json(indent=2))
        try:
            yield info, supervisor
        finally:
            file.unlink(missing_ok=True)


async def start_servers(plan: Plan, book: Rulebook, supervisor: Supervisor) -> HouseInfo:
    """Start the servers that are not given, and learn where everything is."""
    credentials = Credentials(plan.folder)
    users = credentials.users(parties(book))
    outside, own = plan.outside, list[Part]()
    nats = (
        NatsServer(plan.folder, users, port=plan.port, sync_interval=plan.sync_interval)
        if outside.nats_url is None
        else None
    )
    postgres = PostgresServer(plan.folder) if outside.database_url is None else None
    own += [part for part in (nats, postgres) if part is not None]
    await supervisor.start(*own)
    if postgres is not None:
        await create_databases(postgres, [*ROOMS, AUDITOR, OFFICER], [*ROOMS, OFFICER])
    names = (*ROOMS, *MODULES)
    ports = free_ports(len(names))
    return HouseInfo(
        pid=os.getpid(),
        nats_url=nats.url if nats else str(outside.nats_url),
        monitor_url=nats.monitor_url if nats else None,
        database_url=postgres.url(AUDITOR, PROJECTIONS) if postgres else str(outside.database_url),
        rebuild_url=postgres.url(PROJECTOR, PROJECTIONS) if postgres else str(outside.database_url),
        keys_url=postgres.url(OFFICER, KEYS) if postgres else str(outside.keys_url),
        health={name: f"http://127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)},
        folder=plan.folder.resolve(),
        own_postgres=postgres is not None,
    )


async def set_up(plan: Plan, book: Rulebook, info: HouseInfo) -> None:
    """Streams, consumers, the key table and the master key."""
    info.credentials.master_key_file(new_master_key)
    pool = await connect_postgres(database_urls(plan, info, KEYRING)[1], most=1)
    try:
        await create_key_table(pool)
    finally:
        await pool.close()
    seed = str(info.credentials.seed_file(PROVISIONER))
    nc = await connect_nats(info.nats_url, identity=PROVISIONER, seed_file=seed)
    try:
        js = nc.jetstream(timeout=10)
        await insist_on_stored(js, plan.folder.resolve())
        await provision_streams(js, replicas=plan.outside.replicas, days=plan.days)
        remember_streams(plan.folder.resolve())
        await provision_consumers(
            js, (u.code for u in book.units), (p.code for p in book.platforms)
        )
    finally:
        await nc.close()


async def _insist_on_log(plan: Plan, info: HouseInfo) -> None:
    """Start no service on a log that has lost what the tables were folded from.

    The projector would stop by itself, but the rooms would take commands meanwhile, and give new
    facts the numbers of lost ones. Raises `StartError`.
    """
    seed = str(info.credentials.seed_file(AUDITOR))
    nc = await connect_nats(info.nats_url, identity=AUDITOR, seed_file=seed)
    pool = await connect_postgres(database_urls(plan, info, PROJECTOR)[0], most=1)
    try:
        js = nc.jetstream(timeout=10)
        async with pool.acquire() as connection:
            for projection in projections.PROJECTIONS:
                there = await checkpoint.read(connection, projection.name)
                if there is not None:
                    await checkpoint.insist_on_log(js, projection.name, there)
    except checkpoint.LogLost as lost:
        raise StartError(str(lost)) from lost
    except asyncpg.DataCorruptedError as damaged:
        raise StartError(
            f"the database cannot read what it has stored: {damaged}. Restore it from a backup: "
            "the keys stand nowhere else; the tables are folded again by `waggle rebuild`."
        ) from damaged
    finally:
        await pool.close()
        await nc.close()


async def _furnish(plan: Plan, book: Rulebook, info: HouseInfo) -> None:
    """Rules in force, units and platforms known."""
    seed = str(info.credentials.seed_file(PROVISIONER))
    nc = await connect_nats(info.nats_url, identity=PROVISIONER, seed_file=seed)
    try:
        await publish_rulebook(nc, plan.document)
        await register_parties(nc, book, OFFICERS)
    finally:
        await nc.close()


async def _until_ready(info: HouseInfo, within: float = 60.0) -> None:
    """Wait until every process says that it is ready."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    for name, url in info.health.items():
        while not await health.is_healthy(f"{url}/readyz"):
            if loop.time() > deadline:
                told = await health.get_json(f"{url}/readyz")
                said = json.dumps(told[1], ensure_ascii=False) if told else "no answer"
                log_file = info.folder / "log" / f"{name}.log"
                raise StartError(f"{name} is not ready after {within:g} s: {said}; see {log_file}")
            await asyncio.sleep(0.05)


def _programs(plan: Plan, info: HouseInfo) -> Iterator[Program]:
    """The processes: one a room, the projector and the sealer."""
    for name, url in info.health.items():
        module = MODULES.get(name, f"services.{name}.app")
        yield Program(
            Spec(
                name=name,
                argv=(sys.executable, "-m", module),
                house=plan.folder.resolve(),
                env=service_environment(plan, info, name),
                health_url=f"{url}/livez",
            )
        )


def service_environment(plan: Plan, info: HouseInfo, name: str) -> dict[str, str]:
    """What a process is told: its identity, its servers, its keys, and nobody else's."""
    monitor = {"WAGGLE_NATS_MONITOR_URL": info.monitor_url} if info.monitor_url else {}
    return {
        "NATS_URL": info.nats_url,
        "WAGGLE_IDENTITY": name,
        "WAGGLE_NKEY_FILE": str(info.credentials.seed_file(name)),
        "WAGGLE_HEALTH_PORT": info.health[name].rpartition(":")[2],
        **monitor,
        **(_seal(info) if name == SEALER else _databases(plan, info, name)),
        **(plan.settings or {}),
    }


def _seal(info: HouseInfo) -> dict[str, str]:
    return {
        "WAGGLE_SEAL_FOLDER": str(info.seal_folder),
        "WAGGLE_SEAL_KEY_FILE": str(info.credentials.folder / "seal.key"),
    }


def _databases(plan: Plan, info: HouseInfo, name: str) -> dict[str, str]:
    database_url, keys_url = database_urls(plan, info, PROJECTOR if name == "projector" else name)
    return {
        "DATABASE_URL": database_url,
        "WAGGLE_KEYS_URL": keys_url,
        "WAGGLE_MASTER_KEY_FILE": str(info.master_key_file),
    }


def database_urls(plan: Plan, info: HouseInfo, role: str) -> tuple[str, str]:
    """The addresses of projections and keys, as `role`; as given where the server is not ours."""
    if plan.outside.database_url is not None:
        return info.database_url, info.keys_url
    return _as(role, info.database_url, info), _as(role, info.keys_url, info)


def _as(role: str, url: str, info: HouseInfo) -> str:
    host_and_database = url.rpartition("@")[2]
    return f"postgresql://{role}:{info.credentials.password(role)}@{host_and_database}"


def _renamed(url: str, database: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def master_key_file(folder: Path) -> Path:
    """Where the master key of a house is kept."""
    return Credentials(folder).folder / MASTER_KEY
