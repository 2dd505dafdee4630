"""What the demo shows: lines as the day goes on, a bar beneath them, tables at the end.

In a pipe there are the lines alone, without colours; with `--json` there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from cli.demo.folding import Folded, Glossed
from cli.demo.telling import Line, SoFar
from cli.running import err, out

COLOURS: Final = ("cyan", "magenta", "yellow", "green", "blue", "bright_cyan", "bright_magenta")
"""A report keeps its colour, so that an eye can follow it."""
VERBS: Final = 6
"""Cells of the longest verb."""

Counters = Callable[[], Iterable[tuple[str, int]]]


class DayBar(Progress):
    """A bar with the day's counters beneath it."""

    def __init__(self, console: Console, counters: Counters) -> None:
        self._counters = counters
        super().__init__(
            TextColumn("[bold]{task.fields[clock]}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=True,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, and what has come together by now."""
        yield self.make_tasks_table(self.tasks)
        yield Text(" · ".join(f"{what} {n}" for what, n in self._counters()), style="dim")


class Screen:
    """Where everything is shown, in the order in which it happens."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = Console(quiet=True) if quiet else out
        self._live = out if out.is_terminal and not quiet else err
        self._hour = -1

    def say(self, text: RenderableType = "", *, whole: bool = False) -> None:
        """A paragraph; a `whole` one is a single line whatever the width."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=whole)

    def page(self, zh: str, en: str, *content: RenderableType) -> None:
        """A heading in both languages, and what stands beneath it."""
        self.say()
        self.say(Folded("━━ ", (zh, "bold"), f"  {en}"))
        for place, part in enumerate(content):
            if place:
                self.say()
            self.say(part)

    def waits(self, note: str) -> None:
        """A remark beside the story: what is going on and takes a moment."""
        err.print(note, style="dim", markup=False, highlight=False)

    @contextmanager
    def steps(self, name: str, count: int) -> Iterator[Callable[[str], None]]:
        """A bar for what has a few long steps. Gives what to call where one begins."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._live,
            transient=True,
            disable=not self._live.is_terminal,
        )
        with bar:
            task = bar.add_task(name, total=count, completed=-1)
            yield lambda step: bar.update(task, advance=1, description=f"{name} {step}")

    @contextmanager
    def day(self, scenes: int, counters: Counters) -> Iterator[Callable[[Line | None, str], None]]:
        """The bar of a day. Gives what to call after each scene: its line, and the clock."""
        with DayBar(self._live, counters) as bar:
            task: TaskID = bar.add_task("", total=scenes, clock="")

            def advance(line: Line | None, clock: str) -> None:
                if line is not None:
                    self.say(_line(line))
                bar.update(task, advance=1, clock=clock)

            yield advance

    def hour(self, hour: int, so_far: SoFar) -> None:
        """A mark where an hour of the story begins, with the count so far."""
        if hour == self._hour:
            return
        self._hour = hour
        self.say(Folded("── ", (f"{hour:02}:00", "bold"), f"  {so_far}"))


def _line(line: Line) -> Table:
    """Time, what, whose report; the sentence with what was written, and the gloss beneath."""
    said, number = line.said, line.report_id.rpartition("-")[2]
    colour = COLOURS[int(number) % len(COLOURS)] if number.isdigit() else ""
    quote = (f"：“{said.quote}”", "italic") if said.quote else "。" if said.after else ""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, min_width=VERBS)
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(
        Text(f"{line.at:%H:%M}", "dim"),
        Text(said.verb, said.style),
        Text(number, colour),
        Glossed(Folded(said.zh, quote, said.after), Folded(said.en, style="dim")),
    )
    return grid
