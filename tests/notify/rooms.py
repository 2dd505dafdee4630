"""Real servers with the streams of a house, and the room that is tested, wired and running."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts.envelope import Command, Fact, Issued, Recorded
from contracts.notice import Notice
from contracts.rulebook import DocumentKind, PublishRulebook, RulebookPublished
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import ROOM_STREAMS, Kind, Party
from deploy.postgres_server import PostgresServer
from deploy.provision import provision_consumers, provision_streams
from deploy.streams import REACTIONS
from eventlog.connect import connect_nats, connect_postgres
from eventlog.message import Message, encode
from eventlog.read import read_log
from eventlog.sealing import (
    KeyStore,
    create_key_table,
    new_master_key,
    read_master_key,
    seal,
)
from eventlog.service import Service
from eventlog.settings import Settings
from services.notify.app import wire
from services.notify.channels import OUTBOX, Outbox, Webhook
from tests.notify.given import NOON, RULES

BOUND = tuple(
    f"{durable.stream}.{durable.config.durable_name}"
    for durable in REACTIONS
    if str(durable.config.durable_name).startswith("notify-")
)
PARTIES = (
    Party("provisioner", Kind.PROVISIONER),
    Party("intake", Kind.SERVICE),
    Party("router", Kind.SERVICE),
    Party("points", Kind.SERVICE),
    Party("notify", Kind.SERVICE, BOUND),
    Party("auditor", Kind.AUDITOR),
)


@dataclass
class House:
    """The servers, a connection for every party, and the room's settings."""

    nats: NatsServer
    settings: Settings
    keys: KeyStore
    connections: dict[str, Client] = field(default_factory=dict)
    written: int = 0

    def js(self, party: str) -> JetStreamContext:
        return self.connections[party].jetstream(timeout=5)

    async def write(self, *facts: Fact, history: bool = False) -> None:
        """Let the rooms that write these streams put the facts in the log, sealed, in order."""
        for room, theirs in groupby(facts, key=_room_of):
            js = self.js(room)
            stored = []
            for fact in theirs:
                message = await self._message(room, fact, history)
                headers = dict(message.headers)
                stored.append(
                    await js.publish_async(message.subject, message.body, headers=headers)
                )
            await asyncio.gather(*stored)

    async def _message(self, room: str, fact: Fact, history: bool) -> Message:
        self.written += 1
        command_id = f"c-{self.written}"
        issued: Issued[Command] = Issued(
            command=PublishRulebook(document={}),
            command_id=command_id,
            actor=room,
            at=NOON,
            history=history,
        )
        sealed = await seal([fact], command_id, self.keys)
        [message] = encode(sealed, issued, source=room, fingerprint="", last_hash={})
        return message

    async def facts(self) -> list[Recorded]:
        """What notify has written."""
        log = read_log(self.js("auditor"), subjects=("log.notice.>",))
        return [entry async for batch in log for entry in batch if isinstance(entry, Recorded)]

    async def outbox(self) -> list[Notice]:
        """Everything in the outbox, in order."""
        js = self.js("provisioner")
        count = (await js.stream_info("OUTBOX")).state.messages
        found = [await js.get_msg("OUTBOX", sequence) for sequence in range(1, count + 1)]
        return [Notice.model_validate_json(message.data or b"") for message in found]

    @asynccontextmanager
    async def notify(self, webhook: Webhook | None = None) -> AsyncIterator[Service]:
        """The room at work."""
        async with (
            webhook or Webhook(allow_private=True) as post,
            Service.open("notify", self.settings) as service,
        ):
            outbox = Outbox(await service.appender_for(OUTBOX))
            await wire(service, outbox, post)
            await service.broker.start()
            yield service


@asynccontextmanager
async def open_key_store() -> AsyncIterator[tuple[str, Path]]:
    """A PostgreSQL with the table of data keys, and the file of the master key."""
    folder = Path(tempfile.mkdtemp(prefix="waggle-notify-keys-"))
    async with PostgresServer(folder) as postgres:
        await postgres.create_role("keyring")
        url = await postgres.create_database("waggle_keys", "keyring")
        master = folder / "credentials" / "master.key"
        master.write_bytes(new_master_key())
        pool = await connect_postgres(url)
        await create_key_table(pool)
        await pool.close()
        yield url, master
    shutil.rmtree(folder)


@asynccontextmanager
async def open_house(keys_url: str, master: Path) -> AsyncIterator[House]:
    """A log with a rulebook in force, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="waggle-notify-"))
    credentials = Credentials(folder)
    async with NatsServer(folder, credentials.users(PARTIES)) as nats:
        settings = Settings(
            nats_url=nats.url,
            nkey_seed_file=credentials.seed_file("notify"),
            identity="notify",
            database_url=keys_url,
            keys_url=keys_url,
            master_key_file=master,
            nats_monitor_url=nats.monitor_url,
            allow_private_webhooks=True,
            notice_retry_delays=(0.05, 0.05),
        )
        pool = await connect_postgres(keys_url)
        house = House(nats, settings, KeyStore(pool, read_master_key(master)))
        for party in PARTIES:
            seed = str(credentials.seed_file(party.name))
            house.connections[party.name] = await connect_nats(
                nats.url, identity=party.name, seed_file=seed
            )
        await provision_streams(house.js("provisioner"))
        await provision_consumers(house.js("provisioner"), (), ())
        for document in RULES.documents:
            await house.write(
                RulebookPublished(
                    name="fengxi",
                    kind=DocumentKind(document.kind),
                    version=1,
                    digest="",
                    document=document,
                )
            )
        yield house
        for connection in house.connections.values():
            await connection.close()
        await pool.close()
    shutil.rmtree(folder)


def _room_of(fact: Fact) -> str:
    return next(room for room, streams in ROOM_STREAMS.items() if fact.stream in streams)


async def until(
    question: Callable[[], Awaitable[Any]], expected: Callable[[Any], bool], within: float = 20
) -> Any:
    """The answer to a question as soon as it is what is expected; the last one when time is up."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        answer = await question()
        if expected(answer) or asyncio.get_running_loop().time() > deadline:
            return answer
        await asyncio.sleep(0.05)
