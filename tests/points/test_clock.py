"""The clock of points: what is due is rung once, whatever breaks. Ledger invariant L10."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import asyncpg

from services.points import watch as module
from services.points.watch import LOTS, Watch, look_once
from tests.given import NOON

PASSING = (ConnectionError,)


class Tables:
    """Rows that are due, as the tables show them: a moment behind."""

    def __init__(self, *rows: tuple[str, str, bool]) -> None:
        self.rows = list(rows)

    async def fetch(self, _: str, now: datetime, most: int) -> list[tuple[str, str, bool]]:
        return self.rows[:most]


def watching(*rows: tuple[str, str, bool]) -> tuple[Watch, Tables]:
    tables = Tables(*rows)
    return Watch(cast(asyncpg.Pool, tables), LOTS), tables


async def test_what_is_due_is_rung_once_until_the_tables_show_what_came_of_it() -> None:
    watch, tables = watching(("ann", "one", True), ("bo", "two", False))
    rung: list[tuple[str, str, bool]] = []

    async def ring(*due: Any) -> None:
        rung.append(due)

    await look_once(watch, ring, NOON, PASSING)
    await look_once(watch, ring, NOON, PASSING)
    assert rung == [("ann", "one", True), ("bo", "two", False)]
    tables.rows = [("ann", "one", False)]
    await look_once(watch, ring, NOON + timedelta(days=30), PASSING)
    assert rung[2:] == [("ann", "one", False)]


async def test_what_failed_is_rung_again_and_holds_nobody_else_up() -> None:
    watch, _ = watching(("ann", "one", True), ("bo", "two", True), ("cy", "three", True))
    rung: list[str] = []

    async def ring(rider: str, lot: str, pending: bool) -> None:
        rung.append(rider)
        if len(rung) == 1:
            raise ConnectionError("for a moment")
        if rider == "bo":
            raise RuntimeError("for good")

    await look_once(watch, ring, NOON, PASSING)
    await look_once(watch, ring, NOON, PASSING)
    assert sorted(rung) == ["ann", "ann", "bo", "cy"]


async def test_more_than_a_look_takes_is_taken_at_once_and_those_heard_do_not_block(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 2)
    watch, _ = watching(*((f"r{n}", f"lot{n}", True) for n in range(5)))
    rung: list[str] = []

    async def ring(rider: str, lot: str, pending: bool) -> None:
        rung.append(rider)

    more = [await look_once(watch, ring, NOON, PASSING) for _ in range(3)]
    assert more == [True, True, False]
    assert rung == ["r0", "r1", "r2", "r3", "r4"]


async def test_without_tables_nothing_is_rung() -> None:
    class Nothing:
        async def fetch(self, *_: Any) -> Any:
            raise asyncpg.UndefinedTableError("points.lot")

    watch = Watch(cast(asyncpg.Pool, Nothing()), LOTS)

    async def ring(*_: Any) -> None:
        raise AssertionError("nothing is due")

    assert not await look_once(watch, ring, NOON, PASSING)
