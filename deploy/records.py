"""What runs for a house, written down so that a later start can find and stop what was left over.

A record is made before its process starts and names a token that the process then carries in its
environment. The token is the identity: process ids are used again, names are not unique, and a
command line may belong to the house next door. So nothing is ever stopped by name, and a crash
between starting a process and noting its id loses nothing.
"""

from __future__ import annotations

import json
import secrets
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy.errors import LeftoverError

MARK: Final = "WAGGLE_PROCESS"
"""The environment variable that carries the token."""

_KILL_WAIT: Final = 5.0
_POLL: Final = 0.02


@dataclass(frozen=True, slots=True)
class Record:
    """One process of a house. Without an id it was about to start when the record was made."""

    name: str
    token: str
    started_ns: int
    stop_signal: int = signal.SIGTERM
    pid: int | None = None

    @classmethod
    def new(cls, name: str, stop_signal: int = signal.SIGTERM) -> Record:
        """A record for a process about to start."""
        return cls(name, f"{name}-{secrets.token_hex(16)}", time.time_ns(), stop_signal)


def write(run_dir: Path, record: Record) -> None:
    """Keep a record, whole or not at all."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = _path(run_dir, record.name)
    draft = path.with_suffix(f".{record.token[-8:]}")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)


def forget(run_dir: Path, record: Record) -> None:
    """Drop a record, unless another process of the same name has taken its place."""
    if read(run_dir, record.name) in (record, None):
        _path(run_dir, record.name).unlink(missing_ok=True)


def read(run_dir: Path, name: str) -> Record | None:
    """The record of this name; none if there is none, or it was never finished."""
    try:
        return Record(**json.loads(_path(run_dir, name).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def read_all(run_dir: Path) -> tuple[Record, ...]:
    """Every record, the latest start first: the order in which to stop."""
    found = (read(run_dir, path.stem) for path in run_dir.glob("*.json"))
    return tuple(
        sorted((record for record in found if record), key=lambda r: r.started_ns, reverse=True)
    )


def process_of(record: Record) -> psutil.Process | None:
    """The living process that carries the record's token; children inherit it, so the eldest."""
    if record.pid is not None:
        candidates: Iterable[psutil.Process] = _by_id(record.pid)
    else:
        candidates = psutil.process_iter()
    carriers = [process for process in candidates if carries(process, record.token)]
    return min(carriers, key=psutil.Process.create_time, default=None)


def carries(process: psutil.Process, token: str) -> bool:
    """Whether this process was started with this token. A dead one carries nothing."""
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False
    return environment.get(MARK) == token


def stop_leftover(run_dir: Path, name: str, grace: float = 10.0) -> bool:
    """Stop what an earlier run left under this name. True if something was running."""
    record = read(run_dir, name)
    if record is None:
        return False
    process = process_of(record)
    if process is not None:
        _stop(process, record, grace)
    forget(run_dir, record)
    return process is not None


def stop_leftovers(run_dir: Path, grace: float = 10.0) -> tuple[str, ...]:
    """Stop whatever an earlier run left, the last started first. The names of what was running."""
    names = [record.name for record in read_all(run_dir)]
    return tuple(name for name in names if stop_leftover(run_dir, name, grace))


def ended(process: psutil.Process) -> bool:
    """Whether it does nothing any more. A zombie has ended: not every init buries them."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_ended(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait until they have ended; those that have not when the time is up."""
    deadline = time.monotonic() + timeout
    alive = [process for process in processes if not ended(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(_POLL)
        alive = [process for process in alive if not ended(process)]
    return alive


def _stop(process: psutil.Process, record: Record, grace: float) -> None:
    try:
        process.send_signal(record.stop_signal)
        if wait_ended([process], grace):
            process.kill()
        stuck = bool(wait_ended([process], _KILL_WAIT))
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        stuck = True
    if stuck:
        raise LeftoverError(
            f"{record.name} of an earlier run still runs as process {process.pid} and cannot be "
            "stopped from here. Stop it as the user who started it."
        )


def _by_id(pid: int) -> tuple[psutil.Process, ...]:
    try:
        return (psutil.Process(pid),)
    except psutil.NoSuchProcess:
        return ()


def _path(run_dir: Path, name: str) -> Path:
    return run_dir / f"{name}.json"
