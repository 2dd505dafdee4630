"""Everybody who acts in a journey, each with a connection and credentials of their own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.case import WorkOrder
from contracts.envelope import Answer
from contracts.rulebook import Rulebook
from deploy.house import AUDITOR, HouseInfo
from deploy.provision import PROVISIONER
from eventlog.connect import connect_nats
from eventlog.tasks import end
from tests.journey.house import House

HELP = "support"
"""The kind of order that no story waits for: who helps says nothing."""
PULL_SECONDS = 2.0
PATIENCE = 150.0
"""Seconds that anybody waits for what must come, faults included."""


class Pull:
    """Takes messages of a durable for as long as it is open, whatever the server goes through."""

    def __init__(self, nc: Client, stream: str, durable: str) -> None:
        self._nc = nc
        self._stream = stream
        self._durable = durable

    async def take(self, message: Msg) -> None:
        """What to do with a message."""
        raise NotImplementedError

    async def work(self) -> None:
        """Pull for ever."""
        js = self._nc.jetstream(timeout=PULL_SECONDS)
        queue = await js.pull_subscribe_bind(self._durable, self._stream)
        while True:
            try:
                messages = await queue.fetch(1, timeout=PULL_SECONDS)
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.02)  # nothing came, or the server is away
                continue
            for message in messages:
                await self.take(message)


class Desk(Pull):
    """A unit at work: it learns of its orders from its own queue, and from nowhere else."""

    def __init__(self, unit: str, nc: Client, received: list[WorkOrder]) -> None:
        super().__init__(nc, "WORK", unit)
        self.unit = unit
        self._received = received
        self._held: dict[str, Msg] = {}
        self._done: set[str] = set()
        self._by_case: defaultdict[str, asyncio.Queue[WorkOrder]] = defaultdict(asyncio.Queue)

    async def take(self, message: Msg) -> None:
        """An order: held until somebody has acted on it; one that was acted on is only answered."""
        order = WorkOrder.model_validate_json(message.data)
        self._received.append(order)
        if order.order_id in self._done:
            await message.ack()
            return
        if order.order_id not in self._held and order.kind != HELP:
            self._by_case[order.case_id].put_nowait(order)
        self._held[order.order_id] = message

    async def order(self, case_id: str) -> WorkOrder:
        """The next order on a case."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._by_case[case_id].get()
        except TimeoutError:
            raise AssertionError(f"no order on {case_id} came to {self.unit}") from None

    async def finish(self, order: WorkOrder) -> None:
        """The unit has acted on it: it leaves the queue."""
        self._done.add(order.order_id)
        await self._held.pop(order.order_id).ack()

    async def leave(self) -> None:
        """What nobody has acted on goes back to the queue."""
        for message in self._held.values():
            await message.nak()
        await self._nc.flush()


class Mailbox(Pull):
    """The answers to what a platform has dropped in its inbox."""

    def __init__(self, platform: str, nc: Client) -> None:
        super().__init__(nc, "ANSWER", platform)
        self.platform = platform
        self.nc = nc
        self._by_report: defaultdict[str, asyncio.Queue[Answer]] = defaultdict(asyncio.Queue)

    async def take(self, message: Msg) -> None:
        """An answer, for whoever waits for it."""
        answer = Answer.model_validate_json(message.data)
        self._by_report[answer.id].put_nowait(answer)
        await message.ack()

    async def answer(self, report_id: str) -> Answer:
        """The next answer about a report."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._by_report[report_id].get()
        except TimeoutError:
            raise AssertionError(f"{self.platform} was never answered about {report_id}") from None


@dataclass(frozen=True)
class Crew:
    """All of them."""

    house: House
    book: Rulebook
    clients: dict[str, Client]
    desks: dict[str, Desk]
    mailboxes: dict[str, Mailbox]

    @property
    def info(self) -> HouseInfo:
        """Where everything is now: a house that was started again has moved."""
        return self.house.info

    @property
    def reconnects(self) -> int:
        """How often a connection had to be made anew."""
        return sum(client.stats["reconnects"] for client in self.clients.values())


@asynccontextmanager
async def open_crew(house: House, book: Rulebook, received: list[WorkOrder]) -> AsyncIterator[Crew]:
    """Everybody connected and at work; what they receive of orders is added to `received`."""
    async with AsyncExitStack() as stack:
        parties = [PROVISIONER, AUDITOR]
        parties += [unit.code for unit in book.units] + [p.code for p in book.platforms]
        clients = await _connected(house.info, parties)
        for client in clients.values():
            stack.push_async_callback(client.close)
        desks = {u.code: Desk(u.code, clients[u.code], received) for u in book.units}
        boxes = {p.code: Mailbox(p.code, clients[p.code]) for p in book.platforms}
        for desk in desks.values():
            stack.push_async_callback(desk.leave)
        for pull in (*desks.values(), *boxes.values()):
            stack.push_async_callback(end, asyncio.create_task(pull.work()))
        yield Crew(house, book, clients, desks, boxes)


async def _connected(info: HouseInfo, parties: Iterable[str]) -> dict[str, Client]:
    async def connect(party: str) -> tuple[str, Client]:
        return party, await _connect(info, party)

    return dict(await asyncio.gather(*map(connect, parties)))


@asynccontextmanager
async def connected(info: HouseInfo, party: str) -> AsyncIterator[Client]:
    """A connection of one party, for the length of a `with`."""
    client = await _connect(info, party)
    try:
        yield client
    finally:
        await client.close()


async def _connect(info: HouseInfo, party: str) -> Client:
    seed = str(info.credentials.seed_file(party))
    return await connect_nats(info.nats_url, identity=party, seed_file=seed)
