"""Deaths at exact moments, and all that may go wrong between a house and its servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import uvloop

from tests.faults import crashes, database, deliveries, operator, words
from tests.faults.stand import behind_wires
from tests.faults.surviving import Figures, survive
from tests.journey.driver import Chronicle
from tests.journey.playing import Pace

SEED = 20260522
PACE = Pace(reports=12, every=0.9, think=0.3)

pytestmark = pytest.mark.timeout(240)


def test_a_house_survives_what_happens_on_its_wires(
    chronicle: Chronicle, report: Callable[[Figures], None]
) -> None:
    faults = [
        crashes.RoomKilledBeforeItHearsThatItsFactIsStored(),
        crashes.ProjectorKilledBehindItsCommit(),
        operator.HandlerRaises(),
        deliveries.EveryDeliveryTwice(),
        deliveries.AcknowledgementsLost(),
        database.BackendKilledDuringCommit(),
        words.RequestsReplayed(),
    ]

    async def run() -> None:
        async with behind_wires() as stand:
            left, figures = await survive(
                stand, chronicle, faults, name="wires", seed=SEED, pace=PACE
            )
            report(figures)
            assert left.broken() == []
            assert sum(left.again.values()) > 0, "nothing was delivered again"

    uvloop.run(run())
