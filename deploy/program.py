"""A program of ours as a child process: a service with its command, its log and its health."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy import health, records
from deploy.errors import StartError
from deploy.processes import Child, Launch


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run. `env` comes on top of the environment we run in."""

    name: str
    argv: Sequence[str]
    house: Path
    env: Mapping[str, str] = field(default_factory=dict)
    health_url: str | None = None
    """Ready when this answers 200; without one, ready as soon as it runs."""
    cwd: Path | None = None
    ready_timeout: float = 30.0
    grace: float = 10.0

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.house / "log" / f"{self.name}.log"


class Program:
    """A spec, running or not."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._child: Child | None = None

    @property
    def name(self) -> str:
        """Its name in records, logs and messages."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it is ready; stops what an earlier run left of it."""
        if self.pid is not None:
            return
        spec = self.spec
        await asyncio.to_thread(records.stop_leftover, spec.house / "run", spec.name, spec.grace)
        self._child = child = Child.start(self._launch())
        try:
            await child.until(self._is_ready, spec.ready_timeout)
        except StartError:
            await child.kill()
            raise

    async def wait(self) -> int:
        """Until it ends, of itself or because we stop it; its exit status."""
        if self._child is None:
            raise StartError(f"{self.name} was not started")
        return await self._child.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if it does not go."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            await self._child.kill()

    async def _is_ready(self) -> bool:
        url = self.spec.health_url
        return self.pid is not None and (url is None or await health.is_healthy(url))

    def _launch(self) -> Launch:
        spec = self.spec
        return Launch(
            name=spec.name,
            argv=spec.argv,
            log_file=spec.log_file,
            run_dir=spec.house / "run",
            env={**os.environ, **spec.env},
            cwd=spec.cwd or Path.cwd(),
            grace=spec.grace,
        )
