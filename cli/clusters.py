"""`waggle whatif duplicates`: what another radius or window would gather. Nothing is touched."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.printing import print_json, print_table, say
from cli.running import run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from cli.whatif import moment_of
from contracts.case import CaseJoined, CaseOpened, CheckOrdered
from contracts.rulebook import Duplicates, Rulebook
from eventlog.read import Unread, read_log
from services.router.duplicates import Seen, clusters, largest

OPENINGS = frozenset({"CaseOpened", "CaseJoined", "CheckOrdered"})


def duplicates(
    radius: Annotated[
        int | None, typer.Option("--radius", min=1, max=5000, help="Metres, for every condition.")
    ] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=1, help="Hours, for every condition.")
    ] = None,
    condition: Annotated[
        str | None, typer.Option("--condition", help="Only this condition.")
    ] = None,
    since: Annotated[str, typer.Option("--from", metavar="MOMENT", help="Included.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Not included.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Gather the reports of a period again, in the order in which they came, by another radius or
    window; beside it by the rules as they are.

    Whether a case was closed in between is not asked: it tells what distance and time alone gather.

    Examples:
      waggle whatif duplicates --radius 80 --from 2026-10-01 --to 2026-11-01
      waggle whatif duplicates --window 24 --condition exposed-garbage-heap --json
    """
    run(_duplicates((radius, window, condition), (since, until), data, as_json))


async def _duplicates(
    wanted: tuple[int | None, int | None, str | None],
    period: tuple[str, str],
    data: Path,
    as_json: bool,
) -> None:
    radius, window, condition = wanted
    async with open_session(data, quiet=as_json) as session:
        zone, book = await session.zone(), await session.rulebook()
        first, last = (moment_of(given, zone) for given in period)
        seen: dict[str, Seen] = {}
        async for batch in read_log(await session.log(), subjects=("log.case.>",), types=OPENINGS):
            for entry in batch:
                if isinstance(entry, Unread) or not _within(entry.happened_at, first, last):
                    continue
                match entry.body:
                    case CaseOpened() | CaseJoined() | CheckOrdered() as told:
                        wanted_one = condition is None or told.condition == condition
                        if told.position and wanted_one:
                            one = Seen(
                                told.report_id,
                                told.condition or "-",
                                told.position,
                                entry.happened_at,
                            )
                            seen.setdefault(told.report_id, one)
    as_it_is = _rules(book, seen, None, None)
    other = _rules(book, seen, radius, window)
    reports = list(seen.values())
    now, then = clusters(reports, as_it_is), clusters(reports, other)
    _tell(now, then, as_json)


def _within(at: datetime, first: datetime | None, last: datetime | None) -> bool:
    return (first is None or first <= at) and (last is None or at < last)


def _rules(
    book: Rulebook, seen: dict[str, Seen], radius: int | None, window: int | None
) -> dict[str, Duplicates]:
    """The rule of each condition that was seen, with what is given in place of its own."""
    rules: dict[str, Duplicates] = {}
    for code in {one.condition for one in seen.values()}:
        found = book.condition(None, code)
        own = (found[1].duplicates if found else None) or book.catalogue.duplicates
        rules[code] = Duplicates(
            radius_metres=radius or own.radius_metres, window_hours=window or own.window_hours
        )
    return rules


def _tell(now: dict[str, str], then: dict[str, str], as_json: bool) -> None:
    changed = sorted(report for report in now if now[report] != then[report])
    document: dict[str, Any] = {
        "reports": len(now),
        "cases": {"by_the_rules": len(set(now.values())), "would_be": len(set(then.values()))},
        "largest": [{"case_id": case, "reports": n} for case, n in largest(then)],
        "otherwise": [
            {"report_id": report, "case_id": now[report], "would_be": then[report]}
            for report in changed
        ],
    }
    if as_json:
        print_json(document)
        return
    cases = document["cases"]
    headings = ("reports", "cases by the rules", "cases would be", "reports elsewhere")
    counts = (len(now), cases["by_the_rules"], cases["would_be"], len(changed))
    print_table(headings, [counts])
    for one in document["largest"][:5]:
        say(f"{one['case_id']}: {one['reports']} reports")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(duplicates)
