"""A small state folded from a few subjects and kept current in memory: the rules in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog
from nats.js import JetStreamContext

from contracts.envelope import Recorded
from eventlog.read import Unread, follow, read_log
from eventlog.tasks import end

S = TypeVar("S")
log = structlog.get_logger()

PAUSE: Final = 1.0
"""Seconds until following is tried again."""


class Standing(Generic[S]):
    """Holds `value`, the fold of all facts on `subjects`, and keeps following them."""

    def __init__(
        self, subjects: tuple[str, ...], initial: S, evolve: Callable[[S, Recorded], S]
    ) -> None:
        self.value = initial
        self.sequence = 0
        self._subjects = subjects
        self._evolve = evolve
        self._task: asyncio.Task[None] | None = None

    async def start(self, js: JetStreamContext) -> None:
        """Fold what is there, then follow in the background."""
        async for batch in read_log(js, subjects=self._subjects):
            self._take(batch)
        self._task = asyncio.create_task(self._follow(js))

    async def stop(self) -> None:
        """Follow no more."""
        if self._task:
            await end(self._task)

    async def _follow(self, js: JetStreamContext) -> None:
        """Whatever breaks it: what is decided on must not grow old in silence."""
        while True:
            try:
                async for batch in follow(js, after=self.sequence, subjects=self._subjects):
                    self._take(batch)
            except Exception:
                log.exception("standing_broke", subjects=self._subjects, after=self.sequence)
            await asyncio.sleep(PAUSE)

    def _take(self, batch: list[Recorded | Unread]) -> None:
        for item in batch:
            if isinstance(item, Unread):
                log.error("fact_unreadable", sequence=item.sequence, reason=item.reason)
            else:
                self.value = self._evolve(self.value, item)
            self.sequence = item.sequence
