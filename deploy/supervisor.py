"""Keeps a house running: starts its parts in order, starts again what dies, stops all at the end.

A part is anything that can start (and knows when it is ready), be waited for, and stop:
nats-server, PostgreSQL, a service. A part that dies is started again after a short, growing wait,
for as long as the house stands. Children of a supervisor that itself dies (`kill -9`) are stopped
by the watchdog, and, should that be gone too, by the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import structlog

from deploy import records
from deploy.backoff import Backoff
from deploy.errors import DeployError, StartError, StoppedBySignalError
from deploy.house_lock import house_lock
from deploy.watchdog import Watchdog

_LOCK_WAIT: Final = 30.0
_FIRST_TRIES: Final = 3
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_log = structlog.get_logger("deploy.supervisor")


class Part(Protocol):
    """What a supervisor can keep running."""

    @property
    def name(self) -> str:
        """Its name in records, logs and messages."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""

    async def start(self) -> None:
        """Start it and return when it is ready; raise a `DeployError` that says why it is not."""

    async def wait(self) -> int:
        """Until it ends, of itself or because it is stopped; its exit status."""

    async def stop(self) -> None:
        """End it in order, whatever state it is in; return when it has ended."""

    async def kill(self) -> None:
        """End it at once; return when it has ended."""


class State(StrEnum):
    """How a part is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """It ended, and is started again in a moment."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Status:
    """How a part is, for people and for `--json`."""

    name: str
    state: State
    pid: int | None
    since: float
    """Seconds since the epoch at which it came into this state."""
    restarts: int
    last_exit: int | None
    """Its last exit status, negative for a signal."""
    last_error: str | None
    """Why it last did not come up."""


class Supervisor:
    """The parts of one house. Use as `async with`: leaving it stops everything.

    Holds the house's lock, so one data folder has one supervisor at a time. From entering to
    leaving, SIGINT, SIGTERM and SIGHUP cut off what is under way and lead to the same orderly
    end; a second signal kills what still runs.
    """

    def __init__(self, house: Path, backoff: Backoff | None = None) -> None:
        self.house = house.resolve()
        self._backoff = backoff or Backoff()
        self._groups: list[tuple[_Kept, ...]] = []
        self._held = contextlib.ExitStack()
        self._owner: asyncio.Task[Any] | None = None
        self._told: signal.Signals | None = None
        self._killing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        lock = house_lock(self.house, _LOCK_WAIT)
        await asyncio.to_thread(self._held.enter_context, lock)
        left = await asyncio.to_thread(records.stop_leftovers, self.house / "run")
        if left:
            _log.warning("leftovers_stopped", parts=left)
        self._held.callback(Watchdog(self.house).close)
        self._owner = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for each in _STOP_SIGNALS:
            loop.add_signal_handler(each, self._tell, each)
            self._held.callback(loop.remove_signal_handler, each)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.stop()
            if self._killing is not None:
                await self._killing
        finally:
            self._held.close()
        if kind is asyncio.CancelledError and self._told is not None and self._was_told():
            raise StoppedBySignalError(self._told) from None

    async def start(self, *parts: Part, within: float = 60.0) -> None:
        """Start parts side by side and wait until all are ready.

        One that does not come up is tried a few times more before the error says why.
        """
        group = tuple(_Kept(part, self._backoff) for part in parts)
        self._groups.append(group)
        await asyncio.gather(*(kept.first_ready(within) for kept in group))

    def status(self) -> tuple[Status, ...]:
        """How every part is, in the order of starting."""
        return tuple(kept.status() for kept in self._kept())

    async def stop(self) -> None:
        """Stop everything, the last started first; what started together stops together."""
        for group in reversed(self._groups):
            await _all(kept.stop() for kept in group)

    async def run(self) -> None:
        """Keep the house running until a signal tells it to stop; then return."""
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keepers = [kept.task for kept in self._kept()]
        try:
            done, _ = await asyncio.wait((never, *keepers), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if not self._was_told():
                raise
            return
        for keeper in done:
            keeper.result()  # only a defect of ours ends a keeper: let it be seen

    def _tell(self, signum: signal.Signals) -> None:
        """The first signal ends what is under way; another one while stopping, everything."""
        if self._told is None:
            _log.info("stopping", signal=signum.name)
            self._told = signum
            if self._owner is not None:
                self._owner.cancel()
        elif self._killing is None:
            _log.warning("killing", signal=signum.name)
            self._killing = asyncio.create_task(_all(kept.kill() for kept in self._kept()))

    def _was_told(self) -> bool:
        """Whether a cancellation that was caught is ours, by a signal, and nobody else's."""
        return self._told is not None and self._owner is not None and self._owner.uncancel() == 0

    def _kept(self) -> Iterator[_Kept]:
        return (kept for group in self._groups for kept in group)


class _Kept:
    """One part and the task that keeps it running."""

    def __init__(self, part: Part, backoff: Backoff) -> None:
        self._part = part
        self._backoff = backoff
        self._state = State.STARTING
        self._since = time.time()
        self._restarts = 0
        self._last_exit: int | None = None
        self._error: str | None = None
        self._came_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._keep(), name=f"keep {part.name}")

    def status(self) -> Status:
        return Status(
            self._part.name,
            self._state,
            self._part.pid,
            self._since,
            self._restarts,
            self._last_exit,
            self._error,
        )

    async def first_ready(self, within: float) -> None:
        """Until it is ready for the first time; raises why it does not get there."""
        first: set[asyncio.Future[None]] = {self._came_up, self.task}
        done, _ = await asyncio.wait(first, timeout=within, return_when="FIRST_COMPLETED")
        self._came_up.cancel()
        for settled in done:
            settled.result()
        if not done:
            raise StartError(self._error or f"{self._part.name} is not ready after {within:g} s")

    async def stop(self) -> None:
        await self._let_go()
        await self._part.stop()
        self._enter(State.STOPPED)

    async def kill(self) -> None:
        await self._let_go()
        await self._part.kill()

    async def _let_go(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def _keep(self) -> None:
        wait: float | None = None
        while True:
            began = time.monotonic()
            await self._run_once()
            wait = self._backoff.wait(wait, time.monotonic() - began)
            self._enter(State.WAITING)
            await asyncio.sleep(wait)
            self._restarts += 1

    async def _run_once(self) -> None:
        """Start it and wait for its end."""
        self._enter(State.STARTING)
        try:
            await self._part.start()
        except (DeployError, OSError) as failed:
            self._error = str(failed)
            _log.error("part_not_started", part=self._part.name, error=self._error)
            if self._restarts + 1 >= _FIRST_TRIES and not self._came_up.done():
                self._came_up.set_exception(StartError(self._error))
            return
        self._enter(State.READY)
        if not self._came_up.done():
            self._came_up.set_result(None)
        _log.info("part_ready", part=self._part.name, pid=self._part.pid)
        self._last_exit = await self._part.wait()
        _log.error("part_died", part=self._part.name, status=self._last_exit)

    def _enter(self, state: State) -> None:
        self._state, self._since = state, time.time()


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of them, whatever becomes of one; then raise the first error."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if result is not None:
            raise result
