"""`waggle import standard`: a city's published handling standard, as a catalogue."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.imports.standard import (
    UNITS,
    NotAStandard,
    Readings,
    Rejected,
    Standard,
    beside,
    read_standard,
)
from cli.printing import finish, print_json, print_table, say
from cli.running import Exit, Failure, run
from cli.session import JsonOption
from contracts.rulebook import LimitUnit, Rulebook
from deploy.rulebooks import load_rulebook


def standard(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", exists=True, dir_okay=False, help="UTF-8, with a heading."
        ),
    ],
    rulebook: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="File or folder whose units and roles are known; else the built-in."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write catalogue.json and routing.json there."),
    ] = None,
    points: Annotated[
        int, typer.Option(min=1, help="Of every condition: a standard says nothing about points.")
    ] = 1,
    unit: Annotated[
        list[str] | None,
        typer.Option(metavar="天=natural_day", help="Read a unit of limits otherwise."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read a handling standard: every row becomes a condition, or is reported with the reason.

    Columns: kind, big_code, big_name, small_code, small_name, units, open_condition,
    close_condition, limit. The first unit named is accountable, the others support it. Nothing is
    guessed: a limit with words behind it, or names that cannot be told apart, reject the row.

    With --out, the standard is written beside what the rulebook has, with every unit and role it
    names declared: see with `waggle rulebook check FOLDER`, complete who holds the new roles, and
    publish it.

    Counted are: read = conditions + rejected. Exit code 1 when not one row is a condition.

    Examples:
      waggle import standard standard.csv
      waggle import standard standard.csv --out rules --json
      waggle import standard standard.csv --unit 天=natural_day
    """
    finish(run(_standard(file, rulebook, out, Readings(_units(unit or []), points), as_json)))


async def _standard(
    file: Path, rulebook: Path | None, out: Path | None, how: Readings, as_json: bool
) -> Exit:
    known = Rulebook.model_validate(load_rulebook(rulebook))
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found = read_standard(lines, known, how)
    except (NotAStandard, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {error}", Exit.WRONG_INPUT) from error
    if out is not None:
        _write(found, known, out)
    print_json(_report(found, how)) if as_json else _print(found, out)
    return Exit.DONE if found.conditions else Exit.NO


def _units(given: list[str]) -> dict[str, LimitUnit]:
    units = dict(UNITS)
    for pair in given:
        text, _, unit = pair.partition("=")
        if not text or unit not in tuple(LimitUnit):
            raise typer.BadParameter(f"--unit: such as 天=natural_day; of {', '.join(LimitUnit)}")
        units[text] = LimitUnit(unit)
    return units


def _report(found: Standard, how: Readings) -> dict[str, Any]:
    return {
        "read": found.read,
        "conditions": found.conditions,
        "rejected": [_rejected(row) for row in found.rejected],
        "services": len(found.catalogue.services) if found.catalogue else 0,
        "names": [asdict(name) for name in found.names],
        "read_as": {"limits": how.units, "points": how.points, "accountable": "the first named"},
    }


def _rejected(row: Rejected) -> dict[str, Any]:
    told = {"row": row.row, "column": row.column, "text": row.text, "reason": row.reason}
    also = [{"column": a.column, "text": a.text, "reason": a.reason} for a in row.also]
    return {**told, **({"also": also} if also else {})}


def _print(found: Standard, out: Path | None) -> None:
    services = len(found.catalogue.services) if found.catalogue else 0
    say(
        f"{found.read} rows read: {found.conditions} conditions of {services} services, "
        f"{len(found.rejected)} rejected",
        "bold",
    )
    for row in found.rejected:
        for one in (row, *row.also):
            say(f"line {row.row}, {one.column or 'row'}: {one.reason}: {one.text!r}", "yellow")
    unknown = [name for name in found.names if not name.known]
    if unknown:
        print_table(
            ("name", "called", "rows", "perhaps the same as"),
            ((n.text, n.ref, n.rows, "、".join(n.similar)) for n in unknown),
            title="Units and roles that the rulebook does not know yet",
        )
    if out is not None:
        say(f"written to {out}: `waggle rulebook check {out}`")


def _write(found: Standard, known: Rulebook, folder: Path) -> None:
    """Catalogue and routing with the standard beside what was there: ready to be checked."""
    folder.mkdir(parents=True, exist_ok=True)
    for document in beside(known, found):
        told = document.model_dump(mode="json", exclude_defaults=True)
        told |= {"effective_from": datetime.now(UTC).isoformat("T", "seconds")}
        text = json.dumps(told, ensure_ascii=False, indent=1)
        (folder / f"{document.kind}.json").write_text(f"{text}\n", "utf-8")
