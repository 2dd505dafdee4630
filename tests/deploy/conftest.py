"""What every test of this folder may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.folders import empty_house


@pytest.fixture
def house() -> Iterator[Path]:
    """An empty data folder."""
    with empty_house() as folder:
        yield folder
