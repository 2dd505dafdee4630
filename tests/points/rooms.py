"""Points on real servers: its process or processes, and parties that ask it with their own keys."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from contracts.envelope import Answer, Command, Fact, Outcome, Recorded
from contracts.party import PartyKind, PartyRegistered
from contracts.reward import Ticket
from contracts.rulebook import DocumentKind, RulebookPublished
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.provision import provision_consumers, provision_streams
from deploy.streams import REACTIONS
from eventlog.asking import ask_as
from eventlog.connect import connect_nats, connect_postgres
from eventlog.read import read_log
from eventlog.sealing import KeyStore, read_master_key
from eventlog.service import Service
from eventlog.settings import Settings
from services.points.app import wire
from services.points.store import Secrets, Store
from tests.district import BOOK, KITE, SWIFT, WEST
from tests.notify.rooms import House
from tests.points.store import OFFICER, RIDERS, World, given

BOUND = tuple(
    f"{durable.stream}.{durable.config.durable_name}"
    for durable in REACTIONS
    if str(durable.config.durable_name).startswith("points-")
)
SECOND = "second-officer"
PARTIES = (
    Party("provisioner", Kind.PROVISIONER),
    Party("intake", Kind.SERVICE),
    Party("router", Kind.SERVICE),
    Party("points", Kind.SERVICE, BOUND),
    Party("auditor", Kind.AUDITOR),
    Party("projector", Kind.PROJECTOR),
    Party(OFFICER, Kind.OFFICER),
    Party(SECOND, Kind.OFFICER),
    Party(KITE, Kind.PLATFORM),
    Party(SWIFT, Kind.PLATFORM),
    Party(WEST, Kind.UNIT),
)
_ids = count(1)


def new_id(kind: str = "ask") -> str:
    return f"{kind}-{next(_ids)}"


@dataclass
class Shop(House):
    """The house, and what can be asked of its store."""

    counters: list[Store] = field(default_factory=list)
    """The processes of points, where a test wants them by hand."""

    async def ask(
        self, party: str, command: Command, command_id: str | None = None
    ) -> tuple[Ticket, bool]:
        """The answer to a command, and whether it had been decided before."""
        return await ask_as(self.connections[party], party, command, command_id or new_id(), Ticket)

    async def insist(self, party: str, command: Command, command_id: str | None = None) -> Ticket:
        """The answer to a command that is carried out."""
        answer, _ = await self.ask(party, command, command_id)
        assert answer.outcome is Outcome.ACCEPTED, answer
        return answer

    async def log(self) -> list[Recorded]:
        """Everything that has happened to accounts and to the store, in order."""
        log = read_log(self.js("auditor"), subjects=("log.account.>", "log.reward.>"))
        return [entry async for batch in log for entry in batch if isinstance(entry, Recorded)]

    async def world(self) -> World:
        """What follows from it."""
        return given(*(fact.body for fact in await self.log()))

    @asynccontextmanager
    async def points(self) -> AsyncIterator[Store]:
        """One process of the room at work."""
        async with Service.open("points", self.settings) as service:
            _, counter = await wire(
                service, Secrets.of(read_master_key(self.settings.master_key_file))
            )
            await service.broker.start()
            yield counter


def registered(party_id: str, kind: PartyKind, platform: str | None = None) -> PartyRegistered:
    return PartyRegistered(party_id=party_id, kind=kind, platform=platform)


def everybody() -> list[Fact]:
    """The parties of the tests, as they are registered."""
    return [
        *(registered(officer, PartyKind.OFFICER) for officer in (OFFICER, SECOND)),
        *(registered(rider, PartyKind.RIDER, platform) for rider, platform in RIDERS.items()),
    ]


@asynccontextmanager
async def open_shop(keys_url: str, master: Path) -> AsyncIterator[Shop]:
    """A log with a rulebook in force and everybody registered, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="waggle-store-"))
    credentials = Credentials(folder)
    async with NatsServer(folder, credentials.users(PARTIES)) as nats:
        settings = Settings(
            nats_url=nats.url,
            nkey_seed_file=credentials.seed_file("points"),
            identity="points",
            database_url=keys_url,
            keys_url=keys_url,
            master_key_file=master,
            nats_monitor_url=nats.monitor_url,
        )
        pool = await connect_postgres(keys_url)
        shop = Shop(nats, settings, KeyStore(pool, read_master_key(master)))
        for party in PARTIES:
            seed = str(credentials.seed_file(party.name))
            shop.connections[party.name] = await connect_nats(
                nats.url, identity=party.name, seed_file=seed
            )
        await provision_streams(shop.js("provisioner"))
        await provision_consumers(shop.js("provisioner"), (), ())
        for document in BOOK.documents:
            kind = DocumentKind(document.kind)
            await shop.write(
                RulebookPublished(name="small", kind=kind, version=1, digest="", document=document)
            )
        await shop.write(*everybody())
        yield shop
        for connection in shop.connections.values():
            await connection.close()
        await pool.close()
    shutil.rmtree(folder)


def outcomes(answers: Iterable[tuple[Answer, bool]]) -> Counter[str]:
    """How often each outcome came; a refusal by its reasons."""

    def said(answer: Answer) -> str:
        return "+".join(reason.code for reason in answer.reasons) or str(answer.outcome)

    return Counter(said(answer) for answer, _ in answers)


def same(answers: list[tuple[Any, bool]]) -> bool:
    """Whether all of them say the same."""
    return len({answer.model_dump_json() for answer, _ in answers}) == 1
