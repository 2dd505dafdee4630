"""How verbs print: one JSON document, or lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cli.running import Exit, err, out, print_json
from contracts.envelope import Answer, Outcome, Reason

__all__ = [
    "finish",
    "in_words",
    "moment",
    "note",
    "print_answer",
    "print_json",
    "print_table",
    "progress_bar",
    "say",
]

OUTCOME_EXITS: Final[Mapping[Outcome, Exit]] = {
    Outcome.ACCEPTED: Exit.DONE,
    Outcome.REFUSED: Exit.NO,
    Outcome.INVALID: Exit.WRONG_INPUT,
    Outcome.BUSY: Exit.UNKNOWN,
    Outcome.UNKNOWN: Exit.UNKNOWN,
}
"""The exit code of a command's outcome."""
IDS: Final = frozenset({"case", "report", "fact"})
"""Columns that are copied from: they stay on one line, others give way."""


def say(line: str, style: str | None = None) -> None:
    """A line of the answer, as it is: nothing in it is markup, nothing is wrapped."""
    out.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def note(line: str) -> None:
    """A remark beside the answer, on stderr."""
    err.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], title: str = "") -> None:
    """Rows under headings; numbers to the right. In a narrow terminal nothing is cut off."""
    table = Table(
        box=None, pad_edge=False, title=title or None, title_justify="left", title_style="bold"
    )
    lines = [["" if value is None else value for value in row] for row in rows]
    for place, heading in enumerate(columns):
        numbers = bool(lines) and all(isinstance(line[place], int | float) for line in lines)
        table.add_column(
            heading,
            justify="right" if numbers else "left",
            header_style="dim",
            overflow="fold",
            no_wrap=heading in IDS,
        )
    for line in lines:
        table.add_row(*(_cell(value) for value in line))
    out.print(table)


def progress_bar() -> Progress:
    """On stderr, gone when it is done; a task's `told` stands behind its bar."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )


def print_answer(answer: Answer, *, known: bool, as_json: bool, **beside: object) -> Exit:
    """The answer to a command, and the exit code it means."""
    if as_json:
        print_json({**answer.model_dump(mode="json"), "known": known, **beside})
        return OUTCOME_EXITS[answer.outcome]
    line = f"{answer.outcome}  {answer.id}"
    if answer.sequence is not None:
        line += f"  sequence {answer.sequence}"
    if known:
        line += "  (decided before; nothing has changed)"
    say(line, "green" if answer.outcome is Outcome.ACCEPTED else "yellow")
    for reason in answer.reasons:
        say(f"  {in_words(reason)}")
    return OUTCOME_EXITS[answer.outcome]


def in_words(reason: Reason) -> str:
    """A reason on one line: the field it is about, its code, its words."""
    start = f"{reason.field}: " if reason.field else ""
    return f"{start}{reason.code}" + (f": {reason.detail}" if reason.detail else "")


def moment(at: datetime | None, zone: tzinfo) -> str:
    """A moment as people of that zone write it."""
    return "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def finish(code: Exit) -> None:
    """End the verb with this exit code."""
    if code is not Exit.DONE:
        raise typer.Exit(int(code))


def _cell(value: object) -> Text:
    """What a cell holds is never read as markup."""
    return Text(f"{value:.2f}" if isinstance(value, float) else str(value))
