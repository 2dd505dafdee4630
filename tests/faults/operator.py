"""What those who run a house may do to it by mistake."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from contracts.rulebook import Rulebook
from deploy.provision import PROVISIONER, provision_consumers, provision_streams
from eventlog.message import LOG
from tests.faults.database import server_of
from tests.faults.fault import Ear, Fault
from tests.faults.faults import come_back
from tests.faults.stand import KEYS, Stand, on_its_own
from tests.journey.crew import connected
from tests.journey.playing import BOOK

DURABLE = "points-on-case"


class DurableDeleted(Fault):
    """A reaction's consumer is gone: its room says so, and hears everything once it is back."""

    number = "F25"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        async with connected(stand.house.info, PROVISIONER) as nc:
            await nc.jetstream(timeout=5).delete_consumer(LOG, DURABLE)
        self.effects["readiness is red"] = 0
        async with asyncio.timeout(30):
            while (await stand.ready("points"))[0]:
                await asyncio.sleep(0.1)
        _, checks = await stand.ready("points")
        assert DURABLE in checks["durable_on-case"], checks
        self.effects["readiness is red"] = 1
        await asyncio.sleep(dice.uniform(0.5, 1.5))

    async def heal(self, stand: Stand) -> None:
        async with connected(stand.house.info, PROVISIONER) as nc:
            units, platforms = _names(BOOK)
            await provision_consumers(nc.jetstream(timeout=5), units, platforms)


class LogFull(Fault):
    """The log has reached its limit: commands are told to come again, until there is room."""

    number = "F25"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        ear = Ear(stand, "intake")
        self.effects["told to come again"] = 0
        async with connected(stand.house.info, PROVISIONER) as nc:
            js = nc.jetstream(timeout=5)
            there = await js.stream_info(LOG)
            await js.update_stream(there.config.evolve(max_bytes=there.state.bytes))
            async with asyncio.timeout(30):
                while not ear.count("undecided", "busy") and not ear.count("undecided", "Full"):
                    await asyncio.sleep(0.05)
        self.effects["told to come again"] = ear.count("undecided")

    async def heal(self, stand: Stand) -> None:
        async with connected(stand.house.info, PROVISIONER) as nc:
            await provision_streams(nc.jetstream(timeout=5))


class HandlerRaises(Fault):
    """A reaction meets an error that nobody expected, more than once, and then no more.

    The table of keys is away when notify begins, so that it can open no address.
    """

    number = "F2"

    async def act(self, stand: Stand, dice: Random) -> None:
        ear = Ear(stand, "notify")
        self.effects["raised"] = 0
        async with server_of(stand).admin(KEYS) as keys:
            await keys.execute("ALTER TABLE data_key RENAME TO data_key_away")
            pid = stand.house.signal("notify", signal.SIGKILL)
            try:
                async with asyncio.timeout(30):
                    while not ear.count("reaction_broke"):
                        await asyncio.sleep(0.02)
            finally:
                await keys.execute("ALTER TABLE data_key_away RENAME TO data_key")
        await come_back(stand.house, {"notify": pid})
        self.effects["raised"] = ear.count("reaction_broke")


def _names(book: Rulebook) -> tuple[list[str], list[str]]:
    return [unit.code for unit in book.units], [platform.code for platform in book.platforms]
