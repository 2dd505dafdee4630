"""A small city on a real server: its streams, its parties, and what each hears when refused."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import nats
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError, TimeoutError  # noqa: A004 - theirs
from nats.js import JetStreamContext

from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.streams import REACTIONS, durables, streams

PATIENCE = 0.5
ROOMS = ("intake", "router", "points", "notify")
UNITS = ("sanitation", "water")
PLATFORMS = ("platform-kite", "platform-swift")
PARTIES = (
    Party("provisioner", Kind.PROVISIONER),
    *(
        Party(
            room,
            Kind.SERVICE,
            tuple(
                f"{durable.stream}.{durable.config.durable_name}"
                for durable in REACTIONS
                if str(durable.config.durable_name).startswith(f"{room}-")
            ),
        )
        for room in ROOMS
    ),
    Party("projector", Kind.PROJECTOR),
    Party("auditor", Kind.AUDITOR),
    Party("audit-office", Kind.AUDIT_OFFICE),
    *(Party(unit, Kind.UNIT) for unit in UNITS),
    *(Party(platform, Kind.PLATFORM) for platform in PLATFORMS),
    Party("officer", Kind.OFFICER),
)


@dataclass
class Visitor:
    """A connected party, and every refusal that the server told it of."""

    nc: Client
    refusals: list[str] = field(default_factory=list)

    @property
    def js(self) -> JetStreamContext:
        return self.nc.jetstream(timeout=2)

    async def is_refused(self, subject: str, payload: bytes = b"{}") -> bool:
        """Whether the server refuses a publish; it says so only in passing, never as an answer."""
        before = len(self.refusals)
        await self.nc.publish(subject, payload)
        return await self._is_told_off(subject, before)

    async def is_deaf_to(self, subject: str) -> bool:
        """Whether the server refuses a subscription."""
        before = len(self.refusals)
        await self.nc.subscribe(subject)
        return await self._is_told_off(subject, before)

    async def _is_told_off(self, subject: str, before: int) -> bool:
        await self.nc.flush()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if any(subject.lower() in refusal for refusal in self.refusals[before:]):
                return True
            await asyncio.sleep(0.002)
        return False

    async def gets_no_answer(self, subject: str, payload: bytes = b"{}") -> bool:
        """Whether a request ends without an answer: a refusal and an absent service look alike."""
        try:
            await self.nc.request(subject, payload, timeout=0.3)
        except (TimeoutError, NoRespondersError):
            return True
        return False


class City:
    """A server with everybody's credentials."""

    def __init__(self, house: Path, *, second_ack_form: bool = False) -> None:
        self.credentials = Credentials(house)
        extra = {"feature_flags": {"js_ack_fc_v2": True}} if second_ack_form else {}
        self.server = NatsServer(house, self.credentials.users(PARTIES), extra=extra)
        self._visitors: list[Visitor] = []

    async def __aenter__(self) -> Self:
        await self.server.start()
        provisioner = (await self.visitor("provisioner")).js
        await asyncio.gather(*map(provisioner.add_stream, streams()))
        await asyncio.gather(
            *(
                provisioner.add_consumer(durable.stream, durable.config)
                for durable in durables(UNITS, PLATFORMS)
            )
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.empty()
        await self.server.stop()

    async def empty(self) -> None:
        """Send every visitor home."""
        while self._visitors:
            await self._visitors.pop().nc.close()

    async def visitor(self, name: str) -> Visitor:
        """Somebody, connected with their own key and inbox."""
        refusals: list[str] = []

        async def note(error: Exception) -> None:
            if isinstance(error, Error) and "permissions violation" in str(error).lower():
                refusals.append(str(error))

        visitor = Visitor(
            await nats.connect(
                self.server.url,
                nkeys_seed=str(self.credentials.seed_file(name)),
                inbox_prefix=f"_INBOX_{name}",
                error_cb=note,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.05,
            ),
            refusals,
        )
        self._visitors.append(visitor)
        return visitor

    async def stored(self, stream: str) -> int:
        """How many messages a stream holds."""
        provisioner = (await self.visitor("provisioner")).js
        return (await provisioner.stream_info(stream)).state.messages

    async def waiting(self, stream: str, durable: str) -> tuple[int, int]:
        """What a consumer has yet to deliver, and what it delivered and hears nothing of."""
        provisioner = (await self.visitor("provisioner")).js
        info = await provisioner.consumer_info(stream, durable)
        return info.num_pending or 0, info.num_ack_pending or 0
