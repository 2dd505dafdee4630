"""What a PostgreSQL may do to those who write to it: die, refuse, wait, take back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable
from random import Random

import asyncpg

from deploy.postgres_server import PostgresServer
from tests.faults.fault import Ear, Fault
from tests.faults.frames import Frame
from tests.faults.stand import ROLE, TABLES, Stand
from tests.faults.wire import Link

WAITS, BROKE = "projection_waits", "projection_broke"
SECONDS = 2.0


class AtTheDatabase(Fault):
    """A fault of the server of the tables; the projector says that it met it."""

    says: str
    """What the error is called that the projector meets."""

    async def arrange(self, stand: Stand) -> None:
        self.ear = Ear(stand, "projector")

    async def met(self) -> None:
        """Until the projector has met the fault."""
        self.effects[self.says] = 0
        async with asyncio.timeout(30):
            while not self._count():
                await asyncio.sleep(0.05)
        self.effects[self.says] = self._count()

    def _count(self) -> int:
        return self.ear.count(WAITS, self.says) + self.ear.count(BROKE, self.says)


class ServerKilled(AtTheDatabase):
    """kill -9 of the whole server, which then recovers."""

    number = "F15"
    says = "Connect"

    async def act(self, stand: Stand, dice: Random) -> None:
        server = server_of(stand)
        await server.kill()
        await asyncio.sleep(dice.uniform(0.2, 1.0))

    async def heal(self, stand: Stand) -> None:
        await server_of(stand).start()
        await self.met()


class BackendKilledDuringCommit(AtTheDatabase):
    """kill -9 of the process that serves the projector, as the COMMIT arrives.

    The server ends all its other processes, recovers, and goes on.
    """

    number = "F15"
    says = "Connection"

    async def act(self, stand: Stand, dice: Random) -> None:
        assert stand.to_postgres is not None

        def kill(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            is_commit = up and frame.kind == "Q" and frame.about.startswith("COMMIT")
            if is_commit and link.owner == TABLES and not self.effects["killed"]:
                self.effects["killed"] += 1
                link.up(frame.data)
                os.kill(link.backend, signal.SIGKILL)
                return ()
            return (frame,)

        with stand.to_postgres.under(kill):
            await self.until("killed")

    async def heal(self, stand: Stand) -> None:
        await server_of(stand).wait_ready()
        await self.met()


class Setting(AtTheDatabase):
    """The database is set to something for a while; sessions begin anew, so that they notice."""

    on = ""
    off = ""

    async def act(self, stand: Stand, dice: Random) -> None:
        await alter(stand, self.on)
        await self.met()

    async def heal(self, stand: Stand) -> None:
        await alter(stand, self.off)


class ReadOnly(Setting):
    """It takes no writes, as a server that was demoted."""

    number = "F16"
    says = "ReadOnlySQLTransactionError"
    on = "SET default_transaction_read_only = on"
    off = "RESET default_transaction_read_only"


class NoConnectionsLeft(Setting):
    """Others have all connections."""

    number = "F16"
    says = "TooManyConnectionsError"
    on = "CONNECTION LIMIT 0"
    off = "CONNECTION LIMIT -1"


class LockTimeout(Setting):
    """Somebody holds what the projector must lock, for longer than it may wait."""

    number = "F16"
    says = "LockNotAvailableError"
    on = "SET lock_timeout = '200ms'"
    off = "RESET lock_timeout"

    async def met(self) -> None:
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL lock_timeout = 0")
            for schema in ("intake", "router", "points", "notify"):
                await self._connection.execute(f'LOCK TABLE "{schema}".checkpoint')
            await super().met()

    async def act(self, stand: Stand, dice: Random) -> None:
        self._connection = await asyncpg.connect(server_of(stand).url(ROLE, TABLES))
        try:
            await alter(stand, self.on, but=self._connection.get_server_pid())
            await self.met()
        finally:
            await self._connection.close()


class SerializationFailure(Setting):
    """Somebody else has written the row that the projector has read: its transaction is undone."""

    number = "F16"
    says = "SerializationError"
    on = "SET default_transaction_isolation = 'repeatable read'"
    off = "RESET default_transaction_isolation"

    async def act(self, stand: Stand, dice: Random) -> None:
        await alter(stand, self.on)
        writer = asyncio.create_task(self._write(stand))
        try:
            await self.met()
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _write(self, stand: Stand) -> None:
        """Write the checkpoints as they are, again and again, and hold each for a moment."""
        connection = await asyncpg.connect(server_of(stand).url(ROLE, TABLES))
        try:
            while True:
                for schema in ("intake", "router", "points", "notify"):
                    async with connection.transaction(isolation="read_committed"):
                        await connection.execute(
                            f'UPDATE "{schema}".checkpoint SET facts = facts'  # noqa: S608
                        )
                        await asyncio.sleep(0.02)
        finally:
            await connection.close()


def server_of(stand: Stand) -> PostgresServer:
    """The PostgreSQL behind the wire."""
    assert stand.postgres is not None
    return stand.postgres


async def alter(stand: Stand, what: str, but: int = 0) -> None:
    """Set the database of the tables to something, and end every session but one."""
    async with server_of(stand).admin() as connection:
        await connection.execute(f'ALTER DATABASE "{TABLES}" {what}')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = $1 AND usename = $2 AND pid <> $3",
            TABLES,
            ROLE,
            but,
        )
