"""A house whose processes die, whose files are hurt, whose operator errs: the same laws hold.

The second journey begins where the first has left the house; the oracle judges all of it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import uvloop

from tests.faults import damage, operator, processes, words
from tests.faults.stand import on_its_own
from tests.faults.surviving import Figures, survive
from tests.journey.driver import Chronicle
from tests.journey.playing import Pace
from tests.journey.scenario import Share

SEED = 20260522
FIRST = Pace(reports=12, every=0.9, think=0.3, share=Share(0, 2))
SECOND = Pace(reports=6, every=0.3, think=0.1, share=Share(1, 2))

pytestmark = pytest.mark.timeout(240)


def test_a_house_survives_what_happens_to_its_parts(
    chronicle: Chronicle, report: Callable[[Figures], None]
) -> None:
    async def run() -> None:
        async with on_its_own() as stand:
            faults = [
                processes.EveryServiceKilled(),
                processes.BothServersKilled(),
                processes.RoomsPaused(),
                damage.BitFlippedInTheLog(),
                operator.DurableDeleted(),
                operator.LogFull(),
            ]
            left, figures = await survive(
                stand, chronicle, faults, name="parts", seed=SEED, pace=FIRST
            )
            report(figures)
            assert left.broken() == []
            assert sum(left.again.values()) > 0, "no death hit a reaction at work"
            assert left.reconnects > 0, "nobody noticed that the server was gone"
            assert left.unknown > 0, "nobody was left without an answer"

            poison = [words.PoisonInTheLog(), words.NonsenseAtTheDoor()]
            left, figures = await survive(
                stand, chronicle, poison, name="words", seed=SEED, pace=SECOND
            )
            report(figures)
            assert left.broken() == []

    uvloop.run(run())
