"""`waggle retention`: delete what is older than its days."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.printing import finish, moment, note, print_json, print_table, say
from cli.running import Exit, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from deploy.house import OFFICER
from deploy.provision import PROVISIONER
from deploy.retaining import apply, due
from deploy.retention import Days


def retention(
    apply_it: Annotated[
        bool, typer.Option("--apply", help="Delete it; without this it is only told.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Show what is older than its days, and with --apply delete it.

    Logs, backups of keys, parked messages; and riders whose last case was
    closed long ago, who are forgotten as `waggle erase rider` does it.
    `WAGGLE_DAYS_…` set other days. A house that runs does this every day.
    Exit code 1 when something could not be deleted.

    Examples:
      waggle retention
      waggle retention --apply --json
    """
    finish(run(_retention(apply_it, data, as_json)))


async def _retention(apply_it: bool, data: Path, as_json: bool) -> Exit:
    days = Days.from_environment(os.environ)
    async with open_session(data, quiet=as_json, services=apply_it) as session:
        nc = await session.nats(PROVISIONER)
        js, tables = nc.jetstream(timeout=10), await session.tables()
        found = await due(session.info, js, tables, days, datetime.now(UTC))
        failed: list[str] = []
        if apply_it:
            failed = await apply(found, session.info, nc, await session.nats(OFFICER))
    if as_json:
        print_json(
            {
                "days": asdict(days),
                "due": [asdict(one) for one in found],
                "applied": apply_it,
                "failed": failed,
            }
        )
    else:
        rows = [(one.kind, one.name, moment(one.since, UTC), one.days) for one in found]
        if rows:
            print_table(("what", "which", "since (UTC)", "days"), rows)
        say(f"{len(found)} older than their days" + (", deleted" if apply_it else ""))
        for line in failed:
            say(line, "red")
        if found and not apply_it:
            note("nothing was deleted: --apply does it")
    return Exit.NO if failed else Exit.DONE
