"""`waggle board`: a unit's cases as its people look at them. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.printing import moment, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session

_HELD: Final = "step IN ('checking', 'dispatched', 'handling', 'suspended', 'resolved')"
_ACTIVE: Final = "unit = $1 AND step IN ('checking', 'dispatched', 'handling')"


class View(StrEnum):
    """What to look at."""

    OPEN = "open"
    """Everything that the unit holds and that is not over."""
    MINE = "mine"
    """Claimed by one clerk."""
    DUE_SOON = "due_soon"
    """Warned, or due within a day, and not late."""
    OVERDUE = "overdue"
    RETURNED = "returned"
    """Given back, to be dispatched again."""
    TO_VERIFY = "to_verify"
    """Waiting for this unit to verify."""
    WAITING = "waiting"
    """Handed in by this unit, waiting for somebody else to verify."""
    ASKED = "asked"
    """More time or a suspension was asked for, and nobody has answered."""
    CONTESTED = "contested"
    """Closed, and a reporter says that it is not done."""


WHERE: Final[Mapping[View, str]] = {
    View.OPEN: f"unit = $1 AND {_HELD}",
    View.MINE: f"unit = $1 AND clerk = $2 AND {_HELD}",
    View.DUE_SOON: f"{_ACTIVE} AND NOT overdue AND due_at IS NOT NULL"
    " AND (due_at < now() + interval '1 day' OR warn_at IS NULL)",
    View.OVERDUE: f"{_ACTIVE} AND (overdue OR due_at < now())",
    View.RETURNED: "unit = $1 AND why = 'returned' AND step IN ('dispatched', 'handling')",
    View.TO_VERIFY: "inspector = $1 AND step = 'resolved'",
    View.WAITING: "unit = $1 AND step = 'resolved'",
    View.ASKED: "request IS NOT NULL AND (unit = $1 OR street = $1)",
    View.CONTESTED: "inspector = $1 AND contested AND step = 'closed'",
}
_COLUMNS: Final = (
    "case_id, step, task, service_code, condition, area, unit, clerk, due_at, overdue, reports,"
    " returns, reworks, level, request, request_until, suspended_until, why, sequence"
)


def board(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's code.")],
    view: Annotated[View, typer.Option("--view", help="What to look at.")] = View.OPEN,
    clerk: Annotated[str | None, typer.Option("--clerk", help="Whose, with --view mine.")] = None,
    counts: Annotated[bool, typer.Option("--counts", help="Only how many in each view.")] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """A unit's cases: open, mine, due soon, overdue, returned, waiting to be verified.

    Examples:
      waggle board sanitation
      waggle board sanitation --view mine --clerk li-01
      waggle board inspection --view to_verify --json
      waggle board street-taoyuan --counts
    """
    if view is View.MINE and clerk is None:
        raise typer.BadParameter("--view mine needs --clerk")
    run(_counts(unit, clerk, data, as_json) if counts else _board(unit, view, clerk, data, as_json))


async def _board(unit: str, view: View, clerk: str | None, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        await _insist_on_unit(session, unit)
        rows = await _rows(session, unit, view, clerk)
        if as_json:
            print_json({"unit": unit, "view": view, "cases": rows})
            return
        zone = await session.zone()
        say(f"{unit}, {view}: {len(rows)}")
        if rows:
            cells = (
                (
                    row["case_id"],
                    row["step"],
                    row["condition"] or row["service_code"],
                    moment(row["due_at"], zone),
                    "overdue" if row["overdue"] else "",
                    row["clerk"],
                    row["reports"],
                )
                for row in rows
            )
            print_table(("case", "step", "condition", "due", "", "clerk", "reports"), cells)


async def _counts(unit: str, clerk: str | None, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        await _insist_on_unit(session, unit)
        found = {
            view: len(await _rows(session, unit, view, clerk))
            for view in View
            if view is not View.MINE or clerk
        }
        if as_json:
            print_json({"unit": unit, "counts": found})
        else:
            print_table(("view", "cases"), found.items(), title=unit)


async def _rows(session: Session, unit: str, view: View, clerk: str | None) -> list[dict[str, Any]]:
    arguments = (unit, clerk) if view is View.MINE else (unit,)
    query = f'SELECT {_COLUMNS} FROM router."case" WHERE {WHERE[view]}'  # noqa: S608 - constants
    rows = await (await session.tables()).fetch(
        f"{query} ORDER BY due_at NULLS LAST, case_id", *arguments
    )
    return [dict(row) for row in rows]


async def _insist_on_unit(session: Session, unit: str) -> None:
    book = await session.rulebook()
    if unit not in (known := [u.code for u in book.units]):
        detail = f"{book.label} has no unit '{unit}'; it has {', '.join(known)}"
        raise Failure(detail, Exit.WRONG_INPUT)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(rich_help_panel="Looking")(board)
