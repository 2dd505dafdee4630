"""A unit at work: it learns of its orders from its own queue, and from nowhere else."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from contracts.case import WorkOrder
from deploy.streams import work_queue
from eventlog.tasks import stop

SUPPORT: Final = "support"
PULL_SECONDS: Final = 10.0
PATIENCE: Final = 30.0
"""Seconds to wait for an order that must come."""


class Desk:
    """The work queue of one unit: each order is held until somebody has acted on it."""

    def __init__(self, unit: str, nc: Client) -> None:
        self.unit = unit
        self.nc = nc
        self._seen: set[str] = set()
        self._held: dict[str, Msg] = {}
        self._fresh: defaultdict[str, asyncio.Queue[WorkOrder]] = defaultdict(asyncio.Queue)

    async def order(self, case_id: str) -> WorkOrder:
        """The next order about a case, once it is there. Raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE):
            return await self._fresh[case_id].get()

    async def finish(self, order: WorkOrder) -> None:
        """Somebody has acted on the order: it leaves the queue."""
        await self._held.pop(order.order_id).ack()

    async def work(self) -> None:
        """Pull orders for ever, one at a time as they come."""
        queue = work_queue(self.unit)
        subscription = await self.nc.jetstream().pull_subscribe_bind(
            queue.config.durable_name, queue.stream
        )
        while True:
            for message in await _next(subscription):
                await self._take(message)

    async def leave(self) -> None:
        """Put what nobody has acted on back into the queue, for the next day."""
        for message in self._held.values():
            await message.nak()
        await self.nc.flush()

    async def _take(self, message: Msg) -> None:
        order = WorkOrder.model_validate_json(message.data)
        if order.kind == SUPPORT:  # who helps takes note; the story asks no more of them
            await message.ack()
            return
        self._held[order.order_id] = message  # of an order that came twice, the newest counts
        if order.order_id not in self._seen:
            self._seen.add(order.order_id)
            self._fresh[order.case_id].put_nowait(order)


async def _next(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    """The next order; none where none came for a while."""
    try:
        return await subscription.fetch(1, timeout=PULL_SECONDS)
    except TimeoutError:
        return []


@asynccontextmanager
async def open_desks(clients: Iterable[tuple[str, Client]]) -> AsyncIterator[dict[str, Desk]]:
    """Units at work, each with its own connection, for as long as they are open."""
    desks = {unit: Desk(unit, nc) for unit, nc in clients}
    async with AsyncExitStack() as stack:
        for desk in desks.values():
            working = asyncio.create_task(desk.work(), name=f"desk {desk.unit}")
            stack.push_async_callback(stop, working)
        yield desks
