"""Disks that lose power, and disks that are full. Both take the right to mount.

The power cut is that of a real file system: ext4 in an image of its own is shut down without its
journal being flushed, as its own tests do it. What was not synced is gone; what was is there.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import os
import shutil
import signal
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.deploy.folders import roomy
from tests.faults.stand import Stand, on_its_own
from tests.journey.house import gone

MIB = 1024**2
SHUTDOWN = 0x8004587D
"""FS_IOC_SHUTDOWN of linux/fs.h."""
WITHOUT_FLUSH = 2
IMAGE = 600 * MIB
SMALL = 260 * MIB


@dataclass
class Disk:
    """A file system in an image: `lose_power` forgets what was not synced."""

    image: Path
    folder: Path

    def lose_power(self) -> None:
        """At once: whatever is written from now on fails."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def return_power(self) -> None:
        """Mount what is left."""
        _run("umount", self.folder)
        self.mount()

    def mount(self) -> None:
        """Let the folder show what the image holds."""
        _run("mount", "-o", "loop", self.image, self.folder)

    def sizes(self) -> dict[Path, int]:
        """Every file, and how long it is."""
        return {
            Path(folder, name): Path(folder, name).stat().st_size
            for folder, _, names in os.walk(self.folder)
            for name in names
            if Path(folder, name).is_file()
        }


@contextmanager
def power_disk() -> Iterator[Disk]:
    """A disk whose power can be cut."""
    may_mount()
    place = Path(tempfile.mkdtemp(prefix="waggle-disk-", dir=roomy()))
    disk = Disk(place / "disk.img", place / "disk")
    disk.folder.mkdir()
    try:
        with disk.image.open("wb") as image:
            image.truncate(IMAGE)
        _run("mkfs.ext4", "-q", "-F", disk.image)
        disk.mount()
        try:
            yield disk
        finally:
            _run("umount", disk.folder)
    finally:
        shutil.rmtree(place)


@contextmanager
def small_disk() -> Iterator[Path]:
    """A folder that holds little."""
    may_mount()
    place = Path(tempfile.mkdtemp(prefix="waggle-small-"))
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=755", "tmpfs", place)
        try:
            yield place
        finally:
            _run("umount", place)
    finally:
        place.rmdir()


@dataclass
class DiskStand(Stand):
    """A house on a disk that can be hurt."""

    disk: Disk | None = None


@asynccontextmanager
async def on_a_power_disk() -> AsyncIterator[Stand]:
    """All of a house on a disk whose power can be cut."""
    with power_disk() as disk:
        async with on_its_own(disk.folder) as stand:
            yield DiskStand(stand.house, disk=disk)


@asynccontextmanager
async def on_a_small_disk() -> AsyncIterator[Stand]:
    """All of a house on a disk that is soon full."""
    with small_disk() as folder:
        async with on_its_own(folder) as stand:
            yield stand


def nothing() -> None:
    """Nothing else."""


async def kill_everything(stand: Stand, at_that_moment: Callable[[], None] = nothing) -> None:
    """Kill -9 of every process of the house, all at one moment.

    They are stopped first, so that none sees anything of what else happens at that moment: who
    loses power reads no errors from a disk that has lost it too.
    """

    def kill() -> None:
        processes: list[psutil.Process] = stand.house.processes()
        _send(processes, signal.SIGSTOP)
        at_that_moment()
        _send(processes, signal.SIGKILL)
        stand.house.kill()
        assert gone(processes) == []

    await asyncio.to_thread(kill)


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            pass  # it went with its parent


@functools.cache
def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "mounting a disk of its own takes root"
    for tool in ("mount", "umount", "mkfs.ext4"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    place = Path(tempfile.mkdtemp(prefix="waggle-try-"))
    try:
        _run("mount", "-t", "tmpfs", "tmpfs", place)
        _run("umount", place)
    except subprocess.CalledProcessError as refused:
        return f"mounting is refused here: {refused.stderr.decode().strip()}"
    finally:
        place.rmdir()
    if not any(Path("/dev").glob("loop*")):
        return "there are no loop devices here"
    return None


def may_mount() -> None:
    """Skip the test, saying why, where no disk can be mounted."""
    if reason := _why_not():
        pytest.skip(f"NOT TESTED HERE: {reason}")


def _run(*argv: object) -> None:
    subprocess.run([str(word) for word in argv], check=True, capture_output=True)
