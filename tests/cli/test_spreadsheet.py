"""No cell is run as a formula, and nothing that was written is lost."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.spreadsheet import GUARD, cell, csv_text, plain

HARMFUL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u3000=1",
    "＝1＋1",
    "－1",
    '=HYPERLINK("http://x","y")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", HARMFUL)
def test_text_that_begins_like_a_formula_is_marked_as_text(text: str) -> None:
    assert cell(text).startswith(GUARD)
    assert plain(cell(text)) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (True, "true"),
        ("垃圾外溢", "垃圾外溢"),
        ("a=b", "a=b"),
        ("", ""),
        (datetime(2026, 5, 3, tzinfo=UTC), "2026-05-03 00:00:00+00:00"),
    ],
)
def test_everything_else_stands_as_it_is(value: object, written: str) -> None:
    assert cell(value) == written


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2)))
def test_what_is_read_back_is_what_was_written(rows: list[list[str]]) -> None:
    read = csv.reader(io.StringIO(csv_text(rows), newline=""))
    assert [[plain(one) for one in row] for row in read] == rows


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert not cell(text).lstrip(" \u3000\x00").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
