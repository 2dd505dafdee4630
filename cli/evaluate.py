"""`waggle evaluate`: the figures of a month, what each number counts, and what was published."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.printing import finish, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.sending import Sender, build, send
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.spreadsheet import csv_text
from contracts.envelope import log_subject
from contracts.evaluation import MonthPublished, PublishMonth
from eventlog.read import Unread, read_log, read_stream
from services.router.evaluation import (
    FORMULAS,
    By,
    Count,
    Figures,
    Period,
    Rate,
    Ways,
    evaluate,
    month_of,
)
from services.router.places import Places
from services.router.tables.course import CourseRow, course
from services.router.watch import Watch

SHOWN: Final = (
    Count.OPENED,
    Count.DUE,
    Count.CLOSED,
    Count.ON_TIME,
    Count.OPEN_OVERDUE,
    Rate.CLOSE,
    Rate.ON_TIME,
    Rate.REWORK,
    Rate.RETURN,
    "mean_hours",
    "p90_hours",
)
"""What fits on a screen; --json and --csv have everything."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be told."""

    month: str
    by: By
    cases: Count | None
    published: bool
    as_json: bool
    as_csv: bool


def figures(
    month: Annotated[str, typer.Option("--month", help="Such as 2026-11, in the district's time.")],
    by: Annotated[By, typer.Option("--by", help="What to tell apart.")] = By.ALL,
    cases: Annotated[
        Count | None, typer.Option("--cases", help="Open a number: the cases that it counts.")
    ] = None,
    published: Annotated[
        bool,
        typer.Option("--published", help="As it was published, and the corrections since."),
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish the month as it is now. Once.")
    ] = False,
    party: Annotated[str, typer.Option("--as", help="Who publishes.")] = "officer",
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, all figures.")] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Closing rate, on-time rate, rework, returns, handling times, by fixed formulas.

    On time is divided by all that were due, open overdue ones included (docs/evaluation.md).

    Examples:
      waggle evaluate --month 2026-11
      waggle evaluate --month 2026-11 --by department --csv
      waggle evaluate --month 2026-11 --by department --cases open_overdue --json
      waggle evaluate --month 2026-11 --publish
      waggle evaluate --month 2026-11 --published
    """
    if publish:
        finish(run(_publish(month, party, data, as_json)))
        return
    run(_tell(Asked(month, by, cases, published, as_json, as_csv), data))


async def _publish(month: str, party: str, data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        return await send(session, build(PublishMonth, month=month), Sender(party, None, as_json))


async def _tell(asked: Asked, data: Path) -> None:
    async with open_session(data, quiet=asked.as_json or asked.as_csv) as session:
        zone = await session.zone()
        period = _period(asked.month, zone)
        rows, as_of = await Watch(await session.tables()).courses(period)
        ways = await _ways(session, asked.by, zone)
        now = evaluate(rows, period, asked.by, ways)
        document: dict[str, Any] = {
            "month": asked.month,
            "by": asked.by,
            "as_of": as_of,
            "formulas": FORMULAS,
        }
        shown = now
        document["figures"] = {value: found.summary() for value, found in now.items()}
        if asked.published:
            shown, fact = await _as_published(session, asked, ways)
            counted = {value: found.summary() for value, found in shown.items()}
            told = fact.figures.get(asked.by, counted)
            document |= {"as_of": fact.as_of, "formulas": fact.formulas, "figures": told}
            document["counted_again"] = "the same" if told == counted else "otherwise"
            document["corrections"] = _corrections(shown, now)
        if asked.cases:
            document["cases"] = {
                value: found.cases.get(asked.cases, []) for value, found in shown.items()
            }
        _print(document, asked)


def _period(month: str, zone: tzinfo) -> Period:
    try:
        return month_of(month, zone, datetime.now(UTC))
    except ValueError as error:
        raise Failure(str(error), Exit.WRONG_INPUT) from error


async def _ways(session: Session, by: By, zone: tzinfo) -> Ways:
    """Months by the clock on the district's walls, areas by the places in force."""
    month: Callable[[datetime], str] = lambda at: at.astimezone(zone).strftime("%Y-%m")  # noqa: E731
    if by is not By.AREA:
        return Ways(month)
    return Ways(month, Places((await session.rulebook()).places).chain)


async def _as_published(
    session: Session, asked: Asked, ways: Ways
) -> tuple[dict[str, Figures], MonthPublished]:
    """The month counted again from the log, up to the place where it was published."""
    js = await session.log()
    facts = [r async for r in read_stream(js, "evaluation", asked.month)]
    fact = next((r for r in facts if isinstance(r.body, MonthPublished)), None)
    if fact is None or not isinstance(fact.body, MonthPublished):
        raise Failure(f"{asked.month} is not published; `--publish` does that")
    rows: dict[str, CourseRow | None] = {}
    cases = (log_subject("case", ">"),)
    async for batch in read_log(js, subjects=cases, up_to=fact.body.as_of):
        for entry in batch:
            if isinstance(entry, Unread):
                continue
            case_id = entry.body.stream_id
            rows[case_id] = course(rows.get(case_id), entry)
    period = Period(fact.body.first, fact.body.end, fact.happened_at)
    known = [row for row in rows.values() if row]
    return evaluate(known, period, asked.by, ways), fact.body


def _corrections(
    then: Mapping[str, Figures], now: Mapping[str, Figures]
) -> dict[str, dict[str, dict[str, Sequence[str]]]]:
    """What later facts have changed: by value and count, the cases that came and that went."""
    changed: dict[str, dict[str, dict[str, Sequence[str]]]] = {}
    for value in sorted(then.keys() | now.keys()):
        for what in Count:
            before = set(then.get(value, Figures()).cases.get(what, ()))
            after = set(now.get(value, Figures()).cases.get(what, ()))
            if before != after:
                changed.setdefault(value, {})[what] = {
                    "added": sorted(after - before),
                    "removed": sorted(before - after),
                }
    return changed


def _print(document: Mapping[str, Any], asked: Asked) -> None:
    if asked.as_json:
        print_json(document)
        return
    summaries = document["figures"]
    if asked.as_csv:
        names = list(Figures().summary())
        rows = ([value, *(s[name] for name in names)] for value, s in summaries.items())
        sys.stdout.write(csv_text([[str(asked.by), *names], *rows]))
        return
    title = f"{asked.month}, as of {document['as_of']}, formulas {document['formulas']}"
    cells = ((value, *(_cell(s[str(name)]) for name in SHOWN)) for value, s in summaries.items())
    print_table((str(asked.by), *(str(n).replace("_", " ") for n in SHOWN)), cells, title=title)
    if document.get("counted_again") == "otherwise":
        say("counted again by the formulas and places of today it is otherwise", "yellow")
    if asked.cases:
        for value, listed in document["cases"].items():
            say(f"{value}, {asked.cases}: {', '.join(listed) or 'none'}")
    for value, counts in document.get("corrections", {}).items():
        for what, change in counts.items():
            say(f"correction, {value}, {what}: +{len(change['added'])} -{len(change['removed'])}")


def _cell(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate", rich_help_panel="Looking")(figures)
