"""`waggle rulebook gaps`: what the rules could not place, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.printing import print_json, print_table, say
from cli.running import run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from contracts.case import CaseDispatched, Why
from eventlog.read import Unread, read_log
from services.router.routing import UNPLACED

DISPATCHED = frozenset({"CaseDispatched"})


@dataclass(frozen=True, slots=True)
class Gap:
    """One reason for which cases went to the triage desk, or fell to the territory."""

    why: str
    service_code: str | None
    area: str | None
    explanation: str


def gaps(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """What the rules could not place, and how often: kinds, places, roles that nobody holds.

    Such cases wait at the staffed triage desk, each with the reason; ownerless ones fell to the
    territory. A role that turns up here wants a holder in the routing document.
    """
    run(_gaps(data, as_json))


async def _gaps(data: Path, as_json: bool) -> None:
    counts, last = Counter[Gap](), dict[Gap, str]()
    async with open_session(data, quiet=as_json) as session:
        log = await session.log()
        async for batch in read_log(log, subjects=("log.case.>",), types=DISPATCHED):
            for entry in batch:
                if isinstance(entry, Unread) or not isinstance(entry.body, CaseDispatched):
                    continue
                to = entry.body
                if to.why in UNPLACED or to.why is Why.OWNERLESS:
                    words = "" if to.why is Why.PLACE_UNKNOWN else to.explanation.en
                    gap = Gap(to.why, to.service_code, to.area, words)
                    counts[gap] += 1
                    last[gap] = to.case_id
    rows = [_row(gap, count, last[gap]) for gap, count in counts.most_common()]
    if as_json:
        print_json({"cases": counts.total(), "gaps": rows})
        return
    if rows:
        print_table(rows[0], (row.values() for row in rows))
    say(f"{counts.total()} cases that the rules could not place")


def _row(gap: Gap, count: int, case_id: str) -> dict[str, Any]:
    return {
        "cases": count,
        "why": gap.why,
        "kind": gap.service_code,
        "area": gap.area,
        "words": gap.explanation,
        "last_case": case_id,
    }
