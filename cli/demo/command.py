"""`waggle demo`: the story of one district's day, on real servers, with the rebuild check."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.demo import frame
from cli.demo.performance import Asked, Clock, perform, stage
from cli.demo.receiver import open_receiver
from cli.demo.screen import Screen
from cli.printing import finish, print_json
from cli.running import Exit, run
from cli.session import JsonOption, Session
from cli.story.cards import CHINA_TIME, REPORTS
from contracts.rulebook import Rulebook
from deploy.house import Plan, open_house
from deploy.rulebooks import load_rulebook

SEED: Final = 7


def demo(
    reports: Annotated[
        int, typer.Option(min=1, max=REPORTS, help="Only the first so many reports of the day.")
    ] = REPORTS,
    pace: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="N", help="N minutes of the story in a second; else at full speed."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Tell every event, not a choice of them.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another day of the same district.")] = SEED,
    data: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="A new folder for the house, which is kept."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary folder.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The story of one district's day: 200 reports by 20 riders, and what became of each.

    Starts a fresh house in a folder of its own, plays the day through it, tells it as it
    happens, and compares how it ends with the story; then drops every table and builds it again
    from the log, to the same bytes. Exit code 1 when anything is not as it must be.

    Examples:
      waggle demo
      waggle demo --pace 20
      waggle demo --data demo-house
      waggle demo --reports 40 --json
    """
    if data is not None and data.exists() and any(data.iterdir()):
        raise typer.BadParameter(f"{data} is not empty; the story wants a house of its own")
    yesterday = datetime.now(CHINA_TIME).date() - timedelta(days=1)
    asked = Asked(reports=reports, pace=pace, everything=everything, seed=seed, on=yesterday)
    finish(run(_demo(asked, data, keep=keep, as_json=as_json)))


async def _demo(asked: Asked, data: Path | None, *, keep: bool, as_json: bool) -> Exit:
    screen, clock = Screen(quiet=as_json), Clock()
    document = load_rulebook()
    book = Rulebook.model_validate(document)
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(_folder(data, keep=keep))
        receiver = await stack.enter_async_context(open_receiver())
        screen.waits("starting nats-server, PostgreSQL, four rooms and the projector ...")
        # The receiver listens on this very machine, which notices are otherwise not posted to.
        settings = {"WAGGLE_ALLOW_PRIVATE_WEBHOOKS": "1"}
        house = open_house(Plan(folder, document, settings=settings))
        info, _ = await stack.enter_async_context(house)
        screen.say(frame.ready(info, clock.lap("start")), whole=True)
        on = stage(asked, book, Session(info, stack), receiver, screen)
        result = await perform(asked, on, clock)
        screen.say()
        screen.say(frame.verdict(is_well=result.is_well, seconds=result.seconds))
        next_steps = frame.closing(result.eventful, result.rider, folder if keep or data else None)
        screen.page("接下来", "What to try next", next_steps)
        if as_json:
            print_json(result.document())
    return Exit.DONE if result.is_well else Exit.NO


@asynccontextmanager
async def _folder(data: Path | None, *, keep: bool) -> AsyncIterator[Path]:
    """Where the house lives: as asked for, or a temporary folder that goes in the end."""
    if data is not None:
        yield data
        return
    folder = Path(tempfile.mkdtemp(prefix="waggle-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
