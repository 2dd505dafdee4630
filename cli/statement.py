"""A passbook as a file that other programs open: CSV, and XLSX with numbers as numbers.

A cell that a spreadsheet would take for a formula stays text: in CSV an apostrophe goes before
what begins with `=`, `+`, `-`, `@`, a tab or a line break; in XLSX it is written as a string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from cli.spreadsheet import BOM, csv_text

COLUMNS: Final = (
    "event_at",
    "recorded_at",
    "entry",
    "points",
    "source",
    "target",
    "report_id",
    "case_id",
    "hold_id",
    "item",
    "rule",
    "rulebook",
    "by",
    "lot",
    "pending",
    "available",
    "held",
    "debt",
    "version",
    "sequence",
    "leg",
)
"""What a line of a statement says."""


def write_statement(file: Path, book: Mapping[str, Any], zone: tzinfo) -> None:
    """Write every line of a passbook; nothing is left behind where that fails."""
    unfinished = file.with_name(f".{file.name}.part")
    try:
        FORMATS[file.suffix](unfinished, book, zone)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _cells(book: Mapping[str, Any], zone: tzinfo) -> Iterator[list[Any]]:
    """The lines; moments in the zone, with their offset."""
    for line in book["lines"]:
        values = (line[name] for name in COLUMNS)
        yield [v.astimezone(zone).isoformat() if isinstance(v, datetime) else v for v in values]


def _csv(file: Path, book: Mapping[str, Any], zone: tzinfo) -> None:
    text = csv_text([COLUMNS, *_cells(book, zone)])
    file.write_text(BOM + text, encoding="utf-8", newline="")


def _xlsx(file: Path, book: Mapping[str, Any], zone: tzinfo) -> None:
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), plain) as workbook:
        bold = workbook.add_format({"bold": True})
        sheet = workbook.add_worksheet("passbook")
        sheet.write_row(0, 0, COLUMNS, bold)
        for number, cells in enumerate(_cells(book, zone), start=1):
            for column, value in enumerate(cells):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, value)
        sheet.freeze_panes(1, 0)
        sums = workbook.add_worksheet("sums")
        for number, (name, value) in enumerate(
            (n, v) for n, v in book.items() if not isinstance(v, list)
        ):
            sums.write_string(number, 0, name)
            (sums.write_number if isinstance(value, int) else sums.write_string)(
                number, 1, value if isinstance(value, int) else str(value or "")
            )


FORMATS: Final[Mapping[str, Callable[[Path, Mapping[str, Any], tzinfo], None]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
}
"""By the ending of the file's name."""
