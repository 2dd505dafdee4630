"""docs/privacy.md says of every personal field why and how long, and what the code does."""

from __future__ import annotations

import re
from dataclasses import asdict, fields

from contracts.envelope import all_facts
from deploy.retention import Days
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")
BASES = {"public duty", "consent", "contract"}
NAMES = {field.name for field in fields(Days)}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_personal_field_has_its_row_and_no_row_is_about_nothing() -> None:
    told = [cells[0].strip("`") for cells in rows("Fields")]
    there = [f"{fact.__name__}.{name}" for fact in all_facts() for name in fact.personal]
    assert sorted(told) == sorted(there)


def test_every_row_has_a_purpose_a_basis_days_and_who_may_see_it() -> None:
    for field, purpose, basis, days, who in rows("Fields"):
        assert purpose, field
        assert basis in BASES, field
        assert days == "until erased" or days.strip("`") in NAMES, field
        assert who, field


def test_the_days_are_those_that_the_code_deletes_by() -> None:
    told = {name.strip("`"): int(days) for name, days, _ in rows("Days")}
    assert told == asdict(Days())


def test_every_way_to_see_them_is_told() -> None:
    roles = {cells[0] for cells in rows("Who may see what")}
    assert {"department", "auditor", "officer"} <= roles
    assert re.search(r"^## Impact assessment$", PAGE, re.MULTILINE)
