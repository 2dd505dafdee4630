"""`python -m bench [NAME ...] [--quick]`: one JSON object a line, progress on stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Final

import structlog
import uvloop

from bench import append, clocks, intake, loop, points, project, proof, raw, redeem, routing
from bench.figures import Figure
from bench.houses import measured_house

NAMES: Final = ("intake", "loop", "project", "routing", "clocks", "redeem", "points", "proof")


def main() -> None:
    """Run what is asked for, or everything."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[[], *NAMES], help=f"one of {', '.join(NAMES)}; all by default"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the work: to see that it runs"
    )
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    uvloop.run(_measure(asked.names or NAMES, 10 if asked.quick else 1))


async def _measure(names: Iterable[str], less: int) -> None:
    if "intake" in names:
        _say("raw publishes")
        reference = await raw.measure(messages_a_run=10_000 // less)
        _say("appending")
        _print(await append.measure(reference, messages_a_run=10_000 // less))
        async with measured_house() as house:
            _say("reports through intake")
            _print(await intake.measure(house, reference, reports_a_run=10_000 // less))
    if "loop" in names:
        async with measured_house() as house:
            _say("whole cases")
            _print(await loop.measure(house, cases_a_run=600 // less, paced_seconds=6 / less))
    if "project" in names:
        _say("rebuilds")
        _print(await project.measure(events=project.EVENTS // less))
    if "routing" in names:
        _say("routing decisions")
        _print(routing.measure(decisions_a_run=100_000 // less))
    if "redeem" in names:
        async with measured_house() as house:
            _say("redemptions")
            spread = 2_000 // less
            _print(
                await redeem.measure(house, items=1_000, one_item=spread // 5, many_items=spread)
            )
    if "points" in names:
        async with measured_house() as house:
            _say("awards, passbooks, and the check of the ledger")
            _print(
                await points.measure(
                    house, awards_a_run=2_000 // less, riders=5_000 // less, reads=2_000 // less
                )
            )
    if "clocks" in names:
        _say("the clock's look at a million open cases")
        _print(await clocks.measure(cases=1_000_000 // less))
    if "proof" in names:
        _say("sealing and verifying")
        _print(await proof.measure(facts=proof.FACTS_IN_ALL // less))


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _print(figures: Iterable[Figure]) -> None:
    for figure in figures:
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
