"""The worker of the documentation, as a department would run it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.house import running_house
from eventlog.connect import connect_nats
from tests.cli.test_verbs import step_of, submitted
from tests.cli.waggle import Waggle
from tests.houses import PATIENCE

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "department.py"
UNIT = "welfare"


@contextmanager
def worker(house: Path) -> Iterator[subprocess.Popen[str]]:
    info = running_house(house)
    assert info is not None
    seed = str(info.credentials.seed_file(UNIT))
    words = [sys.executable, str(EXAMPLE), info.nats_url, UNIT, seed]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=PATIENCE)


def line_about(case: str, running: subprocess.Popen[str]) -> str:
    """What the worker says of a case; orders of other tests may come before."""
    assert running.stdout is not None
    return next(line for line in running.stdout if case in line)


def test_the_example_takes_orders_and_accepts_them(waggle: Waggle, living_house: Path) -> None:
    with worker(living_house) as running:
        case = submitted(waggle)
        waggle.json("dispatch", case, UNIT)
        assert line_about(case, running).split()[0] == "handle"
        step_of(waggle, case, "handling")


def test_two_workers_share_the_orders(waggle: Waggle, living_house: Path) -> None:
    cases = [submitted(waggle) for _ in range(4)]
    with worker(living_house), worker(living_house):
        for case in cases:
            waggle.json("dispatch", case, UNIT)
        for case in cases:
            step_of(waggle, case, "handling")
    assert waggle.json("work", UNIT, "--take", "9")["taken"] == []


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_order_that_a_lost_worker_had_comes_to_another_one(
    waggle: Waggle, living_house: Path
) -> None:
    case = submitted(waggle)
    waggle.json("dispatch", case, UNIT)
    asyncio.run(taken_and_lost(living_house, case))
    with worker(living_house) as running:
        assert line_about(case, running)


async def taken_and_lost(house: Path, case: str) -> None:
    """Take the order and die with it: nothing is acknowledged."""
    info = running_house(house)
    assert info is not None
    seed = str(info.credentials.seed_file(UNIT))
    nc = await connect_nats(info.nats_url, identity=UNIT, seed_file=seed)
    queue = await nc.jetstream().pull_subscribe_bind(durable=UNIT, stream="WORK")
    while case.encode() not in (await queue.fetch(1, timeout=PATIENCE))[0].data:
        pass
    await nc.close()


def test_the_example_is_as_short_as_it_is_said_to_be() -> None:
    code = EXAMPLE.read_text("utf-8").split('"""', 2)[2]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 40
