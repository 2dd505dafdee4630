"""Files of rows: JSON lines, CSV, Parquet. Each takes rows in batches and counts them."""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cli.spreadsheet import csv_text
from proof.entry import rfc3339

Row = Sequence[Any]
GROUP: Final = 10_000
"""Rows that a group of a Parquet file has, about."""
NANOSECONDS: Final = "nanoseconds"


class Format(StrEnum):
    """How rows can be written; the name is the file's ending."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name and its type, as PostgreSQL names it, or `NANOSECONDS` since 1970."""

    name: str
    type: str


class Sheet(ABC):
    """A file that rows are written to, in order."""

    _file: Any

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        self.path = path
        self.fields = tuple(fields)
        self.rows = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Write some more."""
        self.rows += len(rows)
        if rows:
            self._write(rows)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    @abstractmethod
    def _write(self, rows: Sequence[Row]) -> None: ...


class JsonLines(Sheet):
    """One object a line. Documents stand in it as documents."""

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        super().__init__(path, fields)
        self._file = path.open("w", encoding="utf-8")

    def _write(self, rows: Sequence[Row]) -> None:
        self._file.writelines(
            json.dumps(self._document(row), ensure_ascii=False, separators=(",", ":")) + "\n"
            for row in rows
        )

    def _document(self, row: Row) -> dict[str, Any]:
        return {
            field.name: json.loads(value)
            if field.type == "jsonb" and value is not None
            else told(field, value)
            for field, value in zip(self.fields, row, strict=True)
        }


class Csv(Sheet):
    """With a line of headings. Nothing in it is run by a spreadsheet."""

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        super().__init__(path, fields)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(csv_text([[field.name for field in fields]]))

    def _write(self, rows: Sequence[Row]) -> None:
        self._file.write(csv_text(map(told, self.fields, row) for row in rows))


class Parquet(Sheet):
    """Typed columns, compressed, in groups of rows."""

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        super().__init__(path, fields)
        self._arrow = arrow()
        types = _arrow_types(self._arrow)
        self._schema = self._arrow.schema([(field.name, types[field.type]) for field in fields])
        self._file = self._arrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Row] = []

    def _write(self, rows: Sequence[Row]) -> None:
        self._waiting += rows
        if len(self._waiting) >= GROUP:
            self._write_group()

    def close(self) -> None:
        """Write what still waits, and finish the file."""
        if self._waiting:
            self._write_group()
        super().close()

    def _write_group(self) -> None:
        columns = [
            self._arrow.array(
                [_storable(value) for value in column], type=self._schema.field(place).type
            )
            for place, column in enumerate(zip(*self._waiting, strict=True))
        ]
        batch = self._arrow.record_batch(columns, schema=self._schema)
        self._file.write_batch(batch, row_group_size=len(self._waiting))
        self._waiting = []


SHEETS: Final[Mapping[Format, Callable[[Path, Sequence[Field]], Sheet]]] = {
    Format.JSONL: JsonLines,
    Format.CSV: Csv,
    Format.PARQUET: Parquet,
}


def told(field: Field, value: Any) -> Any:
    """A value as a text file has it: numbers, or text. Moments in UTC, bytes in base64."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return rfc3339(value) if field.type == NANOSECONDS else value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return str(value)


def _storable(value: object) -> object:
    """As Arrow takes it. A decimal keeps its digits as text: the columns name no precision."""
    return str(value) if isinstance(value, Decimal) else value


def arrow() -> ModuleType:
    """Imported when somebody wants it: it takes longer than the rest of the command."""
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    module: ModuleType = pyarrow
    return module


def _arrow_types(module: Any) -> dict[str, Any]:
    return {
        "boolean": module.bool_(),
        "bigint": module.int64(),
        "double precision": module.float64(),
        "text": module.string(),
        "timestamptz": module.timestamp("us", tz="UTC"),
        NANOSECONDS: module.timestamp("ns", tz="UTC"),
        "date": module.date32(),
        "numeric": module.string(),
        "bytea": module.binary(),
        "jsonb": module.string(),
    }


def close_all(sheets: Iterable[Sheet]) -> None:
    """Finish every file."""
    for sheet in sheets:
        sheet.close()
