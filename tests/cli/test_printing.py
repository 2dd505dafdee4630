"""Tables for people: on the narrowest terminal an id can be copied and nothing is cut off."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from rich.console import Console

from cli import printing

CASE = "01M8FMAZ25MX8CY4ZZJBNNNJHB"
ROW = (CASE, "dispatched", "exposed-garbage-heap", "2026-11-28 11:09:37", "street_first")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_ids_stand_whole_and_other_columns_give_way(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = StringIO()
    monkeypatch.setattr(printing, "out", Console(file=page, width=width))
    printing.print_table(("case", "step", "condition", "due", "why"), [ROW])
    shown = page.getvalue()
    assert CASE in shown
    assert "…" not in shown
    assert Counter("".join(shown.split())) >= Counter("".join(ROW).replace(" ", ""))
