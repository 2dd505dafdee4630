"""What a service does with a delivery: once at a time, again when it failed, never dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from contracts.case import CaseClosed
from contracts.envelope import Header, Reason, Refused
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.provision import provision_streams
from deploy.streams import reaction
from eventlog import deliveries
from eventlog.connect import connect_nats
from eventlog.deliveries import Later
from eventlog.sealing import new_master_key
from eventlog.service import Service
from eventlog.settings import Settings
from tests.deploy.folders import empty_house

DURABLE = reaction("router", "orders", "LOG", "log.case.>", ack_wait=0.2)
ROUTER = Party("router", Kind.SERVICE, ("LOG.router-orders",))
PROVISIONER = Party("provisioner", Kind.PROVISIONER)
PATIENCE = 20.0

Handler = Callable[[Msg], Coroutine[Any, Any, None]]


def answered(info: ConsumerInfo) -> bool:
    """Whether the consumer has been told what became of its first message."""
    return info.ack_floor is not None and info.ack_floor.stream_seq > 0


@dataclass
class Room:
    """A connected service, and the one who set it up."""

    service: Service
    js: JetStreamContext

    async def begin(self, handler: Handler) -> None:
        self.service.deliveries("orders", "LOG")(handler)
        await self.service.broker.start()
        await self.service.js.publish("log.case.1", b"{}", stream="LOG")

    async def consumer(self) -> ConsumerInfo:
        info: ConsumerInfo = await self.js.consumer_info("LOG", "router-orders")
        return info

    async def delivered(self) -> int:
        delivered = (await self.consumer()).delivered
        return delivered.consumer_seq if delivered else 0

    async def until_answered(self) -> ConsumerInfo:
        async with asyncio.timeout(PATIENCE):
            while (info := await self.consumer()).num_ack_pending or not answered(info):
                await asyncio.sleep(0.02)
        return info

    async def parked(self) -> list[str]:
        last = (await self.js.stream_info("PARK")).state.last_seq
        kept = [await self.js.get_msg("PARK", n) for n in range(1, last + 1)]
        return [(message.headers or {})["waggle-parked-reason"] for message in kept]


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Room]:
    with empty_house() as folder:
        credentials = Credentials(folder)
        master_key = folder / "master.key"
        master_key.write_bytes(new_master_key())
        async with NatsServer(folder, credentials.users((ROUTER, PROVISIONER))) as server:
            seed = str(credentials.seed_file(PROVISIONER.name))
            nc = await connect_nats(server.url, identity=PROVISIONER.name, seed_file=seed)
            js = nc.jetstream(timeout=5)
            await provision_streams(js)
            await js.add_consumer(DURABLE.stream, DURABLE.config)
            settings = Settings(
                nats_url=server.url,
                nkey_seed_file=credentials.seed_file(ROUTER.name),
                identity=ROUTER.name,
                database_url=database_url,
                keys_url=database_url,
                master_key_file=master_key,
            )
            async with Service.open("router", settings) as service:
                yield Room(service, js)
            await nc.close()


async def test_what_is_in_hand_is_not_begun_again(room: Room) -> None:
    begun = 0
    enough = asyncio.Event()

    async def slow(raw: Msg) -> None:
        nonlocal begun
        begun += 1
        await enough.wait()

    await room.begin(slow)
    async with asyncio.timeout(PATIENCE):
        while await room.delivered() < 4:
            await asyncio.sleep(0.02)
    enough.set()
    await room.until_answered()
    assert begun == 1


async def test_what_was_answered_late_is_taken_again_when_it_fails(room: Room) -> None:
    tries = 0

    async def slow_then_later(raw: Msg) -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0.5)  # longer than its ack wait
        if tries == 1:
            raise Later(0.05)

    await room.begin(slow_then_later)
    await room.until_answered()
    assert tries >= 2


@pytest.mark.parametrize(
    "passing",
    [
        asyncpg.CrashShutdownError("terminating connection because of crash"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.InternalClientError("another operation is in progress"),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_passes_by_itself_is_never_parked(
    room: Room, passing: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "RETRY_SECONDS", 0.02)
    tries = 0

    async def at_last(raw: Msg) -> None:
        nonlocal tries
        tries += 1
        if tries < 2 * deliveries.POISON_TRIES:
            raise passing

    await room.begin(at_last)
    await room.until_answered()
    assert tries == 2 * deliveries.POISON_TRIES
    assert await room.parked() == []


async def test_what_breaks_again_and_again_is_parked_with_its_reason(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "RETRY_SECONDS", 0.02)
    tries = 0

    async def broken(raw: Msg) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("no such thing")

    await room.begin(broken)
    await room.until_answered()
    assert tries == deliveries.POISON_TRIES
    assert await room.parked() == ["RuntimeError: no such thing"]


async def test_a_refused_reaction_is_over(room: Room) -> None:
    tries = 0

    async def refused(raw: Msg) -> None:
        nonlocal tries
        tries += 1
        raise Refused(Reason(code="no"))

    await room.begin(refused)
    await room.until_answered()
    assert (tries, await room.parked()) == (1, [])


async def test_what_nobody_acts_on_is_acknowledged_unread(room: Room) -> None:
    taken: list[str] = []

    async def heard(raw: Msg) -> None:
        taken.append((raw.headers or {})[Header.TYPE])

    room.service.deliveries("orders", "LOG", CaseClosed)(heard)
    await room.service.broker.start()
    for kind in ("CaseOpened", "CaseClosed", "WorkAccepted"):
        headers = {Header.TYPE: f"waggle.case.{kind}"}
        await room.service.js.publish("log.case.1", b"{}", stream="LOG", headers=headers)
    async with asyncio.timeout(PATIENCE):
        while (floor := (await room.consumer()).ack_floor) is None or floor.stream_seq < 3:
            await asyncio.sleep(0.02)
    assert taken == ["waggle.case.CaseClosed"]
