"""Reads the log as the auditor while the day goes on: what has really happened, fact by fact."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from nats.js import JetStreamContext

from contracts.account import PointsAwarded
from contracts.case import CaseClosed, ReworkOrdered, WorkReturned
from contracts.envelope import Fact, Recorded
from contracts.notice import NoticeDelivered
from contracts.report import ReportAccepted, ReportRefused
from eventlog.read import Unread, follow
from eventlog.tasks import stop

QUIET: Final = 20.0
"""Seconds without any new fact after which nothing more is waited for."""


class Witness:
    """Every fact of the log so far, and whoever waits for one."""

    def __init__(self) -> None:
        self.facts: list[Recorded] = []
        self.unread: list[Unread] = []
        self.seen: Counter[type[Fact]] = Counter()
        self.points = 0
        self.told: Counter[str] = Counter()
        """Notices delivered, by channel."""
        self._awards: defaultdict[str, asyncio.Future[PointsAwarded]] = defaultdict(
            asyncio.get_running_loop().create_future
        )
        self._more = asyncio.Condition()

    async def award(self, report_id: str) -> PointsAwarded | None:
        """The points of a report, as soon as they are in the log; None when they stay away."""
        try:
            async with asyncio.timeout(QUIET):
                return await asyncio.shield(self._awards[report_id])
        except TimeoutError:
            return None

    async def until(self, done: Callable[[Witness], bool]) -> bool:
        """Wait until the log holds what is asked for; False when it has fallen silent before."""
        async with self._more:
            while not done(self):
                try:
                    async with asyncio.timeout(QUIET):
                        await self._more.wait()
                except TimeoutError:
                    return False
        return True

    async def follow(self, js: JetStreamContext) -> None:
        """Read on for ever."""
        async for batch in follow(js, after=0):
            for entry in batch:
                if isinstance(entry, Unread):
                    self.unread.append(entry)
                else:
                    self._take(entry)
            async with self._more:
                self._more.notify_all()

    def _take(self, fact: Recorded) -> None:
        self.facts.append(fact)
        self.seen[type(fact.body)] += 1
        match fact.body:
            case PointsAwarded(report_id=report_id, points=points) as award:
                self.points += points
                if not (waiting := self._awards[report_id]).done():
                    waiting.set_result(award)
            case NoticeDelivered(channel=channel):
                self.told[channel] += 1

    def counters(self) -> Iterable[tuple[str, int]]:
        """What has come together by now, for a reader."""
        seen = self.seen
        return (
            ("受理", seen[ReportAccepted]),
            ("不受理", seen[ReportRefused]),
            ("退回", seen[WorkReturned]),
            ("返工", seen[ReworkOrdered]),
            ("结案", seen[CaseClosed]),
            ("积分", self.points),
            ("通知", self.told.total()),
        )


@asynccontextmanager
async def open_witness(js: JetStreamContext) -> AsyncIterator[Witness]:
    """A witness that reads for as long as it is open."""
    witness = Witness()
    reading = asyncio.create_task(witness.follow(js))
    try:
        yield witness
    finally:
        await stop(reading)
