"""`waggle store public`: what was handed over, for everybody to see and to add up."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.printing import finish, print_json, print_table, say
from cli.running import Exit, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.spreadsheet import csv_text
from cli.store.counter import as_rows, shown
from contracts.envelope import Recorded
from eventlog.read import read_log
from services.points.public import PublicLedger, differences, private_sums, published
from services.points.tables.takes import PublicRow


def public_(
    month: Annotated[
        str | None, typer.Option(help="Such as 2026-11; all months where not given.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="The lines as CSV on stdout.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare its sums with the riders' accounts.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """The public redemption ledger: item, points, third of the month, pseudonym; nobody's name.

    What an item was handed over for less than five times in a month has no
    lines; it is counted in the totals. Exit code 1 when --check finds a
    difference.

    Examples:
      waggle store public --month 2026-11
      waggle store public --csv > redemptions.csv
      waggle store public --check --json
    """
    finish(run(_public(month, as_csv, check, data, as_json)))


async def _public(month: str | None, as_csv: bool, check: bool, data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json or as_csv) as session:
        tables = await shown(session)
        rows = as_rows(PublicRow, await tables.fetch("SELECT * FROM store.public"))
        ledger = published(rows, month)
        found = await _differences(session, ledger, month) if check else []
        if as_json:
            print_json(_as_document(ledger) | ({"differences": found} if check else {}))
        elif as_csv:
            _write_csv(ledger)
        else:
            _print(ledger)
            for difference in found:
                say(difference, "red")
            if check and not found:
                say("the sums are those of the riders' accounts", "green")
    return Exit.NO if found else Exit.DONE


async def _differences(session: Session, ledger: PublicLedger, month: str | None) -> list[str]:
    js, zone = await session.log(), await session.zone()
    spent: dict[tuple[str, str], tuple[int, int]] = {}
    async for batch in read_log(js, subjects=("log.account.>",)):
        facts = (entry for entry in batch if isinstance(entry, Recorded))
        for of, (count, points) in private_sums(facts, zone, month).items():
            before = spent.get(of, (0, 0))
            spent[of] = before[0] + count, before[1] + points
    return list(differences(ledger.sums, spent))


def _as_document(ledger: PublicLedger) -> dict[str, Any]:
    totals = [asdict(total) | {"name": total.name.model_dump()} for total in ledger.totals]
    return {"lines": [asdict(line) for line in ledger.lines], "totals": totals}


def _write_csv(ledger: PublicLedger) -> None:
    heads = ("month", "part", "item_id", "points", "pseudonym")
    rows = ((of.month, of.part, of.item_id, of.points, of.pseudonym) for of in ledger.lines)
    sys.stdout.write(csv_text([heads, *rows]))


def _print(ledger: PublicLedger) -> None:
    if not ledger.totals:
        say("nothing was handed over")
        return
    lines = [(of.month, of.part, of.item_id, of.points, of.pseudonym) for of in ledger.lines]
    if lines:
        print_table(("month", "third", "item", "points", "pseudonym"), lines)
    totals = [(t.month, t.item_id, t.redemptions, t.points, t.suppressed) for t in ledger.totals]
    print_table(("month", "item", "redemptions", "points", "without a line"), totals)
