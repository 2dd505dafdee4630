"""Folders of our own: pytest closes its own to other users, and PostgreSQL may run as one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def house() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="waggle-house-"))
    yield folder
    shutil.rmtree(folder)
