"""`waggle ledger`: is every stored balance what the log gives?"""

from __future__ import annotations

from pathlib import Path

import typer

from cli.printing import finish, note, print_json, print_table, progress_bar, say
from cli.running import Exit, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from deploy.ledger_check import Found, check_ledger
from eventlog.read import head

app = typer.Typer(help="The ledger of points.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """The ledger of points: double entry, in lots, one entry a fact."""


@app.command("check")
def check(data: DataOption = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """Replay everything and compare every stored row; judge every step by the invariants.

    Balances, entries, lots, passbooks, and all that the store shows: stock, quotas, budgets,
    redemptions. Names the first fact that breaks an invariant, and the row that differs; the
    numbers are those of docs/ledger.md. Exit code 1 if anything does not hold.

    Examples:
      waggle ledger check
      waggle ledger check --json
    """
    finish(run(_check(data, as_json)))


async def _check(data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json, services=False) as session:
        log, tables = await session.log(), await session.tables()
        with progress_bar() as bar:
            total = await head(log)
            task = bar.add_task("replaying", total=total or None, told="")
            found = await check_ledger(log, tables, lambda n: bar.update(task, completed=n))
    print_json(found.as_document()) if as_json else _print(found)
    return Exit.NO if found.count else Exit.DONE


def _print(found: Found) -> None:
    rate = found.facts / found.seconds if found.seconds else 0.0
    say(f"{found.facts} facts, {found.accounts} accounts, {found.rows} rows", "bold")
    note(f"{found.seconds:.2f} s, {rate:,.0f} facts a second")
    if not found.count:
        say("the ledger is clean", "green")
        return
    first = found.violations[0]
    where = f"fact {first.sequence}" if first.sequence else "a row without a fact"
    say(f"{found.count} violations; the first at {where}: {first.invariant}", "red")
    rows = [(v.invariant, v.sequence or "", v.subject, v.detail) for v in found.violations]
    print_table(("invariant", "fact", "where", "what"), rows)
