"""Questions that come while one is under way go as one, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from eventlog.together import AT_ONCE, Together


class Table:
    """Answers with twice the number, and remembers what it was asked at a time."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.broken = False

    async def answers(self, numbers: Sequence[int]) -> dict[int, int]:
        self.asked.append(tuple(numbers))
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionError("gone")
        return {number: 2 * number for number in numbers}


@pytest.fixture
def table() -> Table:
    return Table()


async def test_each_gets_its_own_answer_and_all_go_together(table: Table) -> None:
    together = Together(table.answers)
    assert await asyncio.gather(*map(together.ask, (1, 2, 3))) == [2, 4, 6]
    assert table.asked == [(1, 2, 3)]


async def test_what_comes_meanwhile_is_looked_for_afterwards(table: Table) -> None:
    """An answer that was under way may be older than the question."""
    together = Together(table.answers)
    first = asyncio.create_task(together.ask(1))
    while not table.asked:
        await asyncio.sleep(0)
    again = asyncio.create_task(together.ask(1))
    assert (await first, await again) == (2, 2)
    assert table.asked == [(1,), (1,)]


async def test_no_statement_is_asked_too_much(table: Table) -> None:
    together = Together(table.answers)
    many = range(AT_ONCE + 1)
    assert await asyncio.gather(*map(together.ask, many)) == [2 * n for n in many]
    assert [len(asked) for asked in table.asked] == [AT_ONCE, 1]


async def test_what_breaks_is_told_to_all_who_asked_and_to_nobody_later(table: Table) -> None:
    together = Together(table.answers)
    table.broken = True
    told = await asyncio.gather(*map(together.ask, (1, 2)), return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionError, ConnectionError]
    table.broken = False
    assert await together.ask(1) == 2


async def test_who_leaves_takes_the_answer_from_nobody(table: Table) -> None:
    together = Together(table.answers)
    leaving, staying = (asyncio.create_task(together.ask(1)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2
    assert leaving.cancelled()
