"""`waggle ranking`: who has done most, computed from the log by the published formula."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.printing import print_json, print_table, progress_bar, say
from cli.running import run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.envelope import Recorded
from eventlog.read import head, read_log
from services.points.ranking import LEAST_ACCURACY, LEAST_RESULTS, SUBJECTS, Merits, Ranking

MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
YEAR: Final = re.compile(r"\d{4}")


def ranking(
    month: Annotated[str | None, typer.Option("--month", help="Such as 2026-11.")] = None,
    year: Annotated[str | None, typer.Option("--year", help="Such as 2026.")] = None,
    as_of: Annotated[
        int | None,
        typer.Option("--as-of", min=0, metavar="SEQUENCE", help="As the log was then."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Who has done most in a month or a year: points of verified results.

    Computed from the log, so that anybody who may read it gets the same, digest
    for digest (docs/ranking.md has the formula, its ties and corrections).
    With --as-of a ranking that was published is computed again as it was.

    Examples:
      waggle ranking --month 2026-11
      waggle ranking --year 2026 --json
      waggle ranking --month 2026-11 --as-of 48210
    """
    if (month is None) == (year is None):
        raise typer.BadParameter("give --month or --year")
    if month is not None and not MONTH.fullmatch(month):
        raise typer.BadParameter(f"--month {month!r}: a year and a month, such as 2026-11")
    if year is not None and not YEAR.fullmatch(year):
        raise typer.BadParameter(f"--year {year!r}: four digits")
    run(_ranking(month or year or "", as_of, data, as_json))


async def _ranking(period: str, as_of: int | None, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        found = (await merits_of(session, as_of)).ranking(period)
        if as_json:
            print_json({**asdict(found), "digest": found.digest})
        else:
            _print(found)


async def merits_of(session: Session, as_of: int | None) -> Merits:
    """What the log counts for rankings, up to a place in it."""
    js = await session.log()
    last = await head(js, SUBJECTS)
    up_to = min(as_of, last) if as_of is not None else last
    counted = Merits(await session.zone())
    with progress_bar() as progress:
        task = progress.add_task("reading the log", total=max(up_to, 1), told="")
        async for batch in read_log(js, subjects=SUBJECTS, up_to=up_to):
            for entry in batch:
                if isinstance(entry, Recorded):
                    counted.hear(entry)
            progress.update(task, completed=batch[-1].sequence)
    return counted


def _print(found: Ranking) -> None:
    if found.lines:
        rows = [
            (line.place, line.rider_id, line.score, line.results, f"{line.accuracy} %")
            for line in found.lines
        ]
        print_table(("place", "rider", "points", "results", "found true"), rows)
    else:
        say(f"nobody is ranked in {found.period}")
    if found.unranked:
        least = LEAST_RESULTS["month" if "-" in found.period else "year"]
        say(f"not ranked: less than {least} results, or found true less than {LEAST_ACCURACY} %")
        unranked = [(u.rider_id, u.score, u.results, u.accuracy, u.why) for u in found.unranked]
        print_table(("rider", "points", "results", "found true", "why"), unranked)
    say(f"formula {found.formula}, as of {found.as_of}, digest {found.digest}", "dim")
