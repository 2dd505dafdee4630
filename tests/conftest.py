"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.houses import running_house

settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("long", parent=settings.get_profile("house"), max_examples=2_000)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A verb that ran in this process may have pointed the logs at an output that is gone now."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def living_house() -> Iterator[Path]:
    """The data folder of a house that runs, one for each worker.

    It is shared: every test acts under ids of its own and counts nothing but its own.
    """
    with running_house() as folder:
        yield folder
