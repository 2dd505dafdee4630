"""Looking: where reports and cases stand, and what a rider has earned. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import typer

from cli.printing import moment, print_json, print_table, say
from cli.running import Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.case import Step
from contracts.envelope import log_subject
from deploy.projections import PROJECTIONS
from eventlog.project import position
from eventlog.read import head

STEPS: Final = tuple(step for step in Step if step is not Step.NONE)
"""The steps of a case in their order."""
PERSONAL: Final = frozenset({"title", "text", "photo"})
"""Columns that hold sealed boxes: `waggle timeline` opens them."""

_OVERDUE: Final = "step IN ('checking', 'dispatched', 'handling') AND (overdue OR due_at < now())"


def status(
    report: Annotated[
        str | None,
        typer.Argument(
            metavar="REPORT", help="Id of a report or case; all of them where not given."
        ),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Where everything stands, or one report with its case; and whether the tables are up to date.

    Examples:
      waggle status
      waggle status 01JD2Q8Z7N4X0V5M3K9R6T1W8C --json
    """
    run(
        _status_of_all(data, as_json)
        if report is None
        else _status_of(token(report, "id"), data, as_json)
    )


async def _status_of_all(data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables = await session.tables()
        behind = await _behind(session)
        reports = await tables.fetch(
            "SELECT state, count(*) AS n FROM intake.report GROUP BY 1 ORDER BY 1"
        )
        steps = await tables.fetch("SELECT step, count(*) AS n FROM router.case GROUP BY 1")
        units = await tables.fetch(
            f"SELECT unit, count(*) AS n, count(*) FILTER (WHERE {_OVERDUE}) AS overdue"  # noqa: S608 - a constant
            " FROM router.case WHERE step <> 'closed' AND unit IS NOT NULL"
            " GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        counted = {row["step"]: row["n"] for row in steps}
        overview: dict[str, Any] = {
            "reports": {row["state"]: row["n"] for row in reports},
            "cases": {
                "total": sum(counted.values()),
                "by_step": {step: counted[step] for step in STEPS if step in counted},
                "open_by_unit": {
                    row["unit"]: {"open": row["n"], "overdue": row["overdue"]} for row in units
                },
                "overdue": sum(row["overdue"] for row in units),
            },
            "caught_up": not any(behind.values()),
            "behind": behind,
        }
        print_json(overview) if as_json else _print_overview(overview)


def _print_overview(overview: Mapping[str, Any]) -> None:
    cases = overview["cases"]
    told = ", ".join(f"{n} {state}" for state, n in overview["reports"].items()) or "none"
    say(f"reports: {told}")
    say(f"cases: {cases['total']}, overdue {cases['overdue']}")
    if cases["by_step"]:
        print_table(("step", "cases"), cases["by_step"].items())
    if cases["open_by_unit"]:
        rows = [(unit, of["open"], of["overdue"]) for unit, of in cases["open_by_unit"].items()]
        print_table(("unit", "open", "overdue"), rows)
    _print_behind(overview["behind"])


async def _status_of(report_id: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables, log = await session.tables(), await session.log()
        behind = await _behind(session)
        report = await tables.fetchrow(
            "SELECT * FROM intake.report WHERE report_id = $1", report_id
        )
        case = await tables.fetchrow("SELECT * FROM router.case WHERE case_id = $1", report_id)
        last = await head(log, (log_subject("report", report_id), log_subject("case", report_id)))
        if report is None and case is None and not last:
            raise Failure(f"there is no report or case {report_id}")
        rows = {"report": _shown(report), "case": _shown(case)}
        erased_at = await tables.fetchval(
            "SELECT erased_at FROM intake.party WHERE party_id = $1",
            next((row["rider_id"] for row in (report, case) if row), None),
        )
        found = {
            "id": report_id,
            **rows,
            "rider_erased_at": erased_at,
            "last_sequence": last,
            "caught_up": not any(behind.values()),
            "behind": behind,
        }
        if as_json:
            print_json(found)
            return
        zone = await session.zone()
        for title, row in rows.items():
            _print_row(title, row, zone)
        if erased_at:
            say(f"the rider was erased at {moment(erased_at, zone)}: no words are left", "dim")
        _print_behind(behind)


def _shown(row: asyncpg.Record | None) -> dict[str, Any] | None:
    if row is None:
        return None
    shown = {name: value for name, value in row.items() if name not in PERSONAL}
    return {
        name: json.loads(value) if name == "reasons" else value for name, value in shown.items()
    }


def _print_row(title: str, row: Mapping[str, Any] | None, zone: tzinfo) -> None:
    if row is None:
        say(f"{title}: none")
        return
    cells = [
        (name, moment(value, zone) if isinstance(value, datetime) else str(value))
        for name, value in row.items()
        if value is not None
    ]
    print_table((title, ""), cells)


async def _behind(session: Session) -> dict[str, int]:
    """How many sequences each projection's checkpoint is behind the last fact it should show."""
    tables, log = await session.tables(), await session.log()
    return {
        p.name: max(0, await head(log, p.subjects) - await position(tables, p.name))
        for p in PROJECTIONS
    }


def _print_behind(behind: Mapping[str, int]) -> None:
    late = ", ".join(f"{name} by {n} sequences" for name, n in behind.items() if n)
    say(
        f"the tables are behind the log: {late}" if late else "the tables are up to date",
        "yellow" if late else "dim",
    )


def register(app: typer.Typer) -> None:
    """Add the verb of this group."""
    app.command(rich_help_panel="Looking")(status)
