"""How fast cases are routed, and how fast a period is judged by other rules; on one core, no I/O.

The reference is the bare index: which polygon a point lies in, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Final

from bench.city import city, reports
from bench.figures import Figure, middle
from cli.judging import Asked, Comparison, Pair
from services.router.routing import route
from services.router.rules import Rules

RUNS: Final = 5
BATCH: Final = 1000
START: Final = datetime(2026, 3, 2, tzinfo=UTC)


def measure(*, decisions_a_run: int) -> Iterator[Figure]:
    """Seconds of this process's own time: what one core does, whatever else the machine does."""
    rules = Rules(city())
    asked = reports(decisions_a_run)

    def find() -> None:
        for _, _, position in asked:
            rules.places.area_of(position)

    def decide() -> None:
        for service, condition, position in asked:
            route(service, condition, position, None, rules)

    period = [
        Asked(f"r-{n}", service, position, START + timedelta(minutes=n % 500_000))
        for n, (service, _, position) in enumerate(asked)
    ]
    bare = _rate(find, len(asked))
    yield Figure(
        name="routing decisions, 500 conditions, 2,000 grid polygons",
        value=_rate(decide, len(asked)),
        unit="decisions/s",
        reference="the polygon alone",
        reference_value=bare,
        runs=RUNS,
        aim=">= 20,000 on one core",
    )
    pair = Pair(city(), city(2, limit="2 work_days").documents)
    yield Figure(
        name="what-if: reports judged by two rulebooks, other limits",
        value=_rate(lambda: _judge(pair, period), len(period)),
        unit="reports/s",
        reference="the polygon alone",
        reference_value=bare,
        runs=RUNS,
        aim=">= 20,000 on one core",
    )


def _judge(pair: Pair, asked: Sequence[Asked]) -> Comparison:
    """As `waggle whatif rulebook` does it, without the log."""
    found = Comparison()
    for begin in range(0, len(asked), BATCH):
        pair.compare(asked[begin : begin + BATCH], found)
    return found


def _rate(work: Callable[[], object], count: int) -> float:
    rates = []
    for _ in range(RUNS):
        began = process_time()
        work()
        rates.append(count / (process_time() - began))
    return middle(rates)
