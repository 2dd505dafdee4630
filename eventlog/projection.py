"""What a projection is: tables, and how each row follows from the row before and a fact. Pure.

A table says which of its rows a fact touches (`keys`) and what becomes of each (`fold`). That is
all: following the log, loading, writing, exactly once, rebuilding, are the runner's part.

    Table("passbook", PassbookRow, key=("rider_id",), keys=riders_of, fold=passbook)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from contracts.envelope import Recorded
from eventlog.columns import IDENTIFIER, Column, columns_of, getter

Row = TypeVar("Row")
Key: TypeAlias = tuple[Any, ...]
"""The values of a row's key columns, in their order."""

RESERVED: Final = frozenset({"checkpoint", "parked"})
"""Tables that every projection has for itself."""


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One table. Its columns are the fields of `row`, a frozen dataclass.

    `fold` gives the row after a fact, None for no row. It is a function of its arguments alone and
    must give a row of the key that the fact touches. Where one fact touches several rows,
    `fold_key` is told which of them is meant.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    keys: Callable[[Recorded], Iterable[Key]]
    fold: Callable[[Row | None, Recorded], Row | None] | None = None
    fold_key: Callable[[Row | None, Recorded, Key], Row | None] | None = None
    indexes: tuple[str, ...] = ()
    """Columns to look rows up by, each given as `column` or `column, column`."""
    stream: str | None = None
    """Given where a row follows from the facts of one stream id alone: the stream, whose ids stand
    in the first column of the key. Such a row of the past needs no more than that stream id."""
    columns: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", columns_of(self.row))
        if wrong := list(_faults(self)):
            raise ValueError(f"table {self.name!r}: {'; '.join(wrong)}")

    def key_of(self) -> Callable[[Any], Key]:
        """A function from a row to its key."""
        return getter(self.key)

    def step(self) -> Callable[[Row | None, Recorded, Key], Row | None]:
        """`fold_key`, or `fold` in its form."""
        if (fold := self.fold) is not None:
            return lambda row, fact, _: fold(row, fact)
        return cast(Callable[[Row | None, Recorded, Key], Row | None], self.fold_key)


@dataclass(frozen=True, slots=True)
class Projection:
    """Tables that are folded together: one checkpoint, one PostgreSQL schema, one rebuild.

    Raise `version` whenever the same facts would give other rows: the runner then refuses to go
    on with the old tables until they were rebuilt.
    """

    name: str
    """Also the name of the schema."""
    version: int
    subjects: tuple[str, ...]
    """What to hear of the log, such as `log.case.>`."""
    tables: tuple[Table[Any], ...]

    def __post_init__(self) -> None:
        doubled = len({table.name for table in self.tables}) != len(self.tables)
        if doubled or not self.tables or not self.subjects or not IDENTIFIER.fullmatch(self.name):
            raise ValueError(
                f"projection {self.name!r}: a name of lower-case letters, digits and '_', subjects,"
                " and tables of different names"
            )


class Unfoldable(Exception):
    """A fact that this projection cannot take in, and why."""

    def __init__(self, fact: Recorded, reason: str) -> None:
        super().__init__(f"sequence {fact.sequence} on {fact.subject} ({fact.type}): {reason}")
        self.fact = fact
        self.reason = reason


Touched: TypeAlias = tuple[int, Key]
"""A row: the position of its table in the projection, and its key."""
_Stepper: TypeAlias = tuple[Callable[[Any, Recorded, Key], Any], Callable[[Any], Key]]


class Folding:
    """Folds facts into rows that are held in memory; knows which of them changed.

    Before a fact is folded, the rows that it touches must be known: ask which are `missing`, and
    hand them in with `know`.
    """

    def __init__(self, projection: Projection) -> None:
        self._tables = projection.tables
        self._steppers: list[_Stepper] = [
            (table.step(), table.key_of()) for table in projection.tables
        ]
        self._rows: list[dict[Key, Any]] = [{} for _ in projection.tables]
        self._stored: list[set[Key]] = [set() for _ in projection.tables]
        self._changed: list[dict[Key, None]] = [{} for _ in projection.tables]

    def __len__(self) -> int:
        return sum(map(len, self._rows))

    def touched(self, fact: Recorded) -> list[Touched]:
        """The rows that a fact touches. Raises `Unfoldable`."""
        try:
            return [(i, key) for i, table in enumerate(self._tables) for key in table.keys(fact)]
        except Exception as error:  # whatever a declaration raises, it cannot take this fact
            raise Unfoldable(fact, f"{type(error).__name__}: {error}") from error

    def missing(self, touched: Iterable[Touched]) -> Iterator[tuple[int, list[Key]]]:
        """Those of the rows that are not known yet, by table."""
        unknown: dict[int, dict[Key, None]] = {}
        for i, key in touched:
            if key not in self._rows[i]:
                unknown.setdefault(i, {})[key] = None
        for i, keys in unknown.items():
            yield i, list(keys)

    def know(self, table: int, keys: Iterable[Key], rows: Iterable[Any]) -> None:
        """These are the rows that the table has under these keys."""
        known = self._rows[table]
        for key in keys:
            known[key] = None
        key_of, stored = self._steppers[table][1], self._stored[table]
        for row in rows:
            key = key_of(row)
            known[key] = row
            stored.add(key)

    def fold(self, fact: Recorded, touched: Iterable[Touched]) -> None:
        """Fold one fact into all the rows that it touches, or into none. Raises `Unfoldable`."""
        after = []
        for i, key in touched:
            step, key_of = self._steppers[i]
            try:
                row = step(self._rows[i][key], fact, key)
            except Exception as error:  # whatever a fold raises, it cannot take this fact
                raise Unfoldable(fact, f"{type(error).__name__}: {error}") from error
            if row is not None and key_of(row) != key:
                name = self._tables[i].name
                raise Unfoldable(
                    fact, f"{name}: touched key {key}, but folded a row of {key_of(row)}"
                )
            after.append((i, key, row))
        for i, key, row in after:
            self._rows[i][key] = row
            self._changed[i][key] = None

    def take(self, fact: Recorded) -> None:
        """Fold one fact where every row there is stands in memory. Raises `Unfoldable`."""
        touched = self.touched(fact)
        for table, keys in self.missing(touched):
            self.know(table, keys, ())
        self.fold(fact, touched)

    def changes(self) -> Iterator[tuple[int, Changes]]:
        """What has to be written, by table."""
        for i, changed in enumerate(self._changed):
            if not changed:
                continue
            rows, stored = self._rows[i], self._stored[i]
            now = [(key, rows[key]) for key in changed]
            yield (
                i,
                Changes(
                    new=[row for key, row in now if row is not None and key not in stored],
                    changed=[row for key, row in now if row is not None and key in stored],
                    gone=[key for key, row in now if row is None and key in stored],
                ),
            )

    def rows(self) -> dict[str, list[Any]]:
        """The rows that are there, by table, in the order of the key."""
        return {
            table.name: [row for _, row in sorted(rows.items()) if row is not None]
            for table, rows in zip(self._tables, self._rows, strict=True)
        }

    def forget(self) -> None:
        """Start anew: everything was written, or nothing of it counts."""
        for rows, stored, changed in zip(self._rows, self._stored, self._changed, strict=True):
            rows.clear()
            stored.clear()
            changed.clear()


def rows_after(projection: Projection, facts: Iterable[Recorded]) -> dict[str, list[Any]]:
    """The rows of each table after these facts and no others. Raises `Unfoldable`.

    Everything is held in memory: for the facts of a stream id, not for a log.
    """
    folding = Folding(projection)
    for fact in facts:
        folding.take(fact)
    return folding.rows()


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be written to one table."""

    new: list[Any]
    changed: list[Any]
    gone: list[Key]


def _faults(table: Table[Any]) -> Iterator[str]:
    """What is wrong with a declaration."""
    columns = {column.name: column for column in table.columns}
    if not IDENTIFIER.fullmatch(table.name):
        yield "name: lower-case letters, digits and '_'"
    if table.name in RESERVED:
        yield "name: taken by the runner"
    if (table.fold is None) == (table.fold_key is None):
        yield "fold, fold_key: one of the two"
    if not table.key:
        yield "key: at least one column"
    for name in table.key:
        if name not in columns:
            yield f"key: no column {name!r}"
        elif not columns[name].is_key:
            yield f"key: {name!r} is of a type that cannot be a key"
    for name in (name.strip() for index in table.indexes for name in index.split(",")):
        if name not in columns:
            yield f"indexes: no column {name!r}"
