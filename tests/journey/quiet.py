"""Waiting until a house has nothing more to do, and knowing that it has not."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from time import monotonic

import asyncpg
import nats.errors
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from contracts.envelope import Outcome
from contracts.party import PartyKind, RegisterParty
from deploy.house import AUDITOR
from deploy.projections import PROJECTIONS
from deploy.provision import PROVISIONER
from deploy.streams import REACTIONS, Durable, work_queue
from eventlog.asking import ask
from eventlog.connect import connect_postgres
from eventlog.project import position
from eventlog.read import head
from tests.journey.crew import Crew

HEALED_WITHIN = 60.0
"""Seconds after which a house that is healed has no backlog any more."""
POLL = 0.1
BARRIER = "barrier"


class Restless(AssertionError):
    """The house does not come to rest: what it still has to do."""


async def quiet(crew: Crew, within: float = HEALED_WITHIN) -> float:
    """Until every fact has had its effects; how many seconds that took. Raises `Restless`.

    Two barriers that stand side by side in the log, twice in a row, show that nobody writes;
    every consumer and every projection at the end of the log, that nobody has anything to react
    to.
    """
    began = monotonic()
    still = 0
    while still < 2:
        if monotonic() - began > within:
            raise Restless(f"after {within:g} s: {await unrest(crew)}")
        if await unrest(crew):
            still = 0
            await asyncio.sleep(POLL)
            continue
        first, second = await _barrier(crew), await _barrier(crew)
        still = still + 1 if second == first + 1 else 0
    return monotonic() - began


async def unrest(crew: Crew) -> list[str]:
    """What the house still has to do."""
    js = crew.clients[PROVISIONER].jetstream(timeout=5)
    try:
        busy = [what for durable in _durables(crew) if (what := await _backlog(js, durable))]
        return busy + await _behind(crew)
    except (nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return [f"not healed yet: {error!r}"]


async def _backlog(js: JetStreamContext, durable: Durable) -> str | None:
    """What a consumer has not delivered, or what was not acknowledged.

    An order may be held for as long as its unit likes.
    """
    name = durable.config.durable_name or ""
    info = await js.consumer_info(durable.stream, name)
    unanswered = 0 if durable.stream == "WORK" else info.num_ack_pending
    if info.num_pending or unanswered:
        return f"{name}: {info.num_pending} to deliver, {unanswered} unanswered"
    return None


async def _behind(crew: Crew) -> list[str]:
    js = crew.clients[AUDITOR].jetstream(timeout=5)
    pool = await connect_postgres(crew.info.database_url)
    try:
        return [
            f"projection {projection.name}: at {there} of {last}"
            for projection in PROJECTIONS
            if (there := await position(pool, projection.name))
            != (last := await head(js, projection.subjects))
        ]
    finally:
        await pool.close()


async def _barrier(crew: Crew) -> int:
    """A fact that nobody reacts to; its sequence."""
    mark = RegisterParty(party_id=BARRIER, kind=PartyKind.OFFICER)
    barrier_id = f"{BARRIER}-{secrets.token_hex(8)}"
    answer, _ = await ask(crew.clients[PROVISIONER], PROVISIONER, mark, barrier_id)
    assert answer.outcome is Outcome.ACCEPTED, answer
    assert answer.sequence is not None
    return answer.sequence


def _durables(crew: Crew) -> list[Durable]:
    return [*REACTIONS, *(work_queue(unit.code) for unit in crew.book.units)]


@dataclass(frozen=True)
class Deliveries:
    """How many deliveries each durable of the log has made, and of how many facts."""

    made: dict[str, int]
    facts: dict[str, int]

    def again_since(self, before: Deliveries) -> dict[str, int]:
        """How often each delivered something again since then."""
        return {
            name: (self.made[name] - before.made[name]) - (self.facts[name] - before.facts[name])
            for name in self.made
        }


async def deliveries(crew: Crew) -> Deliveries:
    """As the server counts them. In between, the house must be quiet."""
    js = crew.clients[PROVISIONER].jetstream(timeout=5)
    made, facts = {}, {}
    for durable in REACTIONS:
        if durable.stream == "LOG":
            name = durable.config.durable_name or ""
            info = await js.consumer_info(durable.stream, name)
            made[name] = info.delivered.consumer_seq if info.delivered else 0
            facts[name] = await _facts(js, info)
    return Deliveries(made, facts)


async def _facts(js: JetStreamContext, info: ConsumerInfo) -> int:
    """How many facts stand on the subjects that a consumer hears."""
    subjects = info.config.filter_subjects or [info.config.filter_subject or ">"]
    return sum([await _count(js, subject) for subject in subjects])


async def _count(js: JetStreamContext, subject: str) -> int:
    info = await js.stream_info("LOG", subjects_filter=subject)
    return sum((info.state.subjects or {}).values())


async def hurry(crew: Crew, ack_wait: float) -> None:
    """Let deliveries that nobody answers be made again soon, so that a journey heals in seconds."""
    js = crew.clients[PROVISIONER].jetstream(timeout=5)
    for durable in REACTIONS:
        await js.add_consumer(durable.stream, durable.config.evolve(ack_wait=ack_wait))
