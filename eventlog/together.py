"""Questions to a table that come while one is under way are put together, as the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

AT_ONCE: Final = 500
"""Questions that are put together at most."""


class Together(Generic[K, V]):
    """Asks many questions in one statement, where each by itself would cost a round trip.

    Nobody waits for others to come: whoever is alone is asked for at once. An answer was always
    looked for after its question had come.
    """

    def __init__(self, answers: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`answers` knows the answer to every question that it is given, or raises."""
        self._answers = answers
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: K) -> V:
        """The answer to one question. Raises what `answers` raises."""
        future = self._waiting.get(question)
        if future is None:
            future = self._waiting[question] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                round_ = dict(islice(self._waiting.items(), AT_ONCE))
                for question in round_:
                    del self._waiting[question]
                await self._settle(round_)
        finally:
            self._asking = None

    async def _settle(self, waiting: Mapping[K, asyncio.Future[V]]) -> None:
        asked = asyncio.ensure_future(self._answers(tuple(waiting)))
        try:
            await asyncio.wait((asked,))
        finally:
            asked.cancel()
        for question, future in waiting.items():
            if asked.cancelled() or future.done():
                future.cancel()
            elif error := asked.exception():
                future.set_exception(error)
            else:
                future.set_result(asked.result()[question])
