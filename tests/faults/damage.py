"""Files that are not what was written, and backups that are older than what they belong to.

Each is done while the house is down. Then it must start and be right, or say what is wrong and
take nothing; the oracle sees to the first, the second is insisted on where facts are gone.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import asyncpg

from deploy.house import parties
from deploy.nats_server import NatsServer
from deploy.permissions import HOUSE
from deploy.ports import free_ports
from eventlog.connect import connect_nats
from tests.faults.disks import kill_everything
from tests.faults.fault import Fault
from tests.faults.stand import Stand, on_its_own
from tests.journey.house import NotStarted
from tests.journey.playing import BOOK

LOG = f"nats/store/jetstream/{HOUSE}/streams/LOG"
"""The stream alone: what waits in the inboxes meanwhile is none of its business."""
SAYS_LOST = "the log has lost facts"
PLAY = 1.5
"""Seconds between a backup and what happens next."""


class Damaged(Fault):
    """The house is down, something happens to the files of one server, the house is started."""

    number = "F9"
    stand = staticmethod(on_its_own)
    files = LOG
    """What is hurt, in the folder of the house."""
    refused: str | None = None
    """What must be said, where the house must not start; None where either will do."""
    _runs = False

    def hurt(self, files: Path, dice: Random) -> None:
        """What becomes of the server's files."""
        raise NotImplementedError

    async def act(self, stand: Stand, dice: Random) -> None:
        self._whole = stand.folder.parent / "whole"
        await self.take_down(stand)
        files = stand.folder / self.files
        await asyncio.to_thread(shutil.copytree, files, self._whole, symlinks=True)
        await asyncio.to_thread(self.hurt, files, dice)
        await self.try_it(stand)

    async def take_down(self, stand: Stand) -> None:
        """How the house went down."""
        await kill_everything(stand)

    async def try_it(self, stand: Stand) -> None:
        """Start the house on what there is.

        Where it must not start, at another port: nobody else is to see what it would serve.
        """
        port = stand.house.port
        if self.refused is not None:
            (stand.house.port,) = free_ports(1)
        said = await self._refusal(stand)
        stand.house.port = port
        self._runs = said is None
        self.effects["went on" if self._runs else "refused"] = 1
        if self.refused is not None:
            assert self.refused in (said or "it started, and served"), said

    async def _refusal(self, stand: Stand) -> str | None:
        try:
            await stand.start()
        except NotStarted as refusal:
            return str(refusal)
        return None

    async def heal(self, stand: Stand) -> None:
        if not self._runs:
            await self.restore(stand)
            await stand.start()

    async def restore(self, stand: Stand) -> None:
        """Put the files back as they were."""
        await asyncio.to_thread(put, self._whole, stand.folder / self.files)


class BitFlippedInTheLog(Damaged):
    """One bit, in the middle of what is stored."""

    refused = SAYS_LOST

    def hurt(self, files: Path, dice: Random) -> None:
        flip(newest(files, "msgs/*.blk"), 0.5)


class LogCutShort(Damaged):
    """The file ends in the middle."""

    refused = SAYS_LOST

    def hurt(self, files: Path, dice: Random) -> None:
        block = newest(files, "msgs/*.blk")
        block.write_bytes(block.read_bytes()[: block.stat().st_size // 2])


class LogDeleted(Damaged):
    """The file is gone."""

    refused = SAYS_LOST

    def hurt(self, files: Path, dice: Random) -> None:
        newest(files, "msgs/*.blk").unlink()


class IndexDamaged(Damaged):
    """The server's notes on what stands where; it can make them anew."""

    def hurt(self, files: Path, dice: Random) -> None:
        flip(newest(files, "msgs/index.db"), dice.random())

    async def take_down(self, stand: Stand) -> None:
        await stand.stop()  # only then there is an index


class DescriptionDamaged(Damaged):
    """What says which stream this is."""

    def hurt(self, files: Path, dice: Random) -> None:
        flip(newest(files, "meta.inf"), 0.5)


class ConsumerStateDamaged(Damaged):
    """How far a reaction has heard: it hears more again, or as much as it must."""

    def hurt(self, files: Path, dice: Random) -> None:
        flip(newest(files, "obs/router-on-report/o.dat"), 0.5)


class BitFlippedInTheCheckpoint(Damaged):
    """In the page that says how far a table was folded."""

    files = "postgres"
    refused = "the database cannot read what it has stored"

    async def arrange(self, stand: Stand) -> None:
        connection = await asyncpg.connect(stand.house.info.rebuild_url)
        try:
            await connection.execute("CHECKPOINT")
        except asyncpg.InsufficientPrivilegeError:
            pass  # a shutdown in order writes every page too
        path = await connection.fetchval("SELECT pg_relation_filepath('points.checkpoint')")
        self._page = f"data/{path}"
        await connection.close()

    async def take_down(self, stand: Stand) -> None:
        await stand.stop()

    def hurt(self, files: Path, dice: Random) -> None:
        flip(files / self._page, 0.99)


class TablesOlderThanTheLog(Damaged):
    """A backup of the database is put back: its tables fold what they have not heard."""

    number = "F20"
    files = "postgres"

    async def act(self, stand: Stand, dice: Random) -> None:
        await swapped(self, stand, PLAY, then=lambda: None)
        self.effects["went on"] = 1

    async def heal(self, stand: Stand) -> None:
        await stand.start()


class LogOlderThanTheTables(Damaged):
    """A backup of the log is put back: nobody may work on it."""

    number = "F20"
    refused = SAYS_LOST

    async def act(self, stand: Stand, dice: Random) -> None:
        self._whole = stand.folder.parent / "whole"
        files = stand.folder / self.files
        await swapped(
            self, stand, PLAY, then=lambda: shutil.copytree(files, self._whole, symlinks=True)
        )
        await self.befriend(stand)
        await self.try_it(stand)

    async def befriend(self, stand: Stand) -> None:
        """What happens to the old log before the house is started on it."""


class SequencesGivenOutAgain(LogOlderThanTheTables):
    """The same, and somebody writes to it, until its end is past what the tables have folded."""

    number = "F21"

    async def befriend(self, stand: Stand) -> None:
        users = stand.house.info.credentials.users(parties(BOOK))
        async with NatsServer(stand.folder, users) as server:
            seed = str(stand.house.info.credentials.seed_file("intake"))
            nc = await connect_nats(server.url, identity="intake", seed_file=seed)
            js = nc.jetstream(timeout=5)
            for number in range(MORE):
                await js.publish(f"log.report.other-{number}", b"{}", stream="LOG")
            self.effects["given out again"] = MORE
            await nc.close()


MORE = 600


async def swapped(fault: Damaged, stand: Stand, seconds: float, then: Callable[[], object]) -> None:
    """Copy the files of the server, live on for a while, and put the copy in their place."""
    files, old = stand.folder / fault.files, stand.folder.parent / "old"
    await stand.stop()
    await asyncio.to_thread(shutil.copytree, files, old, symlinks=True)
    await stand.start()
    await asyncio.sleep(seconds)
    await stand.stop()
    await asyncio.to_thread(then)
    await asyncio.to_thread(put, old, files)


def put(copy: Path, place: Path) -> None:
    """A copy in the place of what is there, owned as that was."""
    owner = place.stat()
    shutil.rmtree(place)
    shutil.copytree(copy, place, symlinks=True)
    for path in (place, *place.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    shutil.rmtree(copy)


def newest(files: Path, pattern: str) -> Path:
    """The file that was written last."""
    return max(files.glob(pattern), key=lambda file: file.stat().st_mtime_ns)


def flip(file: Path, where: float) -> None:
    """Flip one bit at this part of a file's length."""
    data = bytearray(file.read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    file.write_bytes(bytes(data))
