"""One house a data folder: a lock that the kernel gives back even after `kill -9`."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.errors import HouseRunsError

_RETRY: Final = 0.1


def lock_file(house: Path) -> Path:
    """The file that is locked while a house runs; it holds the id of who holds it."""
    return house / "run" / "lock"


@contextmanager
def house_lock(house: Path, timeout: float = 1.0) -> Iterator[None]:
    """Hold the house, or say who does. Waits up to `timeout` seconds for it to come free:
    after a crash the watchdog holds it while it stops what was left.
    """
    path = lock_file(house)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, path, time.monotonic() + timeout)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(house: Path) -> int | None:
    """The id of the process that runs a house in this folder; None if no house runs here."""
    try:
        descriptor = os.open(lock_file(house), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            except BlockingIOError:
                if who := os.pread(descriptor, 32, 0).strip():
                    return int(who)
            time.sleep(_RETRY)  # taken this moment, the id is about to be written
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                who = os.pread(descriptor, 32, 0).decode().strip()
                raise HouseRunsError(
                    f"A house runs in {path.parent.parent} already (process {who}). "
                    "Stop it, or name another folder with --data."
                ) from None
        time.sleep(_RETRY)
