"""A stream that the server has lost is not made anew."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from deploy.errors import StartError
from deploy.house import Plan, open_house
from deploy.rulebooks import load_rulebook
from deploy.stored import MEMORY


def stored(house: Path) -> list[Path]:
    """The files of the log, as the server has them."""
    return list(house.glob("nats/store/jetstream/*/streams/LOG"))


def lose_the_log(house: Path) -> None:
    """What nats-server 2.15 does by itself when it cannot read a compressed block."""
    shutil.rmtree(stored(house)[0])


async def test_a_house_whose_server_has_lost_the_log_does_not_start_on_an_empty_one(
    house: Path,
) -> None:
    plan = Plan(house, load_rulebook(), services=False)
    async with open_house(plan):
        pass
    await asyncio.to_thread(lose_the_log, house)
    with pytest.raises(StartError, match="the stream LOG is gone"):
        async with asyncio.timeout(60), open_house(plan):
            raise AssertionError("it has started")
    assert not stored(house), "it was made anew"
    await asyncio.to_thread((house / MEMORY).unlink)
    async with open_house(plan):
        assert stored(house)
