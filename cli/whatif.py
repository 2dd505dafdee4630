"""`waggle whatif`: what would have been otherwise under other rules. Nothing is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime, time, tzinfo
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.judging import Asked, Comparison, Difference, Pair
from cli.printing import moment, note, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.report import Position
from contracts.rulebook import Published
from deploy.rulebooks import read_rulebook
from eventlog.project import wait_for
from eventlog.read import head
from services.intake.projection import INTAKE

app = typer.Typer(help="What would be otherwise under other rules.", no_args_is_help=True)
ACCEPTED = """
    SELECT report_id, service_code, condition, asset, lat, lng, happened_at FROM intake.report
    WHERE state = 'accepted'
        AND ($1::timestamptz IS NULL OR happened_at >= $1)
        AND ($2::timestamptz IS NULL OR happened_at < $2)
    ORDER BY happened_at, report_id
"""
AT_A_TIME = 2000
CATCHING_UP = 30.0
"""Seconds to wait until the tables show what the log holds."""
SHOWN = 20


@app.callback()
def _group() -> None:
    """What would be otherwise under other rules. Nothing is touched."""


@app.command()
def rulebook(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="NEW...", exists=True, help="Rule documents: files or folders."),
    ],
    since: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help="Such as 2026-11-01; included.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="MOMENT", help="Such as 2026-12-01; not included.")
    ] = "",
    all_rows: Annotated[
        bool, typer.Option("--all", help="List every report, not the first.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Judge the reports of a period by other rules: what would go elsewhere, be due at another
    time, earn other points.

    Each report is judged twice at the moment it was taken on: by the rules that held then, and by
    the same with the documents in NEW in their place. Their versions and dates do not matter.

    Examples:
      waggle whatif rulebook new-routing.yaml --from 2026-10-01 --to 2026-11-01
      waggle whatif rulebook rules/ --json
    """
    run(_rulebook(paths, since, until, all_rows, data, as_json))


async def _rulebook(
    paths: list[Path], since: str, until: str, all_rows: bool, data: Path, as_json: bool
) -> None:
    async with open_session(data, quiet=as_json) as session:
        zone = await session.zone()
        first, last = moment_of(since, zone), moment_of(until, zone)
        reading = read_rulebook(paths, await session.rulebook()).insist()
        published, pairs, found = await session.rulebooks(), dict[str, Pair](), Comparison()
        async for asked in _reports(session, first, last):
            for label, some in groupby(asked, lambda one: _label(published, one)):
                reports = list(some)
                if (was := published.at(reports[0].at)) is None:
                    continue
                if label not in pairs:
                    pairs[label] = Pair(was, reading.documents.values())
                pairs[label].compare(reports, found)
    if as_json:
        print_json(_report(found, pairs))
    else:
        _print(found, all_rows, zone)


def _label(published: Published, one: Asked) -> str:
    book = published.at(one.at)
    return book.label if book else ""


async def _reports(
    session: Session, first: datetime | None, last: datetime | None
) -> AsyncIterator[list[Asked]]:
    """The accepted reports of a period from the table, as far as the log reaches now."""
    end = await head(await session.log(), ("log.report.>",))
    pool = await session.tables()
    try:
        await wait_for(pool, INTAKE.name, end, timeout=CATCHING_UP)
    except TimeoutError:
        note("the tables are behind the log: the last reports are not judged")
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(ACCEPTED, first, last)
        while rows := await cursor.fetch(AT_A_TIME):
            yield [_asked(*row) for row in rows]


def _asked(
    report_id: str,
    service: str | None,
    condition: str | None,
    asset: str | None,
    lat: float | None,
    lng: float | None,
    at: datetime,
) -> Asked:
    position = None if lat is None or lng is None else Position(lat=lat, lng=lng)
    return Asked(report_id, service, position, at, condition, asset)


def moment_of(given: str, zone: tzinfo) -> datetime | None:
    """A moment, or the beginning of a day, in the time of the district."""
    if not given:
        return None
    try:
        if len(given) == len("2026-11-01"):
            return datetime.combine(date.fromisoformat(given), time(), zone)
        found = datetime.fromisoformat(given)
    except ValueError as error:
        raise Failure(
            f"'{given}' is no moment, such as 2026-11-01 or 2026-11-01T08:00+08:00",
            Exit.WRONG_INPUT,
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _report(found: Comparison, pairs: Iterable[str]) -> dict[str, Any]:
    return {
        "judged_by": sorted(pairs),
        "reports": found.reports,
        "elsewhere": found.elsewhere,
        "other_time": found.other_time,
        "other_points": found.other_points,
        "points": {"before": found.points_before, "after": found.points_after},
        "ways": [
            {"from": before, "to": after, "reports": count}
            for (before, after), count in found.ways.most_common()
        ],
        "list": [_row(difference) for difference in found.differences],
    }


def _row(difference: Difference) -> dict[str, Any]:
    sides = (
        ("before", difference.before, difference.due_before),
        ("after", difference.after, difference.due_after),
    )
    return {
        "report_id": difference.one.report_id,
        "service_code": difference.one.service,
        "area": difference.area,
        **{
            name: {
                "holder": standing.holder,
                "answers": standing.answers,
                "why": standing.why,
                "condition": standing.condition,
                "due_at": due[0] if due else None,
                "handled_by": due[1] if len(due) > 1 else None,
                "points": standing.points,
            }
            for name, standing, due in sides
        },
    }


def _print(found: Comparison, all_rows: bool, zone: tzinfo) -> None:
    print_table(
        ("of reports", "elsewhere", "due at another time", "other points", "points", "would be"),
        [
            (
                found.reports,
                found.elsewhere,
                found.other_time,
                found.other_points,
                found.points_before,
                found.points_after,
            )
        ],
    )
    if found.ways:
        ways = ((a, b, n) for (a, b), n in found.ways.most_common())
        print_table(("goes to", "would go to", "reports"), ways)
    shown = found.differences if all_rows else found.differences[:SHOWN]
    if shown:
        print_table(
            ("report", "kind", "goes to", "would go to", "due", "would be", "points", "would be"),
            (
                (
                    d.one.report_id,
                    d.one.service,
                    d.before.holder,
                    d.after.holder,
                    moment(d.due_before[-1] if d.due_before else None, zone),
                    moment(d.due_after[-1] if d.due_after else None, zone),
                    d.before.points,
                    d.after.points,
                )
                for d in shown
            ),
        )
    if len(shown) < len(found.differences):
        say(f"and {len(found.differences) - len(shown)} more: --all, or --json")
