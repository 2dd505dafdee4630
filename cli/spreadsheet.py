"""CSV that a spreadsheet opens as what it is: text stays text, whoever wrote it. Pure.

A cell that begins like a formula is run by the program that opens it. Such text is written behind
an apostrophe, which spreadsheets take for "this is text"; numbers are left alone, for a number of
ours is no formula. What is read back with `plain` is what was written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

GUARD: Final = "'"
RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", GUARD)
"""How a formula may begin, also behind white space and in full width; and the guard itself."""
BOM: Final = "\ufeff"
"""For files that people open: without it, some spreadsheets take Chinese for something else."""


def cell(value: object) -> str:
    """How a value stands in a cell. None is an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            text = str(value)
            return GUARD + text if text.lstrip(" \u3000\x00").startswith(RISKY) else text


def plain(written: str) -> str:
    """The text that was written."""
    return written.removeprefix(GUARD)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Lines of CSV (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(map(cell, row) for row in rows)
    return out.getvalue()
