"""Tables out of the files of an export, and rows of a fold, in one form that can be compared."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cli.export.sheets import Format, arrow
from cli.spreadsheet import plain
from eventlog.columns import Column
from eventlog.projection import Table

Told = dict[str, Any]
"""A row by column: moments in UTC, documents as documents, everything else as Python has it."""


def row_as_told(table: Table[Any], row: Any, one: Format) -> Told:
    """A row of a fold, as a file of this format can tell it."""
    return {
        column.name: _as_told(column, getattr(row, column.name), one) for column in table.columns
    }


def read_rows(file: Path, one: Format, columns: Sequence[Column]) -> Iterator[Told]:
    """The rows of an exported table, in their order."""
    match one:
        case Format.JSONL:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    document = json.loads(line)
                    yield {c.name: _of_text(c, document[c.name]) for c in columns}
        case Format.CSV:
            with file.open(encoding="utf-8", newline="") as lines:
                for cells in csv.DictReader(lines):
                    yield {c.name: _of_cell(c, plain(cells[c.name])) for c in columns}
        case Format.PARQUET:
            for batch in arrow().parquet.ParquetFile(file).iter_batches():
                for document in batch.to_pylist():
                    yield {c.name: _of_arrow(c, document[c.name]) for c in columns}


def _as_told(column: Column, value: Any, one: Format) -> Any:
    if value is None or (value == "" and one is Format.CSV):
        return None  # CSV cannot tell them apart
    match column.type:
        case "jsonb":
            return json.loads(column.write(value) if column.write else value)
        case "timestamptz":
            return value.astimezone(UTC)
        case "text" | "numeric":
            return str(value)
        case _:
            return value


def _of_text(column: Column, value: Any) -> Any:
    """What stands in a line of JSON."""
    if value is None:
        return None
    match column.type:
        case "timestamptz":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "bytea":
            return base64.b64decode(value)
        case _:
            return value


def _of_cell(column: Column, text: str) -> Any:
    """What stands in a cell."""
    if not text:
        return None
    match column.type:
        case "boolean":
            return text == "true"
        case "bigint":
            return int(text)
        case "double precision":
            return float(text)
        case "jsonb":
            return json.loads(text)
        case _:
            return _of_text(column, text)


def _of_arrow(column: Column, value: Any) -> Any:
    """What Arrow gives."""
    if value is None:
        return None
    match column.type:
        case "jsonb":
            return json.loads(value)
        case "timestamptz":
            return value.astimezone(UTC)
        case _:
            return value
