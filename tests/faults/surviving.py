"""The one scenario: a journey goes on while faults befall the house; then the oracle judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.fault import Fault, one_after_the_other
from tests.faults.stand import Stand
from tests.journey.driver import Chronicle
from tests.journey.playing import Pace, Recording, journey

PACE = Pace(reports=10, every=0.5, think=0.3)


@dataclass(frozen=True)
class Figures:
    """What a run came to, for whoever reads the report."""

    faults: str
    seed: int
    effects: dict[str, int]
    facts: int
    acknowledged: int
    unknown: int
    told_again: int
    seconds_to_heal: float
    broken: int


async def survive(
    stand: Stand,
    chronicle: Chronicle,
    faults: Sequence[Fault],
    *,
    name: str,
    seed: int,
    pace: Pace = PACE,
) -> tuple[Recording, Figures]:
    """Play while the faults happen one after the other. What is broken is for the caller to see."""
    for fault in faults:
        fault.planted = chronicle.planted
    befall = one_after_the_other(stand, faults, Random(seed))
    left = await journey(stand.house, chronicle, name, pace, seed=seed, faults=befall)
    figures = Figures(
        faults=", ".join(fault.name for fault in faults),
        seed=seed,
        effects={effect: n for fault in faults for effect, n in fault.effects.items()},
        facts=len(left.evidence.log),
        acknowledged=left.acknowledged,
        unknown=left.unknown,
        told_again=sum(left.again.values()),
        seconds_to_heal=round(left.seconds_to_heal, 2),
        broken=len(left.broken()),
    )
    return left, figures
