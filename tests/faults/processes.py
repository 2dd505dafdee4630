"""Processes of a house that die, or stand still."""

from __future__ import annotations

import asyncio
from random import Random

from tests.faults.fault import Fault
from tests.faults.faults import killed, paused
from tests.faults.stand import Stand, on_its_own
from tests.journey.house import SERVICES
from tests.journey.playing import ACK_WAIT


class EveryServiceKilled(Fault):
    """kill -9 of every service, some of them at the same moment, while they are at work."""

    number = "F1"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        first, *others = dice.sample(SERVICES, len(SERVICES))
        for parts in ((first,), others[:2], others[2:]):
            await asyncio.sleep(dice.uniform(0.3, 1.0))
            await killed(stand.house, *parts)
            self.effects["killed"] += len(parts)


class LogServerKilled(Fault):
    """kill -9 of the one nats-server that there is."""

    number = "F3"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        await killed(stand.house, "nats")
        self.effects["killed"] += 1


class BothServersKilled(Fault):
    """kill -9 of nats-server and PostgreSQL at the same moment."""

    number = "F15"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        await killed(stand.house, "nats", "postgres")
        self.effects["killed"] += 2


class SupervisorKilled(Fault):
    """kill -9 of what keeps the house running: it is started again on what is left."""

    number = "F1"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        await asyncio.to_thread(stand.house.kill_and_start_again)
        self.effects["killed"] += 1


class RoomsPaused(Fault):
    """SIGSTOP of rooms for longer than an answer may take: what they held is given again."""

    number = "F6"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        await paused(stand.house, 1.5 * ACK_WAIT, "router", "points", "notify")
        self.effects["paused"] += 3
