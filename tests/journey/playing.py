"""One journey from its first report to the evidence, with what befalls the house meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from cli.story import authored
from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook
from eventlog.tasks import end
from tests.journey import quiet, reading, rebuilds
from tests.journey.crew import open_crew
from tests.journey.driver import Chronicle, Driver
from tests.journey.evidence import Evidence
from tests.journey.history import unknown_tries
from tests.journey.house import House
from tests.journey.laws import broken
from tests.journey.scenario import ALL, Share, scenario
from tests.journey.witness import Read, Witness
from tests.notify.receiver import SECRET, receiving

BOOK = Rulebook.model_validate(load_rulebook())
HOOKED = BOOK.platforms[0].code
ACK_WAIT = 2.0
"""Seconds until an unanswered delivery is made again, in a journey."""
MOODS = [204, 500, 204, 204, 503, 204]
"""What a receiver of webhooks answers first; the last stays."""
READS = 3
"""How many reads of a journey are compared with what the log gives."""
Faults = Callable[[House], Awaitable[None]]
"""What befalls a house while a journey is under way."""


@dataclass(frozen=True)
class Pace:
    """How a journey is played."""

    reports: int
    """At least so many; more for as long as faults go on."""
    every: float = 0.0
    """Seconds between two reports."""
    think: float = 0.0
    """The longest that anybody waits before acting."""
    at_once: int = 12
    share: Share = ALL
    """Of the story: journeys in one house take different ones."""


@dataclass(frozen=True)
class Recording:
    """What a journey left behind."""

    evidence: Evidence
    """Of the house, earlier journeys in it included."""
    differences: list[str]
    """Between the projections and their rebuilds."""
    misread: list[str]
    """Reads made meanwhile that the log does not give at the sequence they claimed."""
    unbalanced: list[str]
    """What the check of the ledger finds."""
    reports: int
    again: dict[str, int]
    """How often each reaction heard a fact again."""
    acknowledged: int
    """How many operations were told where they stand in the log."""
    unknown: int
    """How often a sender could not be told what had become of a command."""
    reconnects: int
    seconds_to_heal: float

    def broken(self) -> list[str]:
        """What breaks which assertion of the oracle; empty when all hold."""
        return [
            *broken(self.evidence),
            *(f"A5 {what}" for what in self.misread),
            *(f"A7 {what}" for what in self.differences),
            *(f"A8 {what}" for what in self.unbalanced),
        ]


async def journey(
    house: House,
    chronicle: Chronicle,
    name: str,
    pace: Pace,
    *,
    seed: int,
    faults: Faults | None = None,
) -> Recording:
    """Play, let the house come to rest, and read everything."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    story = scenario(name, BOOK, seed=seed, on=yesterday, share=pace.share)
    unknown_before = unknown_tries(chronicle.history)
    async with open_crew(house, BOOK, chronicle.orders) as crew, _webhook(chronicle) as url:
        await quiet.hurry(crew, ACK_WAIT)
        await quiet.quiet(crew)
        before = await quiet.deliveries(crew)
        driver = Driver(crew, chronicle, story, seed)
        await driver.introduce(authored.riders(), url, SECRET)
        witness = Witness(Random(seed))
        watching = asyncio.create_task(witness.watch(crew))
        played = await _with_faults(driver, pace, house, faults)
        await end(watching)
        await quiet.hurry(crew, ACK_WAIT)  # a house that was started again has its own ideas
        healed = await quiet.quiet(crew)
        await witness.seal(crew)
        chronicle.roots += witness.roots
        return Recording(
            evidence=await reading.evidence(crew, chronicle),
            differences=await rebuilds.differences(crew, bool(chronicle.planted)),
            unbalanced=[] if chronicle.planted else await rebuilds.unbalanced(crew),
            misread=await rebuilds.not_as_read(crew, sample(witness, chronicle)),
            reports=played,
            acknowledged=sum(op.recorded is not None for op in chronicle.history),
            again=(await quiet.deliveries(crew)).again_since(before),
            unknown=unknown_tries(chronicle.history) - unknown_before,
            reconnects=crew.reconnects,
            seconds_to_heal=healed,
        )


def sample(witness: Witness, chronicle: Chronicle) -> list[Read]:
    """The first read, and others that the dice choose; none where the log holds what is no fact."""
    if chronicle.planted or not witness.reads:
        return []
    first, *others = witness.reads
    return [first, *witness.dice.sample(others, min(READS - 1, len(others)))]


async def _with_faults(driver: Driver, pace: Pace, house: House, faults: Faults | None) -> int:
    over = asyncio.Event()

    async def befall() -> None:
        if faults is not None:
            await faults(house)
        over.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(befall())
        playing = group.create_task(
            driver.play(
                pace.reports,
                until=over,
                at_once=pace.at_once,
                every=pace.every,
                think=pace.think,
            )
        )
    return playing.result()


@asynccontextmanager
async def _webhook(chronicle: Chronicle) -> AsyncIterator[str]:
    """The address of a receiver; what it verifies is written down."""
    async with receiving(*MOODS) as receiver:
        receiver.ids = chronicle.posted
        yield receiver.url
