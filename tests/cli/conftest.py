"""What every test of this folder may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.waggle import Waggle


@pytest.fixture(scope="session")
def waggle(living_house: Path) -> Waggle:
    """The command, talking to a house that runs."""
    return Waggle(living_house)
