"""What the projector does with a projection that cannot go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from deploy import projector
from eventlog.checkpoint import Stop
from eventlog.project import ProjectionRunner
from services.points.projection import POINTS


class Stumbling:
    """A runner that ends each time in the next of these ways."""

    projection = POINTS

    def __init__(self, ways: Iterator[Exception]) -> None:
        self._ways = ways
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        raise next(self._ways)


def keep(runner: Stumbling, stopped: dict[str, str]) -> Any:
    return projector.keep(cast(ProjectionRunner, runner), stopped)


async def test_one_that_breaks_is_tried_again_until_somebody_has_to_act(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projector, "BROKEN_PAUSE", 0.01)
    runner = Stumbling(iter([RuntimeError("defect"), KeyError("defect"), Stop("act first")]))
    stopped: dict[str, str] = {}
    await keep(runner, stopped)
    assert (runner.runs, stopped) == (3, {"points": "act first"})


async def test_one_that_breaks_is_not_ready_until_it_runs_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projector, "BROKEN_PAUSE", 60.0)
    stopped: dict[str, str] = {}
    keeping = asyncio.create_task(keep(Stumbling(iter([RuntimeError("defect")])), stopped))
    while not stopped:
        await asyncio.sleep(0)
    assert stopped == {"points": "broke on RuntimeError: defect; tried again"}
    keeping.cancel()
