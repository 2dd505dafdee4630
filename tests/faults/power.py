"""The power fails, a write is torn, the disk is full."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from deploy import health
from tests.faults.disks import DiskStand, kill_everything, on_a_power_disk, on_a_small_disk
from tests.faults.fault import Fault
from tests.faults.stand import Stand

BLOCKS = "nats/store/jetstream/*/streams/LOG/msgs/*.blk"
LEFT_FREE = 4096


class PowerCut(Fault):
    """Everything is killed at the moment at which the disk forgets what was not synced."""

    number = "F7"
    stand = staticmethod(on_a_power_disk)

    async def act(self, stand: Stand, dice: Random) -> None:
        assert isinstance(stand, DiskStand)
        disk = stand.disk
        assert disk is not None
        before: dict[Path, int] = {}

        def lose_power() -> None:
            before.update(disk.sizes())
            disk.lose_power()

        await kill_everything(stand, lose_power)
        await asyncio.to_thread(disk.return_power)
        after = disk.sizes()
        self.effects["files that lost something"] = sum(
            after.get(file, -1) < size for file, size in before.items()
        )
        await asyncio.to_thread(self.hurt, stand.folder, dice)

    def hurt(self, folder: Path, dice: Random) -> None:
        """What else became of the files while the power went."""

    async def heal(self, stand: Stand) -> None:
        await stand.start()


class TornWrite(PowerCut):
    """Of the write that was under way to the log, a part of random length arrived."""

    number = "F8"

    def hurt(self, folder: Path, dice: Random) -> None:
        newest = max(folder.glob(BLOCKS), key=lambda block: int(block.stem))
        block = newest.read_bytes()
        like = block[: dice.randint(8, min(400, len(block) - 1))]
        with newest.open("ab") as file:
            file.write(like)
        self.effects["bytes of a torn write"] = len(like)


class DiskFull(Fault):
    """Log, tables and service logs share a disk, and something has filled it to the last byte.

    The server says so at its health address and takes nothing more until it is started again.
    """

    number = "F10"
    stand = staticmethod(on_a_small_disk)

    async def act(self, stand: Stand, dice: Random) -> None:
        self._ballast = stand.folder / "ballast"
        await asyncio.to_thread(self._fill)
        self.effects["readiness is red"] = 0
        async with asyncio.timeout(60):
            while (await stand.ready("intake"))[0]:
                await asyncio.to_thread(self._fill)
                await asyncio.sleep(0.1)
        self.effects["readiness is red"] = 1
        await asyncio.sleep(dice.uniform(0.5, 1.5))

    async def heal(self, stand: Stand) -> None:
        self._ballast.unlink()
        await stand.stop()
        await stand.start()
        assert await health.is_healthy(f"{stand.house.info.monitor_url}/healthz")

    def _fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1024 * 1024, LEFT_FREE, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue  # no room for so much more
