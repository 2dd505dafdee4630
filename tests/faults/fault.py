"""What befalls a house: arranged, done, shown to have had an effect, and healed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import ClassVar

from deploy.processes import log_size
from tests.faults.stand import Stand, behind_wires
from tests.journey.playing import Faults


class Fault:
    """One fault. A subclass says what it does; the scenario and the oracle are the same for all.

    `number` and what must hold are those of the list in docs/reliability.md.
    """

    number: ClassVar[str]
    stand: ClassVar[Callable[[], AbstractAsyncContextManager[Stand]]] = staticmethod(behind_wires)
    """Where it can happen."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        """What it brought about, counted; each must have happened at least once."""
        self.planted: set[int] = set()
        """The sequences at which it has put what is no fact."""

    @property
    def name(self) -> str:
        """Its number and what it is, in words."""
        words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(self).__name__)
        return f"{self.number}{words}"

    async def arrange(self, stand: Stand) -> None:
        """What has to be in place before."""

    async def act(self, stand: Stand, dice: Random) -> None:
        """Let it happen while the house is at work."""
        raise NotImplementedError

    async def heal(self, stand: Stand) -> None:
        """Take it away again, whatever has happened."""

    async def befall(self, stand: Stand, dice: Random) -> None:
        """All of it. Raises `AssertionError` for what did not take effect."""
        await self.arrange(stand)
        try:
            await self.act(stand, dice)
        finally:
            await self.heal(stand)
        missing = [effect for effect, times in self.effects.items() if not times]
        assert self.effects, f"{self.name}: no effect is counted"
        assert not missing, f"{self.name} had no effect: {missing}; it had {dict(self.effects)}"

    async def until(self, effect: str, times: int = 1, within: float = 30.0) -> None:
        """Wait until the fault has had an effect so many times."""
        self.effects[effect] += 0
        async with asyncio.timeout(within):
            while self.effects[effect] < times:
                await asyncio.sleep(0.02)


def one_after_the_other(
    stand: Stand, faults: Sequence[Fault], dice: Random, *, rest: tuple[float, float] = (0.3, 1.0)
) -> Faults:
    """The faults in an order that the dice choose, with a rest of random length before each."""

    async def all_of_them(_: object) -> None:
        for fault in dice.sample(faults, len(faults)):
            await asyncio.sleep(dice.uniform(*rest))
            await fault.befall(stand, dice)

    return all_of_them


class Ear:
    """What a process of the house logs from now on."""

    def __init__(self, stand: Stand, name: str) -> None:
        self._file = stand.folder / "log" / f"{name}.log"
        self._mark = log_size(self._file)

    def count(self, event: str, containing: str = "") -> int:
        """How often it said so since."""
        with self._file.open("rb") as file:
            file.seek(self._mark)
            lines = file.read().splitlines()
        return sum(_event(line) == event and containing.encode() in line for line in lines)


def _event(line: bytes) -> str | None:
    try:
        return str(json.loads(line).get("event"))
    except ValueError:
        return None  # a line that is not of our own making
