"""What many runs came to, as a table: `python -m tests.faults.figures FIGURES.jsonl`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HEAD = (
    "| fault | runs | effects | acknowledged | unanswered tries | broken | slowest at rest |",
    "|---|---|---|---|---|---|---|",
)


def table(lines: Iterable[str]) -> Iterator[str]:
    """A row for each kind of fault, and one for all."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        run = json.loads(line)
        runs.setdefault(run["faults"], []).append(run)
    yield from HEAD
    for faults in sorted(runs, key=_in_order):
        yield _row(faults, runs[faults])
    yield _row("**all**", [run for same in runs.values() for run in same], effects=False)


def _row(name: str, runs: list[dict[str, Any]], *, effects: bool = True) -> str:
    told: Counter[str] = (
        sum((Counter(run["effects"]) for run in runs), Counter[str]()) if effects else Counter()
    )
    cells = (
        name,
        str(len(runs)),
        ", ".join(f"{effect} {times:,}" for effect, times in told.items()),
        f"{sum(run['acknowledged'] for run in runs):,}",
        f"{sum(run['unknown'] for run in runs):,}",
        f"{sum(run['broken'] for run in runs):,}",
        f"{max(run['seconds_to_heal'] for run in runs):.1f} s",
    )
    return f"| {' | '.join(cells)} |"


def _in_order(name: str) -> tuple[int, str]:
    """By the number of the fault, then by its name."""
    number, _, rest = name.removeprefix("F").partition(" ")
    return int(number), rest


if __name__ == "__main__":
    sys.stdout.writelines(f"{row}\n" for row in table(Path(sys.argv[1]).read_text().splitlines()))
