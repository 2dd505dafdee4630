"""Who may go next when each key serves one at a time. Pure.

A decision joins the line of every stream id it writes, all at once, and is ready when it stands
first in each. So two decisions about one stream id never travel together, they keep the order
in which they came, nobody waits for a stranger, and there is no deadlock: all lines know the
same order of joining. Joining and leaving cost the same however long the lines are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Lines(Generic[T]):
    """The lines of all keys. `ready` holds those who stand first everywhere, oldest first."""

    __slots__ = ("_lines", "_waits", "ready")

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}
        self._waits: dict[T, int] = {}
        self.ready: deque[T] = deque()

    def join(self, item: T, keys: Iterable[str]) -> None:
        """Stand at the end of the line of each of `keys` (each given once)."""
        behind = 0
        for key in keys:
            line = self._lines.get(key)
            if line is None:
                self._lines[key] = deque((item,))
            else:
                line.append(item)
                behind += 1
        if behind:
            self._waits[item] = behind
        else:
            self.ready.append(item)

    def leave(self, item: T, keys: Iterable[str]) -> None:
        """Go, from the front or (given up) from the middle; whoever stands first now is ready."""
        self._waits.pop(item, None)
        for key in keys:
            line = self._lines[key]
            if line[0] is not item:
                line.remove(item)
                continue
            line.popleft()
            if line:
                self._advance(line[0])
            else:
                del self._lines[key]

    def _advance(self, item: T) -> None:
        self._waits[item] -= 1
        if not self._waits[item]:
            del self._waits[item]
            self.ready.append(item)

    def __len__(self) -> int:
        """How many keys have a line."""
        return len(self._lines)
