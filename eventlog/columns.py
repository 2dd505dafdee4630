"""How the fields of a row stand in PostgreSQL, and the statements that follow. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]{0,47}")
"""Names of schemas, tables and columns, short enough for a suffix."""

_PLAIN: Final[dict[type, str]] = {
    bool: "boolean",
    int: "bigint",
    float: "double precision",
    str: "text",
    datetime: "timestamptz",
    date: "date",
    Decimal: "numeric",
    bytes: "bytea",
}
_KEYS: Final = frozenset({"boolean", "bigint", "text", "timestamptz", "date"})
"""Types whose equality is the same here and there."""

Row = TypeVar("Row")
_PLACES: Final[dict[type, tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]]] = {}
"""Of each type of row that was changed: how to read its values, and where each stands."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and how its values are written and read (None: as they are)."""

    name: str
    type: str
    nullable: bool
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None

    @property
    def is_key(self) -> bool:
        """Whether it may be part of a key."""
        return self.type in _KEYS and not self.nullable


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a row type.

    Numbers, texts, moments and their kind have types of their own; every other annotation
    (pydantic models, tuples, dicts, unions) is kept as JSON in the one form that jsonb gives it.
    """
    if not is_dataclass(row):
        raise TypeError(f"{row.__name__}: a row is a frozen dataclass with slots")
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(field.name, hints[field.name]) for field in fields(row))


def _column(name: str, annotation: Any) -> Column:
    if not IDENTIFIER.fullmatch(name):
        raise ValueError(f"column {name!r}: lower-case letters, digits and '_'")
    inner, nullable = _without_none(annotation)
    while hasattr(inner, "__metadata__"):  # Annotated[...]: the mark is for readers, not for tables
        inner = inner.__origin__
    if sql := _PLAIN.get(inner):
        return Column(name, sql, nullable)
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return Column(name, "text", nullable, read=inner)
    adapter: TypeAdapter[Any] = TypeAdapter(inner)
    return Column(
        name,
        "jsonb",
        nullable,
        lambda value: adapter.dump_json(value).decode(),
        adapter.validate_json,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    arms = [arm for arm in get_args(annotation) if arm is not NoneType]
    nullable = len(arms) < len(get_args(annotation))
    return (arms[0] if len(arms) == 1 else Union[tuple(arms)]), nullable  # noqa: UP007 - made at run time


@dataclass(frozen=True, slots=True)
class Statements:
    """The SQL of one table in one schema."""

    create: str
    indexes: tuple[str, ...]
    load: str
    """Takes an array for each key column."""
    update: str
    """Takes an array for each column; the rows are there."""
    delete: str
    """Takes an array for each key column."""
    rows: str
    """All rows, in no order."""
    order: str
    """By the key, the same on every machine."""

    @property
    def digest(self) -> str:
        """All rows in the order of the key."""
        return f"{self.rows} {self.order}"


def statements(
    schema: str, table: str, columns: Sequence[Column], key: Sequence[str], indexes: Sequence[str]
) -> Statements:
    """The statements for a table of these columns."""
    place = f'"{schema}"."{table}"'
    by_name = {column.name: column for column in columns}
    rest = [name for name in by_name if name not in key]
    declared = ", ".join(_declared(column, in_key=column.name in key) for column in columns)
    names, key_names = _quoted(by_name), _quoted(key)
    rows = f"{_unnest(columns)} AS new({names})"
    keys = f"{_unnest([by_name[name] for name in key])} AS new({key_names})"
    same_key = " AND ".join(f'old."{name}" = new."{name}"' for name in key)
    settings = ", ".join(f'"{name}" = new."{name}"' for name in rest or key)
    return Statements(
        create=f"CREATE TABLE {place} ({declared}, PRIMARY KEY ({key_names}))",
        indexes=tuple(
            f"CREATE INDEX ON {place} ({_quoted(name.strip() for name in index.split(','))})"
            for index in indexes
        ),
        load=f"SELECT old.* FROM {place} old JOIN {keys} ON {same_key}",
        update=f"UPDATE {place} old SET {settings} FROM {rows} WHERE {same_key}",
        delete=f"DELETE FROM {place} old USING {keys} WHERE {same_key}",
        rows=f"SELECT {names} FROM {place}",
        order=f"ORDER BY {key_names}",
    )


def getter(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads these fields of a row, also where it is only one."""
    wanted = tuple(names)
    get = attrgetter(*wanted)
    return get if len(wanted) > 1 else lambda row: (get(row),)


def changed(row: Row, columns: Mapping[str, Any]) -> Row:
    """The row with other values in some columns.

    What `dataclasses.replace` does, in a third of the time: it is most of what a rebuild does.
    """
    kind = type(row)
    if kind not in _PLACES:
        names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
        _PLACES[kind] = getter(names), {name: place for place, name in enumerate(names)}
    values_of, places = _PLACES[kind]
    values = list(values_of(row))
    for name, value in columns.items():
        values[places[name]] = value
    return kind(*values)


def _declared(column: Column, *, in_key: bool) -> str:
    """As CREATE TABLE wants it. Text keys are ordered by their bytes, the same on every machine."""
    collation = ' COLLATE "C"' if in_key and column.type == "text" else ""
    return f'"{column.name}" {column.type}{collation}{"" if column.nullable else " NOT NULL"}'


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _unnest(columns: Sequence[Column]) -> str:
    return f"unnest({', '.join(f'${n}::{c.type}[]' for n, c in enumerate(columns, start=1))})"
