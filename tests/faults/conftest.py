"""What the runs came to, told at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.surviving import Figures
from tests.journey.driver import Chronicle
from tests.journey.journal import Journal
from tests.journey.playing import HOOKED

SEEDS = [int(seed) for seed in os.environ.get("FAULT_SEEDS", "1,2,3").split(",")]
"""FAULT_SEEDS names the dice, separated by commas; the same dice choose the same faults."""
REPORT = os.environ.get("FAULT_REPORT")
"""FAULT_REPORT names a file that gets one JSON document for each run."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", SEEDS)


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    """What is known of a house from outside, kept on the disk, apart from the house."""
    return Chronicle(HOOKED, journal=Journal(tmp_path / "history.jsonl"))


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[Figures], None]:
    """Tell what a run came to."""

    def tell(figures: Figures) -> None:
        line = json.dumps(asdict(figures), ensure_ascii=False)
        record_property("figures", line)
        if REPORT:
            with Path(REPORT).open("a") as file:
                file.write(line + "\n")

    return tell
