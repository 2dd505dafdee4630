"""Hours of trouble in minutes: anything may die or stand still, again and again.

FAULT_SEEDS names the dice, separated by commas; the same dice choose the same faults and reports.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest
import uvloop

from deploy.ports import free_ports
from tests.faults.faults import Fault, kill, pause
from tests.journey.driver import Chronicle
from tests.journey.house import SERVERS, SERVICES, House, running
from tests.journey.playing import Pace, journey

PERIODS = 16
QUIET = 0.25
"""How often a period passes without any fault."""
PERIOD_SECONDS = (0.5, 3.0)
LONGEST_PAUSE = 6.0
PACE = Pace(reports=120, every=0.5, think=0.5)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def test_whatever_dies_nothing_is_lost_and_nothing_doubled(seed: int, chronicle: Chronicle) -> None:
    with running(*free_ports(1)) as house:
        faults = trouble(Random(seed))
        way = journey(house, chronicle, f"long{seed}", PACE, seed=seed, faults=faults)
        left = uvloop.run(way)
        assert left.broken() == []
        assert left.reports >= PACE.reports
        assert left.reconnects > 0
        assert left.unknown > 0
        assert sum(left.again.values()) > 0


def trouble(dice: Random) -> Fault:
    """Periods of faults and of quiet, as the dice fall; the worst comes once for certain."""

    async def supervisor_killed(house: House) -> None:
        await asyncio.to_thread(house.kill_and_start_again)

    async def everything(house: House) -> None:
        worst = [kill(*SERVICES), kill(*SERVERS), supervisor_killed]
        drawn = [_fault(dice) for _ in range(PERIODS)]
        for fault in dice.sample([*drawn, *worst], len(drawn) + len(worst)):
            await asyncio.sleep(dice.uniform(*PERIOD_SECONDS))
            await fault(house)

    return everything


def _fault(dice: Random) -> Fault:
    if dice.random() < QUIET:
        return _peace
    parts = (*SERVERS, *SERVICES)
    some = dice.sample(parts, dice.choice((1, 1, 1, 2, 3)))
    return dice.choice((kill(*some), pause(dice.uniform(1, LONGEST_PAUSE), *some)))


async def _peace(_: House) -> None:
    """Nothing happens: the house may catch up."""
