"""A whole house as `waggle up` runs it, with its processes at hand: to look at, kill and pause."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy import records
from deploy.house import HouseInfo, running_house
from tests.deploy.folders import empty_house

UP = (sys.executable, "-m", "cli.main", "up", "--json")
SETTINGS = {
    "WAGGLE_ALLOW_PRIVATE_WEBHOOKS": "1",
    # Many and short, so that no outage of a journey uses all of them up.
    "WAGGLE_NOTICE_RETRY_DELAYS": ",".join(["0.2", "0.5", *["1"] * 60]),
}
STOP_SECONDS = 40.0
SERVERS = ("nats", "postgres")
SERVICES = ("intake", "router", "points", "notify", "projector", "sealer")


class NotStarted(AssertionError):
    """`waggle up` did not get ready: what it says."""


@dataclass
class House:
    """A house that runs, in a folder; at a port of its own choice, or always at the same."""

    folder: Path
    port: int | None
    up: subprocess.Popen[bytes]
    info: HouseInfo
    servers: Mapping[str, str] = field(default_factory=dict)
    """The environment that names servers which are not the house's own."""

    @classmethod
    def start(
        cls, folder: Path, port: int | None = None, servers: Mapping[str, str] | None = None
    ) -> House:
        """Start a house and wait until it is ready."""
        up = launch(folder, port, servers)
        return cls(folder, port, up, _ready(folder, up), servers or {})

    def kill_and_start_again(self) -> None:
        """Kill what keeps the house running, and start it anew at once on what is left."""
        self.kill()
        self.start_again()

    def kill(self) -> None:
        """Kill what keeps the house running; the watchdog ends the rest."""
        self.up.kill()
        self.up.communicate()

    def start_again(self) -> None:
        """Start what was stopped or killed anew on what is left. Raises `NotStarted`."""
        self.up = launch(self.folder, self.port, self.servers)
        self.info = _ready(self.folder, self.up)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell the house to end; its exit status, when it has."""
        self.up.send_signal(number)
        try:
            self.up.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.up.kill()  # the watchdog ends the rest
            self.up.communicate()
            raise
        return self.up.returncode

    def pid(self, part: str) -> int | None:
        """The process of a part, while there is one."""
        record = records.read(self.folder / "run", part)
        return record.pid if record and records.process_of(record) else None

    def signal(self, part: str, number: signal.Signals) -> int:
        """Send a signal to a part; the id of its process."""
        pid = self.pid(part)
        assert pid is not None, f"{part} does not run"
        os.kill(pid, number)
        return pid

    def processes(self) -> list[psutil.Process]:
        """Everything that the house has started, itself included."""
        own = psutil.Process(self.up.pid)
        return [own, *own.children(recursive=True)]


@contextmanager
def running(port: int | None = None) -> Iterator[House]:
    """A house in a folder of its own; told to stop in the end, by SIGTERM, and it does."""
    with empty_house() as place:
        house = House.start(place / "var", port)
        try:
            yield house
        finally:
            ended = house.stop()
        assert ended == 0, errors_of(house.folder).read_text()


def launch(
    folder: Path, port: int | None = None, servers: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """`waggle up` as a process; its ready line is still to come."""
    folder.mkdir(parents=True, exist_ok=True)
    at_port = () if port is None else ("--port", str(port))
    with errors_of(folder).open("ab") as errors:
        return subprocess.Popen(
            [*UP, "--data", str(folder), *at_port],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **SETTINGS, **(servers or {})},
            start_new_session=True,
        )


def errors_of(folder: Path) -> Path:
    """What `waggle up` says beside its ready line."""
    return folder / "up.err"


def _ready(folder: Path, up: subprocess.Popen[bytes]) -> HouseInfo:
    assert up.stdout is not None
    line = up.stdout.readline()
    if not line or not json.loads(line).get("ready"):
        up.communicate()
        said = line.decode() + errors_of(folder).read_text()
        raise NotStarted(f"waggle up ended with {up.returncode}: {said}")
    info = running_house(folder)
    assert info is not None
    return info


def gone(processes: list[psutil.Process], within: float = STOP_SECONDS) -> list[str]:
    """Those that still run after so many seconds; empty when all have ended."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not (left := [p for p in processes if not records.ended(p)]):
            return []
        time.sleep(0.05)
    return [str(process) for process in left]
