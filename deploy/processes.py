"""One child process: started with a record of it on disk, waited for, stopped by its own id."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy import records
from deploy.errors import StartError
from deploy.records import Record

_ROTATE_AT: Final = 16 * 1024**2
_LOG_TAIL: Final = 4096
_READY_POLL: Final = 0.02
_POLL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, and how to stop it."""

    name: str
    argv: Sequence[str]
    log_file: Path
    """Where its output goes."""
    run_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Exactly these variables (and the token): nothing leaks in from the shell around us."""
    cwd: Path = Path("/")
    user: str | None = None
    """Another system user to run as; only root may say so."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds from the stop signal to SIGKILL."""
    own_log: Path | None = None
    """A log that it writes itself; quoted in errors."""

    @property
    def logs(self) -> tuple[Path, ...]:
        """Every log to look into when it does not come up."""
        return (self.log_file,) if self.own_log is None else (self.log_file, self.own_log)


class Child:
    """A started process. Its own session, so that Ctrl-C in a terminal reaches only us."""

    def __init__(
        self,
        launch: Launch,
        record: Record,
        popen: subprocess.Popen[bytes],
        log_starts: Mapping[Path, int],
    ) -> None:
        self.launch = launch
        self._record = record
        self._popen = popen
        self._log_starts = log_starts

    @classmethod
    def start(cls, launch: Launch) -> Child:
        """Start it. Fails if there is no such program; says nothing about readiness."""
        record = Record.new(launch.name, launch.stop_signal)
        records.write(launch.run_dir, record)
        launch.log_file.parent.mkdir(parents=True, exist_ok=True)
        rotate(launch.log_file)
        log_starts = {path: log_size(path) for path in launch.logs}
        try:
            with launch.log_file.open("ab") as log:
                popen = _spawn(launch, record, log.fileno())
        except OSError as failed:
            records.forget(launch.run_dir, record)
            raise StartError(f"{launch.name} cannot be started: {failed}") from failed
        record_with_id = replace(record, pid=popen.pid)
        records.write(launch.run_dir, record_with_id)
        return cls(launch, record_with_id, popen, log_starts)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    async def wait(self) -> int:
        """Until it has ended; its exit status."""
        if self._popen.poll() is None:
            await _ended(self._popen)
        code = self._popen.wait()
        records.forget(self.launch.run_dir, self._record)
        return code

    async def stop(self) -> int:
        """Ask it to end, wait, then insist."""
        self.send(self.launch.stop_signal)
        try:
            return await asyncio.wait_for(self.wait(), self.launch.grace)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """SIGKILL: what a crash looks like."""
        self.send(signal.SIGKILL)
        return await self.wait()

    def send(self, signum: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self._popen.send_signal(signum)

    def log(self) -> str:
        """What its logs say since this start; of each, the end."""
        said = (log_since(path, start) for path, start in self._log_starts.items())
        return "\n".join(text for text in said if text)

    async def until(self, ready: Callable[[], Awaitable[bool]], within: float) -> None:
        """Wait until it is ready; raise what its log says if it ends or takes too long."""
        asking = asyncio.create_task(_ask(ready))
        ended = asyncio.create_task(self.wait())
        try:
            await asyncio.wait((asking, ended), timeout=within, return_when="FIRST_COMPLETED")
            if ended.done():
                raise self._failed(f"ended with status {ended.result()}")
            if not asking.done():
                raise self._failed(f"is not ready after {within:g} s")
            asking.result()
        finally:
            asking.cancel()
            ended.cancel()
            await asyncio.wait((asking, ended))

    def _failed(self, what: str) -> StartError:
        logs = " and ".join(map(str, self.launch.logs))
        return StartError(f"{self.launch.name} {what}. The end of {logs}:\n{self.log()}")


async def _ask(ready: Callable[[], Awaitable[bool]]) -> None:
    while not await ready():  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(_READY_POLL)


def log_size(path: Path) -> int:
    """How long a log is by now."""
    return path.stat().st_size if path.exists() else 0


def log_since(path: Path, start: int, limit: int = _LOG_TAIL) -> str:
    """What was written after `start`; if that is much, its last whole lines."""
    size = log_size(path)
    start = start if start <= size else 0  # put aside meanwhile: all of the new one is new
    skipped = max(start, size - limit)
    if size == skipped:
        return ""
    with path.open("rb") as file:
        file.seek(skipped)
        text = file.read()
    if skipped > start:
        text = text.partition(b"\n")[2]
    return text.decode(errors="replace").strip()


def rotate(path: Path, limit: int = _ROTATE_AT) -> None:
    """Put a long log aside before a start, named by its last line's time and never written over:
    logs go by their days, with `waggle retention`.
    """
    if path.exists() and path.stat().st_size > limit:
        last = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        path.replace(path.with_name(f"{path.name}.{last:%Y%m%dT%H%M%S%f}"))


def _spawn(launch: Launch, record: Record, log: int) -> subprocess.Popen[bytes]:
    other_user = {} if launch.user is None else _identity(launch.user)
    return subprocess.Popen(  # noqa: S603 - the caller's own program
        list(launch.argv),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=launch.cwd,
        env={**launch.env, records.MARK: record.token},
        start_new_session=True,
        **other_user,
    )


def _identity(user: str) -> dict[str, Any]:
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


async def _ended(popen: subprocess.Popen[bytes]) -> None:
    """Until the process has ended, without a thread and (on Linux) without polling."""
    try:
        descriptor = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):  # no such call here
        while popen.poll() is None:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(_POLL)
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ended)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
