"""Takes decisions, sends them in rounds, and sees that every caller gets an answer.

On one server a handful of decisions travel side by side, each as a plain publish. More gather
while a group is under way, and are the next group: its disk is one queue anyway. On a replicated
stream every decision goes at once, since the leader gathers by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from eventlog.append.answers import Answer, Meaning
from eventlog.append.atomic import MOST_MESSAGES, Attempt, Wire
from eventlog.append.decisions import (
    Appended,
    Busy,
    Closed,
    Decision,
    Entry,
    Stats,
    Unknown,
    frames,
)
from eventlog.append.lines import Lines
from eventlog.append.resolve import Resolver
from eventlog.append.safety import unsafe
from eventlog.append.settle import Settler
from eventlog.message import LOG

_SWEEP: Final = 0.1
"""Seconds between looks for attempts and decisions that waited too long."""

_INFO: Final = "$JS.API.STREAM.INFO"
_UNAVAILABLE: Final = 503

log = structlog.get_logger(__name__)


class UnsafeLog(Exception):
    """The stream must not be trusted with facts: every reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A limit on everything."""

    budget: float = 20.0
    """Seconds a decision may take in all, waiting included."""
    timeout: float = 3.0
    """Seconds to wait for the answer to one attempt."""
    single_below: int = 12
    """From how many waiting decisions on a group pays (a batch costs some 3 ms to open)."""
    group_messages: int = 500
    """The most messages in a group."""
    group_bytes: int = 1024 * 1024
    """The most bytes in a group."""
    in_flight: int = 512
    """Replicated: the most decisions on the wire."""
    batches_in_flight: int = 16
    """Replicated: the most batches on the wire (the server takes 50 in a stream, of everybody)."""
    queue: int = 8192
    """The most decisions waiting; one more is told `Busy` at once."""

    def __post_init__(self) -> None:
        if not 1 <= self.group_messages <= MOST_MESSAGES:
            raise ValueError(f"group_messages must be 1 to {MOST_MESSAGES}")


DEFAULTS: Final = Limits()


class Appender:
    """The one way into the log for a process. Made by `Appender.open`, ended by `close`."""

    def __init__(
        self, nc: Client, *, replicated: bool, stream: str = LOG, limits: Limits = DEFAULTS
    ) -> None:
        self.replicated = replicated
        self.stream = stream
        self.limits = limits
        self.stats = Stats()
        self._nc = nc
        self._wire = Wire(nc)
        self._settler = Settler(
            self._attempt, Resolver(nc, limits.timeout, stream), self.stats, self._worth_a_group
        )
        self._lines: Lines[Entry] = Lines()
        self._waiting: dict[Entry, None] = {}
        self._underway: set[Entry] = set()
        self._open_parcels = 0
        self._open_batches = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False

    @classmethod
    async def open(cls, nc: Client, *, stream: str = LOG, limits: Limits = DEFAULTS) -> Self:
        """An appender for the log that `nc` reaches, or for another stream kept as well as it.

        Raises `UnsafeLog` if it must not be used.
        """
        config = await _config(nc, stream, limits)
        if reasons := unsafe(config):
            raise UnsafeLog(f"stream {stream} is not safe for facts: {'; '.join(reasons)}")
        appender = cls(nc, replicated=config["num_replicas"] > 1, stream=stream, limits=limits)
        await appender.start()
        return appender

    async def start(self) -> None:
        """Begin to listen and to send."""
        await self._wire.open()
        committer = asyncio.create_task(self._commit(), name="append-commit")
        self._tasks.add(committer)
        committer.add_done_callback(self._stopped)

    async def append(self, decision: Decision) -> Appended:
        """Store `decision`; the definite answer.

        Raises `Conflict`, `Busy`, `LogFull`, `Unknown`, and `Unfit` or `Rejected` for what only
        a bug explains.
        """
        return await self.submit(decision)

    def submit(self, decision: Decision) -> asyncio.Future[Appended]:
        """`append` without waiting, for whoever has many: the answer comes to the future.

        Raises `Busy`, `Unfit` and `Closed` at once.
        """
        if self._closing:
            raise Closed("the appender is closed")
        if len(self._waiting) >= self.limits.queue:
            self.stats.busy += 1
            raise Busy(f"{self.limits.queue} decisions wait already")
        loop = asyncio.get_running_loop()
        entry = Entry(
            decision,
            frames(decision, self._nc.max_payload, self.stream),
            loop.create_future(),
            loop.time() + self.limits.budget,
            self._ended,
        )
        self._waiting[entry] = None
        self._lines.join(entry, decision.expected)
        self._idle.clear()
        self._wake.set()
        if self._timer is None:
            self._timer = loop.call_later(_SWEEP, self._sweep)
        return entry.future

    @property
    def waiting(self) -> int:
        """How many decisions wait to be sent."""
        return len(self._waiting)

    async def close(self, grace: float = 5.0) -> None:
        """Take no more, bring what was taken to its end, and stop.

        What has no answer after `grace` seconds is told `Unknown`, or `Busy` if it never left.
        """
        self._closing = True
        try:
            async with asyncio.timeout(grace):
                if self._waiting or self._underway:
                    await self._idle.wait()
        except TimeoutError:
            log.warning("append_closed_early", waiting=self.waiting, underway=len(self._underway))
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._abandon("the appender was closed")
        if self._timer is not None:
            self._timer.cancel()
        await self._wire.close()

    # Rounds: what goes together, and when.

    async def _commit(self) -> None:
        """Send whatever may go, each time something came or something was answered."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)  # whoever was woken by the same answers may still join
            self._wake.clear()
            if parcels := self._next_round():
                await self._wire.send([parcel.depart() for parcel in parcels])

    def _next_round(self) -> list[_Parcel]:
        """What goes now, in parcels that are one publish or one batch each."""
        if self.replicated:
            return self._take_each(self.limits.in_flight)
        if self._open_batches:
            return []
        if self._worth_a_group(self._lines.ready):
            return self._take_group()
        return self._take_each(self.limits.single_below)

    def _take_each(self, in_flight: int) -> list[_Parcel]:
        parcels: list[_Parcel] = []
        while self._open_parcels < in_flight and (entry := self._first()):
            if len(entry.frames) > 1 and self._open_batches >= self.limits.batches_in_flight:
                break
            parcels.append(_Parcel(self, [self._take(entry)]))
        return parcels

    def _take_group(self) -> list[_Parcel]:
        entries: list[Entry] = []
        messages = size = 0
        while entry := self._first():
            messages += len(entry.frames)
            size += entry.size
            over = messages > self.limits.group_messages or size > self.limits.group_bytes
            if entries and over:
                break
            entries.append(self._take(entry))
        return [_Parcel(self, entries)] if entries else []

    def _first(self) -> Entry | None:
        """The oldest that may go; those who gave up, or whose caller left, are passed over."""
        ready = self._lines.ready
        while ready:
            entry = ready[0]
            if not entry.ended and not entry.future.cancelled():
                return entry
            ready.popleft()
            entry.fail(Busy("the caller left"))
        return None

    def _take(self, entry: Entry) -> Entry:
        self._lines.ready.popleft()
        del self._waiting[entry]
        self._underway.add(entry)
        return entry

    def _worth_a_group(self, entries: Collection[Entry]) -> bool:
        """Whether one batch is better than a plain publish each. A decision is never split."""
        return len(entries) > 1 and (
            len(entries) >= self.limits.single_below or any(len(e.frames) > 1 for e in entries)
        )

    async def _attempt(self, entries: Sequence[Entry]) -> Answer:
        """One more attempt, awaited."""
        loop = asyncio.get_running_loop()
        self.stats.sent(entries)
        answer: asyncio.Future[Answer] = loop.create_future()
        deadline = min(loop.time() + self.limits.timeout, max(e.deadline for e in entries))
        every = [frame for entry in entries for frame in entry.frames]
        await self._wire.send([Attempt(every, deadline, answer.set_result)])
        return await answer

    # Ends: no caller waits for ever.

    def _ended(self, entry: Entry) -> None:
        """Its caller has an answer: the next about the same stream ids may go."""
        self._waiting.pop(entry, None)
        self._underway.discard(entry)
        self._lines.leave(entry, entry.decision.expected)
        self._wake.set()
        if not self._waiting and not self._underway:
            self._idle.set()

    def _sweep(self) -> None:
        """Lost attempts are answered; decisions that could not leave in time are sent back."""
        self._wire.expire()
        loop = asyncio.get_running_loop()
        now = loop.time()
        while (oldest := next(iter(self._waiting), None)) and oldest.deadline <= now:
            self.stats.busy += 1
            oldest.fail(Busy(f"waited {self.limits.budget:g} s without being sent"))
        busy = self._waiting or self._underway
        self._timer = loop.call_later(_SWEEP, self._sweep) if busy else None

    def _stopped(self, committer: asyncio.Task[None]) -> None:
        """Nothing can be sent any more: a bug, unless it was closed."""
        self._tasks.discard(committer)
        if not committer.cancelled() and (error := committer.exception()) is not None:
            self._closing = True
            log.error("append_stopped", exc_info=error)
            self._abandon(f"the appender stopped: {error!r}")

    def _abandon(self, why: str) -> None:
        for entry in tuple(self._waiting):
            entry.fail(Busy(why))
        for entry in tuple(self._underway):
            self.stats.unknown += 1
            entry.fail(Unknown(f"{entry.decision.command_id}: {why}"))


class _Parcel:
    """Entries that travel together, from their first attempt to their last."""

    __slots__ = ("_appender", "_entries", "_frames", "_open")

    def __init__(self, appender: Appender, entries: list[Entry]) -> None:
        self._appender = appender
        self._entries = entries
        self._frames = [frame for entry in entries for frame in entry.frames]
        self._open = True
        appender._open_parcels += 1
        appender._open_batches += len(self._frames) > 1

    def depart(self) -> Attempt:
        """The first attempt."""
        self._appender.stats.sent(self._entries)
        deadline = asyncio.get_running_loop().time() + self._appender.limits.timeout
        return Attempt(self._frames, deadline, self._arrived)

    def _arrived(self, answer: Answer) -> None:
        """The plain yes costs no task; everything else is settled in one."""
        settler, tasks = self._appender._settler, self._appender._tasks
        if answer.meaning is Meaning.STORED and answer.count == len(self._frames):
            settler.deliver(self._entries, answer)
            self._close()
            return
        task = asyncio.create_task(settler.settle(self._entries, answer, self._close))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _close(self) -> None:
        """Nothing of it is on the wire any more: the next round may go."""
        if self._open:
            self._open = False
            self._appender._open_parcels -= 1
            self._appender._open_batches -= len(self._frames) > 1
            self._appender._wake.set()


async def _config(nc: Client, stream: str, limits: Limits) -> dict[str, Any]:
    """The configuration of a stream as the server has it, unknown fields included.

    A server that just started may have no leader yet, so silence is given the whole budget.
    """
    until = asyncio.get_running_loop().time() + limits.budget
    while True:
        try:
            info = json.loads((await nc.request(f"{_INFO}.{stream}", timeout=limits.timeout)).data)
            error = info.get("error")
            if error is None:
                config: dict[str, Any] = info["config"]
                return config
            why = f"cannot see stream {stream} ({error['description']})"
            if error["code"] != _UNAVAILABLE:
                raise UnsafeLog(f"{why}: provision it first")
        except NoRespondersError:
            why = "nobody answers for streams: the server has no JetStream"
        except NatsTimeoutError:
            why = f"no answer about stream {stream}: no leader, or this identity may not ask"
        if asyncio.get_running_loop().time() > until:
            raise UnsafeLog(why)
        log.info("append_waits_for_the_log", why=why)
        await asyncio.sleep(_SWEEP)
