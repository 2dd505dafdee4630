"""The power is cut: what was acknowledged is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import uvloop

from tests.faults.disks import on_a_power_disk
from tests.faults.power import PowerCut
from tests.faults.surviving import Figures, survive
from tests.journey.driver import Chronicle
from tests.journey.playing import Pace

SEED = 20260522
PACE = Pace(reports=8, every=0.4, think=0.2)

pytestmark = pytest.mark.timeout(240)


def test_a_house_survives_a_power_cut(
    chronicle: Chronicle, report: Callable[[Figures], None]
) -> None:
    async def run() -> None:
        async with on_a_power_disk() as stand:
            left, figures = await survive(
                stand, chronicle, [PowerCut()], name="power", seed=SEED, pace=PACE
            )
            report(figures)
            assert left.broken() == []

    uvloop.run(run())
