"""The two databases of a house, and who may do what in them. The same at every start.

`waggle` holds what is folded from the log: its owner writes it, the rooms read it, and dropping it
costs a rebuild. `waggle_keys` holds the keys of personal data: nothing can fold it again, and
destroying a key in it is how somebody is forgotten; so it stands alone, with its own owner, and is
backed up apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from deploy.postgres_server import PostgresServer, run_sql

PROJECTIONS: Final = "waggle"
PROJECTOR: Final = "projector"
READERS: Final = "waggle_reader"

KEYS: Final = "waggle_keys"
KEYRING: Final = "keyring"
KEY_USERS: Final = "waggle_key_user"


async def create_databases(
    postgres: PostgresServer, readers: Sequence[str], key_users: Sequence[str]
) -> None:
    """Have both databases with their owners `projector` and `keyring`.

    `readers` may read every table of the projections, those of later rebuilds too; `key_users`
    may read, add, change and delete keys, but not the tables that hold them.
    """
    for role in sorted({PROJECTOR, KEYRING, *readers, *key_users}):
        await postgres.create_role(role)
    await postgres.create_database(PROJECTIONS, PROJECTOR)
    await postgres.create_database(KEYS, KEYRING)
    async with postgres.admin(PROJECTIONS) as connection:
        await _open(connection, PROJECTIONS, PROJECTOR, READERS, readers, "SELECT")
    async with postgres.admin(KEYS) as connection:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        await _open(connection, KEYS, KEYRING, KEY_USERS, key_users, rights)


async def _open(
    connection: asyncpg.Connection,
    database: str,
    owner: str,
    group: str,
    members: Sequence[str],
    rights: str,
) -> None:
    """Let a group use what the owner makes in a database, now and later; and only these members."""
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", group):
        await run_sql(connection, "CREATE ROLE %I NOLOGIN", group)
    await run_sql(connection, "GRANT CONNECT ON DATABASE %I TO %I", database, group)
    later = "ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT "
    await run_sql(connection, f"{later}{rights} ON TABLES TO %I", owner, group)
    await run_sql(connection, f"{later}USAGE ON SCHEMAS TO %I", owner, group)
    present = await connection.fetch(
        "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
        " JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname = $1",
        group,
    )
    for row in present:
        if row["rolname"] not in members:
            await run_sql(connection, "REVOKE %I FROM %I", group, row["rolname"])
    for member in members:
        await run_sql(connection, "GRANT %I TO %I", group, member)
