"""Points on a house that runs: passbook, statement, examination, check, and who may write what."""

from __future__ import annotations

import asyncio
import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from cli.spreadsheet import cell
from deploy.house import HouseInfo, running_house
from tests.cli.test_verbs import submitted, until
from tests.cli.waggle import Waggle

RIDER = "rider-ledger"


@pytest.fixture(scope="module")
def fixed(waggle: Waggle) -> str:
    """A report of exposed garbage that was fixed, and earned."""
    report = submitted(waggle, RIDER)
    waggle.json("dispatch", report, "sanitation")
    waggle.json("accept", report)
    waggle.json("resolve", report, "--result", "已清运", "--photo", "photos/after.jpg")
    waggle.json("verify", report, "--passed")
    until(lambda: waggle.json("passbook", RIDER)["lines"] or None)
    return report


@pytest.fixture(scope="module")
def info(waggle: Waggle, fixed: str) -> HouseInfo:
    found = running_house(waggle.house)
    assert found is not None
    return found


def test_a_passbook_shows_what_waits_and_from_which_report(waggle: Waggle, fixed: str) -> None:
    book = waggle.json("passbook", RIDER)
    assert (book["lifetime"], book["pending"], book["available"], book["debt"]) == (5, 5, 0, 0)
    (line,) = book["lines"]
    assert (line["report_id"], line["points"], line["target"]) == (
        fixed,
        5,
        f"rider:{RIDER}:pending",
    )
    assert [(lot["report_id"], lot["free"]) for lot in book["activating"]] == [(fixed, 5)]
    said = waggle("passbook", RIDER).out
    assert fixed in said
    assert "condition:" in said


def test_a_passbook_of_the_past_goes_by_what_had_been_recorded(waggle: Waggle, fixed: str) -> None:
    book = waggle.json("passbook", RIDER)
    then = waggle.json("passbook", RIDER, "--as-of", str(book["as_of"] - 1))
    assert (then["lifetime"], then["lines"], then["at"]) == (0, [], book["as_of"] - 1)
    now = waggle.json("passbook", RIDER, "--as-of", "now")
    assert {**now, "at": None} == book


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_statement_is_a_file(waggle: Waggle, fixed: str, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"statement{ending}"
    waggle.json("passbook", RIDER, "--export", str(file))
    if ending == ".csv":
        with file.open(encoding="utf-8-sig") as lines:
            (line,) = csv.DictReader(lines)
        assert (line["report_id"], line["points"], line["pending"]) == (fixed, "5", "5")
    else:
        with zipfile.ZipFile(file) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
            assert fixed in archive.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in sheet
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["x=1", "", 5, -5, None])
def test_other_cells_are_as_they_are(value: object) -> None:
    assert cell(value) == ("" if value is None else str(value))


def test_a_statement_of_another_kind_is_refused(waggle: Waggle, fixed: str) -> None:
    assert waggle("passbook", RIDER, "--export", "x.pdf").code == 2
    assert waggle("passbook", RIDER, "--export", "/no/such/folder/x.csv").code != 0


def test_what_a_report_would_earn_is_said_before_it_does(waggle: Waggle) -> None:
    report = submitted(waggle, "rider-examined")
    found = waggle.json("examine", report)
    assert (found["points"], found["decided"], found["why"]) == (5, False, [])
    (share,) = found["shares"]
    assert share["rule"].startswith("condition:exposed-garbage")
    assert (share["percent"], share["full"], share["points"]) == (100, 5, 5)
    assert {limit["cap"] for limit in found["limits"]} == {"rider_day", "rider_month", "cluster"}


def test_what_has_earned_does_not_earn_again(waggle: Waggle, fixed: str) -> None:
    found = waggle.json("examine", fixed)
    assert (found["points"], found["earned"], found["decided"]) == (0, 5, True)
    assert found["why"]
    assert "never earns again" in waggle("examine", fixed).out


def test_nothing_is_said_of_a_report_that_nobody_knows(waggle: Waggle) -> None:
    assert waggle("examine", "nobody").code != 0


def test_the_check_of_a_house_is_clean(waggle: Waggle, fixed: str) -> None:
    found = waggle.json("ledger", "check")
    assert found["violations"] == []
    assert found["facts"] >= 1
    assert found["accounts"] >= 2
    assert "clean" in waggle("ledger", "check").out


def test_a_row_that_was_edited_by_hand_is_named(
    waggle: Waggle, fixed: str, info: HouseInfo
) -> None:
    run(info.rebuild_url, "UPDATE points.passbook SET held = held + 1")
    try:
        said = waggle("ledger", "check", "--json")
    finally:
        run(info.rebuild_url, "UPDATE points.passbook SET held = held - 1")
    assert said.code == 1
    names = {v["subject"] for v in said.document["violations"]}
    assert f"points.passbook {RIDER}" in names
    assert {v["invariant"] for v in said.document["violations"]} == {"L15"}
    assert waggle("ledger", "check").code == 0


def run(url: str, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


def logins(info: HouseInfo) -> Iterator[tuple[str, str]]:
    """Every login of a room, with its own password."""
    there = urlsplit(info.database_url).netloc.rpartition("@")[2]
    for room in ("intake", "router", "points", "notify", "auditor", "officer"):
        yield room, f"postgresql://{room}:{info.credentials.password(room)}@{there}/waggle"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE points.entry SET points = 1",
        "DELETE FROM points.entry",
        "TRUNCATE points.entry",
        "INSERT INTO points.balance VALUES ('x', 1, 1, 1, 1)",
        "DROP TABLE points.entry",
    ],
)
def test_no_login_but_the_projectors_can_change_an_entry(info: HouseInfo, statement: str) -> None:
    """Ledger invariant L17: tried with each one's own password."""
    for _, url in logins(info):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run(url, statement)
