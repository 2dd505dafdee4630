"""The outbox on a real server: stored once, whoever sends it however often."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts.notice import Notice
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.streams import streams
from eventlog.append import Appender, Limits, Unknown
from eventlog.connect import connect_nats
from services.notify.channels import Outbox
from services.notify.delivery import Delivered
from tests.notify.given import a_notice

HASTY = Limits(budget=0.5, timeout=0.2)
PROVISIONER, NOTIFY = Party("provisioner", Kind.PROVISIONER), Party("notify", Kind.SERVICE)


@dataclass
class House:
    """A server with its outbox, and the connection of the room."""

    server: NatsServer
    nc: Client
    js: JetStreamContext
    provisioner: JetStreamContext
    appenders: list[Appender] = field(default_factory=list)

    async def outbox(self, limits: Limits | None = None) -> Outbox:
        """A way into the outbox, closed with the house."""
        appender = await Appender.open(self.nc, stream="OUTBOX", limits=limits or Limits())
        self.appenders.append(appender)
        return Outbox(appender)

    async def stored(self) -> list[Notice]:
        """Everything in the outbox, in order."""
        count = (await self.provisioner.stream_info("OUTBOX")).state.messages
        found = [await self.provisioner.get_msg("OUTBOX", seq) for seq in range(1, count + 1)]
        return [Notice.model_validate_json(message.data or b"") for message in found]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="waggle-outbox-"))
    credentials = Credentials(folder)
    server = NatsServer(folder, credentials.users([PROVISIONER, NOTIFY]))
    async with server:
        connections = [
            await connect_nats(
                server.url, identity=party.name, seed_file=str(credentials.seed_file(party.name))
            )
            for party in (PROVISIONER, NOTIFY)
        ]
        provisioner, js = (connection.jetstream(timeout=5) for connection in connections)
        await provisioner.add_stream(next(s for s in streams() if s.name == "OUTBOX"))
        house = House(server, connections[1], js, provisioner)
        yield house
        for appender in house.appenders:
            await appender.close()
        for connection in connections:
            await connection.close()
    shutil.rmtree(folder)


async def test_a_notice_is_stored_as_it_is(house: House) -> None:
    assert await (await house.outbox()).send(a_notice()) == Delivered()
    assert await house.stored() == [a_notice()]
    message = await house.provisioner.get_msg("OUTBOX", 1)
    assert message.subject == "notice.outbox.n-1"


async def test_a_notice_sent_twice_is_stored_once(house: House) -> None:
    outbox = await house.outbox()
    assert await outbox.send(a_notice()) == Delivered()
    assert await outbox.send(a_notice(text="the same in other words")) == Delivered()
    assert await house.stored() == [a_notice()]


async def test_a_notice_sent_by_many_at_the_same_time_is_stored_once(house: House) -> None:
    senders = [await house.outbox() for _ in range(5)]
    sent = (sender.send(a_notice()) for sender in senders for _ in range(4))
    assert set(await asyncio.gather(*sent)) == {Delivered()}
    assert await house.stored() == [a_notice()]


async def test_a_notice_is_stored_once_even_when_the_server_has_died_in_between(
    house: House,
) -> None:
    outbox, hasty = await house.outbox(), await house.outbox(HASTY)
    assert await outbox.send(a_notice()) == Delivered()
    await house.server.kill()
    with pytest.raises(Unknown):
        await hasty.send(a_notice("n-2"))
    await house.server.start()
    await _connected(house.js)
    assert await outbox.send(a_notice()) == Delivered()
    assert await outbox.send(a_notice("n-2")) == Delivered()
    assert await house.stored() == [a_notice(), a_notice("n-2")]


async def test_without_the_stream_nobody_is_said_to_be_told(house: House) -> None:
    hasty = await house.outbox(HASTY)
    await house.provisioner.delete_stream("OUTBOX")
    with pytest.raises(Unknown):
        await hasty.send(a_notice())


async def _connected(js: JetStreamContext) -> None:
    """Until the connection has found the server again."""
    async with asyncio.timeout(20):
        while True:
            try:
                await js.stream_info("OUTBOX")
            except nats.errors.Error:
                await asyncio.sleep(0.05)
            else:
                return
