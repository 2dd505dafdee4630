"""Notify's subscribers: each channel is a reaction of its own and tries again by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import Final

import uvloop
from nats.aio.msg import Msg

from contracts.envelope import Recorded
from contracts.notice import Channel, Notice
from contracts.party import PartyRegistered
from contracts.rulebook import NONE_PUBLISHED, Published, gathered, in_force
from eventlog.deliveries import Later, NotReady
from eventlog.execute import Execution
from eventlog.logs import set_up_logs
from eventlog.message import LOG
from eventlog.read import recorded_from
from eventlog.receiving import reacting
from eventlog.sealing import unseal
from eventlog.service import Service
from eventlog.settings import Settings
from eventlog.standing import Standing
from services.notify import directory, reactions
from services.notify.channels import OUTBOX, Outbox, Webhook
from services.notify.decider import NOTICE, State
from services.notify.delivery import RETRY_DELAYS, Again, Outcome, settled
from services.notify.directory import NOBODY, Directory

ROOM: Final = "notify"
DICE: Final = SystemRandom()

Send = Callable[[Notice], Awaitable[Outcome | None]]
"""Tries once; None where the receiver is not told on this channel."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Writes the notices of a fact, has them sent, and records what became of each."""

    service: Service
    published: Standing[Published]
    parties: Standing[Directory]
    told: Execution[State, None]
    webhook: Webhook

    async def carry(self, raw: Msg, channel: Channel, send: Send) -> None:
        """Bring each notice of a fact to its end on a channel, or ask for another try."""
        fact, attempt = recorded_from(raw), raw.metadata.num_delivered
        waits: list[float] = []
        for notice in self._notices(fact, channel):
            if attempt > 1 and await self._is_settled(notice, channel):
                continue
            outcome = await send(notice)
            if outcome is None:
                continue
            delays = self.service.settings.notice_retry_delays or RETRY_DELAYS
            next_step = settled(
                notice, channel, outcome, attempt=attempt, jitter=DICE.random(), delays=delays
            )
            if isinstance(next_step, Again):
                waits.append(next_step.seconds)
            else:
                issued = reacting(fact, next_step, room=ROOM, name=f"{channel}-{attempt}")
                await self.told.carry_out(issued, notice.notice_id, None, likely_new=attempt == 1)
        if waits:
            raise Later(min(waits))

    async def post(self, notice: Notice) -> Outcome | None:
        """Post a notice to the receiver's address, where there is one."""
        listing = self.parties.value.listing_of(notice.receiver)
        for party in await unseal([listing], self.service.keys) if listing else ():
            if isinstance(party, PartyRegistered) and (address := directory.address_in(party)):
                return await self.webhook.send(notice, address)
        return None

    def _notices(self, fact: Recorded, channel: Channel) -> tuple[Notice, ...]:
        rules, parties = in_force(self.published.value, fact.happened_at), self.parties.value
        if channel is Channel.WEBHOOK:
            found = reactions.notices(fact, parties, rules, parties.is_posted_to)
        else:
            found = reactions.notices(fact, parties, rules)
        if found and rules is None:
            raise NotReady(f"no rulebook is in force at {fact.happened_at.isoformat()}")
        return found

    async def _is_settled(self, notice: Notice, channel: Channel) -> bool:
        state = await self.told.state(notice.notice_id)
        return channel in state.delivered | state.parked


async def wire(service: Service, outbox: Outbox, webhook: Webhook) -> None:
    """Subscribe to what notify carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    parties = await service.standing(("log.party.>",), NOBODY, directory.gathered)
    desk = Desk(service, published, parties, service.execution(NOTICE), webhook)

    @service.deliveries("outbox", LOG, *reactions.HEARS)
    async def to_outbox(raw: Msg) -> None:
        await desk.carry(raw, Channel.OUTBOX, outbox.send)

    @service.deliveries("webhook", LOG, *reactions.HEARS)
    async def to_webhook(raw: Msg) -> None:
        await desk.carry(raw, Channel.WEBHOOK, desk.post)


async def main() -> None:
    """Run notify until it is told to stop; what is being sent is finished first."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with (
        Webhook(allow_private=settings.allow_private_webhooks) as webhook,
        Service.open(ROOM, settings) as service,
    ):
        outbox = Outbox(await service.appender_for(OUTBOX))
        await wire(service, outbox, webhook)
        await service.run()


if __name__ == "__main__":
    uvloop.run(main())
