"""`waggle up` as a process: ready, told to stop, killed, started again on what it left."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import uvloop

from deploy import records
from deploy.house import running_house
from deploy.ports import free_ports
from tests.deploy.folders import empty_house
from tests.journey.driver import Chronicle
from tests.journey.house import SERVERS, SERVICES, House, errors_of, gone, launch, running
from tests.journey.laws import broken
from tests.journey.playing import HOOKED, Pace, journey

SEED = 20260522
PACE = Pace(reports=12, every=0.2, think=0.3)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a house may stand."""
    with empty_house() as place:
        yield place / "var"


def test_a_house_that_was_killed_starts_again_on_what_it_left_and_ends_by_ctrl_c(
    folder: Path,
) -> None:
    """SIGTERM ends every other house of these tests, which is held to the same."""
    house = House.start(folder)
    left = house.processes()
    house.kill()
    assert gone(left) == []
    house.start_again()
    processes = house.processes()
    recorded = {record.name: record.pid for record in records.read_all(folder / "run")}
    assert recorded.keys() == {*SERVERS, *SERVICES}
    assert set(recorded.values()) <= {process.pid for process in processes}
    assert house.stop(signal.SIGINT) == 0
    assert gone(processes) == []
    assert records.read_all(folder / "run") == ()
    assert running_house(folder) is None


def test_a_house_that_is_told_to_stop_while_it_starts_leaves_nothing_running(folder: Path) -> None:
    up = launch(folder)
    own = psutil.Process(up.pid)
    deadline = time.monotonic() + 60
    while not (folder / "run" / "intake.json").exists():
        assert up.poll() is None, errors_of(folder).read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    processes = [own, *own.children(recursive=True)]
    up.send_signal(signal.SIGINT)
    said, _ = up.communicate(timeout=60)
    assert (json.loads(said), up.returncode) == ({"error": "interrupted", "exit": 130}, 130)
    assert gone(processes) == []


@pytest.mark.faults
def test_a_journey_goes_on_when_the_house_was_killed_and_started_again() -> None:
    left: list[psutil.Process] = []

    async def the_supervisor_is_killed(house: House) -> None:
        await asyncio.sleep(1.5)
        left.extend(house.processes())
        await asyncio.to_thread(house.kill_and_start_again)

    with running(*free_ports(1)) as house:
        way = journey(
            house, Chronicle(HOOKED), "up", PACE, seed=SEED, faults=the_supervisor_is_killed
        )
        recording = uvloop.run(way)
        assert broken(recording.evidence) == []
        assert recording.differences == []
        assert recording.reconnects > 0
        assert len(left) > len((*SERVERS, *SERVICES))
        assert gone(left) == []
