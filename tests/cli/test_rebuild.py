"""Rebuilding where no house runs: servers alone are enough, also when tables are of yesterday."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.session import open_session
from deploy.projections import PROJECTIONS
from tests.cli.waggle import Waggle
from tests.deploy.folders import empty_house


@pytest.fixture(scope="module")
def idle() -> Iterator[Path]:
    """The data folder of a house that does not run, its tables rebuilt from an empty log."""
    with empty_house() as folder:
        assert Waggle(folder)("rebuild").code == 0
        yield folder


async def tables_are_of_version(folder: Path, version: int) -> None:
    async with open_session(folder, services=False) as session:
        tables = await session.owned_tables()
        await tables.execute("UPDATE router.checkpoint SET version = $1", version)


def test_an_empty_log_gives_equal_tables(idle: Path) -> None:
    said = Waggle(idle)("rebuild", "--check", "--json")
    assert said.code == 0
    assert "no house runs" not in said.out
    assert [p["equal"] for p in said.document["projections"]] == [True] * len(PROJECTIONS)


def test_tables_of_another_version_are_nothing_to_compare_with_and_are_replaced(
    idle: Path,
) -> None:
    asyncio.run(tables_are_of_version(idle, 99))
    checked = Waggle(idle)("rebuild", "--check", "--only", "router", "--json")
    assert checked.code == 1
    assert checked.document["projections"][0]["digest_live"] is None
    assert Waggle(idle)("rebuild", "--only", "router").code == 0
    assert Waggle(idle)("rebuild", "--check").code == 0


def test_a_row_that_is_not_what_the_log_says_is_found(idle: Path) -> None:
    asyncio.run(falsified(idle))
    said = Waggle(idle)("rebuild", "--check", "--json")
    assert said.code == 1
    assert [p["name"] for p in said.document["projections"] if not p["equal"]] == ["points"]
    assert Waggle(idle)("rebuild").code == 1
    assert Waggle(idle)("rebuild", "--check").code == 0


async def falsified(folder: Path) -> None:
    async with open_session(folder, services=False) as session:
        tables = await session.owned_tables()
        await tables.execute(
            "INSERT INTO points.balance VALUES ('rider:rider-99:available', 0, 1000000, 1, 1)"
        )
