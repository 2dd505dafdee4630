"""The whole loop while its processes are killed and paused: the same laws hold.

Each journey begins where the one before has left the same house; the oracle judges all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
import uvloop

from tests.faults.faults import kill, one_after_the_other, pause
from tests.journey.driver import Chronicle
from tests.journey.house import SERVICES, House, running
from tests.journey.laws import broken
from tests.journey.playing import ACK_WAIT, HOOKED, Pace, Recording, journey
from tests.journey.scenario import Share

SEED = 20260522
PACES = [Pace(reports=24, every=0.2, think=0.3, share=Share(n, 3)) for n in range(3)]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """One house, which goes through all of it."""
    with running() as house:
        yield house


@pytest.fixture(scope="module")
def chronicle() -> Chronicle:
    """What is known of it from outside."""
    return Chronicle(HOOKED)


def test_every_service_is_killed_while_at_work(house: House, chronicle: Chronicle) -> None:
    dice = Random(SEED)
    first, *others = dice.sample(SERVICES, len(SERVICES))
    deaths = [kill(first), kill(*others[:2]), kill(*others[2:])]
    faults = one_after_the_other(deaths, dice, rest=(0.5, 1.5))
    left = uvloop.run(journey(house, chronicle, "killed", PACES[0], seed=SEED, faults=faults))
    hold_all_laws(left)
    assert sum(left.again.values()) > 0, "no death hit a reaction at work"


def test_servers_are_killed_while_at_work(house: House, chronicle: Chronicle) -> None:
    deaths = [kill("nats"), kill("postgres"), kill("nats", "postgres")]
    faults = one_after_the_other(deaths, Random(SEED), rest=(0.5, 1.5))
    left = uvloop.run(journey(house, chronicle, "servers", PACES[1], seed=SEED + 1, faults=faults))
    hold_all_laws(left)
    assert left.reconnects > 0, "nobody noticed that the server was gone"


def test_services_that_stand_still_are_told_again(house: House, chronicle: Chronicle) -> None:
    pauses = [pause(1.5 * ACK_WAIT, "router"), pause(1.5 * ACK_WAIT, "points", "notify")]
    faults = one_after_the_other(pauses, Random(SEED), rest=(0.2, 0.5))
    left = uvloop.run(journey(house, chronicle, "paused", PACES[2], seed=SEED + 2, faults=faults))
    hold_all_laws(left)
    assert left.again["router-on-report"] + left.again["router-work-orders"] > 0
    assert left.again["notify-outbox"] > 0


def hold_all_laws(left: Recording) -> None:
    assert broken(left.evidence) == []
    assert left.differences == []
