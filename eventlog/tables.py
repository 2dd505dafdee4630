"""The tables of a projection in PostgreSQL: made, loaded, written as sets, and digested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from eventlog.columns import Column, Statements, getter, statements
from eventlog.projection import Changes, Key, Projection, Table

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection of our own, or lent by a pool."""

LONG: Final = 24 * 3600.0
"""Seconds for a statement over whole tables, where a pool allows less."""

_REFUSALS: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    # What the encoders of asyncpg raise, before PostgreSQL has seen anything:
    ArithmeticError,
    AttributeError,
    TypeError,
    ValueError,
)
_SAME_TEXT: Final = """
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex'
"""

_GRANTEE: Final = (
    "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
)
_GRANTS: Final = f"""
    SELECT format('GRANT %s ON SCHEMA %I TO %s', a.privilege_type, n.nspname, {_GRANTEE})
    FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname = $1::text AND a.grantee <> n.nspowner
    UNION ALL
    SELECT format('GRANT %s ON %I.%I TO %s', a.privilege_type, $1::text, c.relname, {_GRANTEE})
    FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = to_regnamespace(quote_ident($1::text)) AND c.relkind = 'r'
      AND a.grantee <> c.relowner
      AND EXISTS (SELECT FROM pg_class other WHERE other.relname = c.relname
                  AND other.relnamespace = to_regnamespace(quote_ident($2::text)))
"""


class Unstorable(Exception):
    """A row that PostgreSQL cannot hold: a fact behind it is to blame."""


@contextmanager
def _storing(table: str) -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise Unstorable(f"{table}: {type(error).__name__}: {error}") from error


class StoredTable:
    """One table of a projection in one schema."""

    def __init__(self, schema: str, table: Table[Any]) -> None:
        self.name = table.name
        self.sql: Statements = statements(
            schema, table.name, table.columns, table.key, table.indexes
        )
        self._schema = schema
        self._make = _maker(table.row, table.columns)
        self._names = [column.name for column in table.columns]
        self._values = _values_of(table.columns)

    async def load(self, connection: Connection, keys: Sequence[Key]) -> list[Any]:
        """The rows that are there of these keys."""
        return list(
            map(self._make, await connection.fetch(self.sql.load, *zip(*keys, strict=True)))
        )

    async def select(
        self, connection: Connection, column: str | None = None, value: str | None = None
    ) -> list[Any]:
        """The rows in the order of the key; those only that have `value` in `column`, if given."""
        if column is None:
            found = await connection.fetch(self.sql.digest, timeout=LONG)
        else:
            where = f'{self.sql.rows} WHERE "{column}" = $1 {self.sql.order}'
            found = await connection.fetch(where, value, timeout=LONG)
        return list(map(self._make, found))

    async def write(self, connection: Connection, changes: Changes) -> None:
        """Add the new rows, replace the changed ones, take away those that are gone."""
        with _storing(self.name):
            if changes.gone:
                await connection.execute(self.sql.delete, *zip(*changes.gone, strict=True))
            if changes.changed:
                await connection.execute(self.sql.update, *self._columns(changes.changed))
            if changes.new:
                await connection.copy_records_to_table(
                    self.name,
                    schema_name=self._schema,
                    columns=self._names,
                    records=map(self._values, changes.new),
                )

    def _columns(self, rows: Iterable[Any]) -> Iterable[tuple[Any, ...]]:
        return zip(*map(self._values, rows), strict=True)


class Schema:
    """The schema that a projection's tables stand in."""

    def __init__(self, name: str, projection: Projection) -> None:
        self.name = name
        self.tables = [StoredTable(name, table) for table in projection.tables]

    async def create(self, connection: Connection, *, indexes: bool = True) -> None:
        """Make the schema and its tables, empty."""
        await connection.execute(f'CREATE SCHEMA "{self.name}"')
        for table in self.tables:
            await connection.execute(table.sql.create)
        if indexes:
            await self.create_indexes(connection)

    async def create_indexes(self, connection: Connection) -> None:
        """Make the indexes that were declared; faster when the rows are there already."""
        for table in self.tables:
            with _storing(table.name):
                for index in table.sql.indexes:
                    await connection.execute(index, timeout=LONG)

    async def settle(self, connection: Connection) -> None:
        """Finish tables that were filled without their indexes."""
        await self.create_indexes(connection)
        for table in self.tables:
            await connection.execute(f'ANALYZE "{self.name}"."{table.name}"', timeout=LONG)

    async def digest(self, connection: Connection) -> Digest:
        """SHA-256 over all rows of all tables, in one order and one form. Needs a transaction."""
        await connection.execute(_SAME_TEXT)
        whole, rows = sha256(), 0

        async def feed(data: bytes) -> None:
            whole.update(data)

        for table in sorted(self.tables, key=attrgetter("name")):
            whole.update(f"{table.name}\n".encode())
            copied = await connection.copy_from_query(table.sql.digest, output=feed, timeout=LONG)
            rows += int(copied.rpartition(" ")[2])
        return Digest(whole.hexdigest(), rows)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a projection's tables say, in 64 characters; equal exactly if all bytes are."""

    sha256: str
    rows: int


@cache
def shape_of(projection: Projection) -> str:
    """A fingerprint of the declared tables: of names, columns, types, keys and indexes."""
    schema = Schema(projection.name, projection)
    said = [part for table in schema.tables for part in (table.sql.create, *table.sql.indexes)]
    return sha256("\n".join(said).encode()).hexdigest()[:16]


async def grants(connection: Connection, schema: str, like: str) -> list[str]:
    """Statements that grant anew what others may do in `schema`, for the tables `like` has too."""
    rows = await connection.fetch(_GRANTS, schema, like)
    return [row[0] for row in rows]


def _maker(row: type, columns: Sequence[Column]) -> Callable[[asyncpg.Record], Any]:
    """From what PostgreSQL gives to a row."""
    readers = [(n, column.read) for n, column in enumerate(columns) if column.read is not None]
    if not readers:
        return lambda record: row(*record)

    def make(record: asyncpg.Record) -> Any:
        values = list(record)
        for n, read in readers:
            if values[n] is not None:
                values[n] = read(values[n])
        return row(*values)

    return make


def _values_of(columns: Sequence[Column]) -> Callable[[Any], tuple[Any, ...]]:
    """From a row to what PostgreSQL takes."""
    get = getter(column.name for column in columns)
    writers = [(n, column.write) for n, column in enumerate(columns) if column.write is not None]
    if not writers:
        return get

    def values(row: Any) -> tuple[Any, ...]:
        found = list(get(row))
        for n, write in writers:
            if found[n] is not None:
                found[n] = write(found[n])
        return tuple(found)

    return values
