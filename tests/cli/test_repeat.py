"""`waggle repeat`: tables of an export follow from its log, or the row that does not is named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from deploy.projections import PROJECTIONS
from tests.cli.test_verbs import submitted
from tests.cli.waggle import Waggle

TABLES = sum(len(projection.tables) for projection in PROJECTIONS)


@pytest.fixture(scope="module")
def exported(waggle: Waggle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = submitted(waggle, "rider-repeat")
    waggle.json("dispatch", report, "sanitation")
    waggle.json("accept", report)
    folder = tmp_path_factory.mktemp("repeat") / "all"
    waggle.json("export", str(folder), "--parquet", "--csv", "--jsonl")
    return folder


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "copy")


@pytest.fixture
def away(tmp_path: Path) -> Waggle:
    """The command where no house is."""
    return Waggle(tmp_path / "no-house")


def test_every_table_in_every_format_follows_from_the_log(exported: Path, away: Waggle) -> None:
    told = away.json("repeat", str(exported))
    assert told["equal"]
    assert len(told["files"]) == 3 * TABLES
    assert told["files"]["tables/router.case.csv"]["rows"] > 0
    assert "every table follows from the log" in away("repeat", str(exported)).out
    assert not away.house.exists()


def as_if_it_were_right(folder: Path, path: str) -> None:
    """What somebody would do who wants to hide a change: the checksum is made to fit."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    held = (folder / path).read_bytes()
    manifest["files"][path]["sha256"] = hashlib.sha256(held).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def in_jsonl(file: Path) -> str:
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    lines[-1]["late"] = True
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return str(lines[-1]["case_id"])


def in_csv(file: Path) -> str:
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"), newline="")))
    rows[0]["unit"] = "fire"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(out.getvalue(), "utf-8", newline="")
    return rows[0]["case_id"]


def in_parquet(file: Path) -> str:
    table = pyarrow.parquet.read_table(file)
    rows = table.to_pylist()
    gone = rows.pop()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=table.schema), file)
    return str(gone["case_id"])


@pytest.mark.parametrize("change", [in_jsonl, in_csv, in_parquet])
def test_a_row_that_is_not_what_the_log_says_is_named(
    copy: Path, away: Waggle, change: Callable[[Path], str]
) -> None:
    path = f"tables/router.case.{change.__name__.removeprefix('in_')}"
    case = change(copy / path)
    hidden = away("repeat", str(copy))
    assert hidden.code == 1
    assert f"{path} was changed" in hidden.err
    as_if_it_were_right(copy, path)
    said = away("repeat", str(copy), "--json")
    assert said.code == 1
    different = {p: f["first_different"] for p, f in said.document["files"].items()}
    assert {p: key for p, key in different.items() if key} == {path: [case]}
    assert f"differs at {case}" in away("repeat", str(copy)).out


def test_tables_of_other_code_are_not_judged(copy: Path, away: Waggle) -> None:
    manifest: dict[str, Any] = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["projections"][1]["version"] = 99
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    said = away("repeat", str(copy))
    assert said.code == 1
    assert "use the program of that time" in said.err


def test_what_is_no_export_is_said_and_ends_with_2(tmp_path: Path, away: Waggle) -> None:
    said = away("repeat", str(tmp_path))
    assert said.code == 2
    assert "manifest.json" in said.err
