"""Each fault by itself, in a house of its own: `make faults FAULT_SEEDS=4,5`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import uvloop

from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault
from tests.faults.surviving import Figures, survive
from tests.journey.driver import Chronicle
from tests.journey.playing import Recording

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: f"{kind.number}-{kind.__name__}")
def test_a_house_survives(
    kind: type[Fault], seed: int, chronicle: Chronicle, report: Callable[[Figures], None]
) -> None:
    async def run() -> Recording:
        async with kind.stand() as stand:
            left, figures = await survive(stand, chronicle, [kind()], name="each", seed=seed)
        report(figures)
        return left

    assert uvloop.run(run()).broken() == []
