"""Where test houses stand.

Not in pytest's own folders: those are closed to other users, and PostgreSQL may run as one. In
memory where there is room, since nothing here cuts the power: there a sync costs nothing, however
busy the disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 2 * 1024**3
MEMORY = Path("/dev/shm")


@contextmanager
def empty_house() -> Iterator[Path]:
    """A folder of its own for one house, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="waggle-house-", dir=roomy()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def roomy() -> Path | None:
    """The folder in memory, where there is one with room enough."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return MEMORY
