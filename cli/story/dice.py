"""Chance that falls the same way on every machine and every version of Python.

Each throw is named, so a sentence added to one list moves nothing in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """All throws of one seed."""

    seed: int

    def _throw(self, name: str) -> int:
        return int.from_bytes(sha256(f"{self.seed}/{name}".encode()).digest()[:8], "big")

    def between(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self._throw(name) % (high - low + 1)

    def pick(self, name: str, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self._throw(name) % len(options)]

    def shuffled(self, name: str, items: Iterable[T]) -> list[T]:
        """The items in a new order."""
        thrown = ((self._throw(f"{name}/{i}"), i, item) for i, item in enumerate(items))
        return [item for _, _, item in sorted(thrown, key=lambda t: t[:2])]
