"""`waggle docs`: the pages of documentation that are drawn from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.printing import finish, say
from cli.running import Exit
from contracts.case import Step
from services.router.lifecycle import TABLE, Move, Who

app = typer.Typer(help="Pages of documentation drawn from the code.", no_args_is_help=True)

KEPT: Final = Path("docs/case-lifecycle.md")

INTRODUCTION: Final = """# The life of a case

Drawn from `services/router/lifecycle.py` by `waggle docs case-lifecycle`; a test holds the two
equal. Decisions read the same table, so this page cannot promise what the house does not do.

One unit is accountable for a case at any time: who checks, dispatches or handles it, or the triage
desk. The unit that handled a case never says itself that it is done. Closed is not the same as
fixed: `fixed`, `answered`, `unfounded`, `not_ours` and `cancelled` are told apart everywhere.

What stands in no row is refused with its reason and with what is possible instead. Before any
command is decided the clock is heard: what ran out in the meantime becomes a fact first.
"""

STEPS: Final = {
    Step.NONE: "a report was accepted, nothing is decided yet",
    Step.REJECTED: "no case: only recorded, or the check found nothing",
    Step.CHECKING: "somebody looks before a case is opened",
    Step.JOINED: "the report gathers under another, open case",
    Step.DISPATCHED: "one unit has it and has not accepted it yet",
    Step.HANDLING: "the unit has taken it on",
    Step.SUSPENDED: "the clock stands still until a day that was set",
    Step.RESOLVED: "the unit says that it is done; somebody else looks",
    Step.CLOSED: "over; it may be contested, reopened, its lateness appealed",
}

CLOCKS: Final = """## Clocks

| clock | starts | limit | ends |
|---|---|---|---|
| check | `CheckOrdered` | `handling.check_limit` | `CaseOpened` or `CaseRejected` |
| dispatch | a dispatcher has it | `handling.dispatch_limit` | it is handed on, resolved or closed |
| accept | a handling unit has it | `handling.accept_limit`, or its deadline | `WorkAccepted` |
| handle | a handling unit has it | the condition's limit | `WorkResolved`: late or not |
| verify | `WorkResolved` | `handling.check_limit` | `WorkVerified` or `ReworkOrdered` |

| happening | handling clock |
|---|---|
| returned to a dispatcher | stands still; the dispatcher's own clock starts |
| dispatched again to the same unit | goes on with what was left |
| dispatched, handed on or reopened to another unit | starts anew |
| suspended | stands still until the day that was set, then goes on by itself |
| resolved, waiting for verification | stands still |
| rework | goes on with what was left |
| extended | is due when the extension says |

Each is a fact: `CaseDispatched` and `ClockResumed` (running), `ClockPaused`, `DeadlineNear`
(`handling.warn_at_percent` of the limit used up), `DeadlinePassed`, `CaseEscalated`. A loop asks
twice a second which moments have come and gives one command for each, named by the moment: after
a restart, or with two processes, nothing fires twice. A deadline that has passed stays passed; an
appeal that is granted takes the case out of the statistic and leaves the fact.
"""


@app.command("case-lifecycle")
def case_lifecycle(
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the page that is kept.")
    ] = False,
    file: Annotated[Path, typer.Option("--file", help="The page.", dir_okay=False)] = KEPT,
) -> None:
    """Draw the page of a case's life from its table; with --check fail where it is another one.

    Examples:
      waggle docs case-lifecycle
      waggle docs case-lifecycle --check
    """
    drawn = page()
    if not check:
        file.write_text(drawn, "utf-8")
        say(f"{file}: {len(TABLE)} rows")
    elif not file.exists() or file.read_text("utf-8") != drawn:
        say(f"{file} does not say what the code says: run `waggle docs case-lifecycle`", "red")
        finish(Exit.NO)


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_steps(), *_drawing(), *_table(), CLOCKS]
    return "\n".join(parts)


def _steps() -> Iterator[str]:
    yield "## Steps\n"
    yield "| step | meaning |\n|---|---|"
    yield from (f"| `{step}` | {meaning} |" for step, meaning in STEPS.items())
    yield ""


def _drawing() -> Iterator[str]:
    yield "```mermaid\nstateDiagram-v2"
    yield "    [*] --> none"
    edges: dict[tuple[str, str], list[str]] = {}
    for move in TABLE:
        for step in move.steps:
            for to in move.leads_to:
                if to is not step:
                    edges.setdefault((step, to), []).append(move.command.token)
    for (start, end), commands in edges.items():
        yield f"    {start} --> {end}: {', '.join(commands)}"
    yield "```\n"


def _table() -> Iterator[str]:
    yield "## Commands\n"
    yield "| command | at | by | leads to | facts | only |\n|---|---|---|---|---|---|"
    yield from map(_row, TABLE)
    yield ""


def _row(move: Move) -> str:
    steps = ", ".join(f"`{step}`" for step in move.steps)
    to = ", ".join(f"`{step}`" for step in move.leads_to) or "stays"
    facts = "; ".join(" + ".join(kind.__name__ for kind in row) for row in move.facts)
    by = "the house itself" if move.who is Who.HOUSE else str(move.who)
    return f"| `{move.command.token}` | {steps} | {by} | {to} | {facts} | {move.only or '–'} |"
