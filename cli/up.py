"""`waggle up`: a whole house in one folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.running import Exit, Failure, err, out, print_json, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from deploy.house import Outside, Plan, open_house, running_house
from deploy.retaining import keep_tidy
from deploy.rulebooks import load_rulebook
from eventlog.tasks import end

SECRET = {"database_url", "rebuild_url", "keys_url"}
"""What a house knows and does not tell: these addresses hold passwords."""


def up(
    data: DataOption = DEFAULT_DATA,
    port: Annotated[
        int | None,
        typer.Option(help="NATS port; a free one is chosen where none is given.", min=1, max=65535),
    ] = None,
    rulebook: Annotated[
        Path | None,
        typer.Option(help="File or folder of rules instead of the built-in ones."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start servers and services under DATA, and keep them running until Ctrl-C or SIGTERM.

    NATS_URL and DATABASE_URL (with WAGGLE_KEYS_URL) use servers that run already instead. A
    folder left by a crash is simply started again. Prints one `ready` line.
    """
    run(_up(data, port, rulebook, as_json))


async def _up(data: Path, port: int | None, rulebook: Path | None, as_json: bool) -> None:
    if there := running_house(data):
        raise Failure(
            f"a house runs in {data} already (process {there.pid}, {there.nats_url})", Exit.NO_HOUSE
        )
    plan = Plan(data, load_rulebook(rulebook), port=port, outside=Outside.from_environment())
    async with open_house(plan) as (info, supervisor):
        if as_json:
            told = info.model_dump(mode="json", exclude=SECRET)
            print_json({"ready": True, **told})
        else:
            out.print(
                f"ready  {info.nats_url}  data {info.folder}", highlight=False, soft_wrap=True
            )
            err.print("Ctrl-C stops it.", style="dim")
        tidying = asyncio.create_task(keep_tidy(info, plan.days))
        try:
            await supervisor.run()
        finally:
            await end(tidying)
