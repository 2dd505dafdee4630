"""A house to measure in: fresh, on free ports, gone at the end."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psutil
from nats.aio.client import Client

from deploy.house import HouseInfo, Plan, open_house
from deploy.rulebooks import load_rulebook
from deploy.supervisor import Supervisor
from eventlog.connect import connect_nats


class MeasuredHouse:
    """A running house, its clients, and its processes."""

    def __init__(self, info: HouseInfo, supervisor: Supervisor, stack: AsyncExitStack) -> None:
        self.info = info
        self._supervisor = supervisor
        self._stack = stack

    async def client(self, party: str) -> Client:
        """A connection that is this party."""
        seed = str(self.info.credentials.seed_file(party))
        client = await connect_nats(self.info.nats_url, identity=party, seed_file=seed)
        self._stack.push_async_callback(client.close)
        return client

    def processor_seconds(self) -> float:
        """What every process of the house has used of the processors so far, and this one."""
        parts = [psutil.Process(s.pid) for s in self._supervisor.status() if s.pid]
        servants = [child for part in parts for child in part.children(recursive=True)]
        return sum(map(_used, [psutil.Process(), *parts, *servants]))

    @contextmanager
    def paused(self, *names: str) -> Iterator[None]:
        """Let some processes stand still, so that what is measured has the processor to itself."""
        pids = [s.pid for s in self._supervisor.status() if s.name in names and s.pid]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # one that PostgreSQL has just let go
        return 0.0
    return float(times.user + times.system)


@asynccontextmanager
async def measured_house() -> AsyncIterator[MeasuredHouse]:
    """Start a house in a temporary folder; stop and remove it at the end."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="waggle-bench-"))
        plan = Plan(Path(folder), load_rulebook())
        info, supervisor = await stack.enter_async_context(open_house(plan))
        yield MeasuredHouse(info, supervisor, stack)
