"""The cases that this process opens: reports of one thing take turns, all others go side by side.

The tables show a case a moment after it was opened. Until they do, it is looked up here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.case import CaseOpened, Nearby
from contracts.envelope import Fact
from contracts.report import Position
from services.router.duplicates import around

CELL: Final = 500
"""Cells to a degree: each about two hundred metres high."""
REMEMBERED: Final = 5_000
"""Cases that are kept at most, where no table tells what it shows."""

Cell = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """The open cases around a point that the tables show, and the place of the log that is."""

    cases: tuple[Nearby, ...]
    as_of: int


@dataclass(eq=False, slots=True)
class Opening:
    """One report on its way to a case."""

    cell: Cell
    position: Position
    over: asyncio.Event = field(default_factory=asyncio.Event)
    case: Nearby | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of one report: nobody else opens a case around it."""

    openings: Openings
    opening: Opening
    before: tuple[Opening, ...]
    """What was opened around it, as far as it is remembered here."""

    def nearby(self, shown: Shown) -> tuple[Nearby, ...]:
        """The open cases around: those of the tables, and those that they cannot show yet."""
        found = {case.case_id: case for case in shown.cases}
        for one in self.before:
            if one.case and one.sequence > shown.as_of:
                found[one.case.case_id] = one.case
        self.openings.forget(shown.as_of)
        return tuple(found[case_id] for case_id in sorted(found))

    def opened(self, facts: Iterable[Fact], at: datetime, sequence: int) -> None:
        """What came of the report, at a moment; its facts end at a place of the log."""
        for fact in facts:
            if isinstance(fact, CaseOpened) and fact.position and fact.condition:
                self.opening.sequence = sequence
                self.opening.case = Nearby(
                    case_id=fact.case_id,
                    condition=fact.condition,
                    position=fact.position,
                    opened_at=at,
                )


class Openings:
    """What is being opened, and what has been opened a moment ago, by where it is."""

    def __init__(self) -> None:
        self._cells: dict[Cell, list[Opening]] = {}
        self._opened: deque[Opening] = deque()

    @asynccontextmanager
    async def turn(self, condition: str, position: Position, metres: float) -> AsyncIterator[Turn]:
        """Wait for what began before within a distance; what lies farther off goes on meanwhile."""
        before = tuple(self._around(condition, position, metres))
        mine = Opening((condition, *_cell(position.lat, position.lng)), position)
        self._cells.setdefault(mine.cell, []).append(mine)
        try:
            for other in before:
                await other.over.wait()
            yield Turn(self, mine, before)
        finally:
            mine.over.set()
            if mine.case is None:
                self._remove(mine)
            else:
                self._opened.append(mine)
                if len(self._opened) > REMEMBERED:
                    self._remove(self._opened.popleft())

    def forget(self, as_of: int) -> None:
        """The tables show everything up to a place of the log."""
        while self._opened and self._opened[0].sequence <= as_of:
            self._remove(self._opened.popleft())

    def _remove(self, opening: Opening) -> None:
        there = self._cells[opening.cell]
        there.remove(opening)
        if not there:
            del self._cells[opening.cell]

    def _around(self, condition: str, position: Position, metres: float) -> Iterator[Opening]:
        south, west, north, east = around(position, metres)
        (first_row, first), (last_row, last) = _cell(south, west), _cell(north, east)
        for row in range(first_row, last_row + 1):
            for column in range(first, last + 1):
                for one in self._cells.get((condition, row, column), ()):
                    at = one.position
                    if south <= at.lat <= north and west <= at.lng <= east:
                        yield one


def _cell(lat: float, lng: float) -> tuple[int, int]:
    return int(lat * CELL // 1), int(lng * CELL // 1)
