"""`waggle export`: the log and every table at one sequence, in files that prove themselves."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pyarrow.parquet
import pytest

from cli.export.command import LOG_FIELDS
from cli.spreadsheet import plain
from deploy.house import AUDIT_OFFICE, running_house
from deploy.projections import PROJECTIONS
from proof.entry import entry_of
from proof.files import verify_export
from tests.cli.test_verbs import TEXT, submitted
from tests.cli.waggle import Waggle
from tests.houses import PATIENCE, WAGGLE
from tests.proof.logs import sealed

TABLES = [f"{p.name}.{t.name}" for p in PROJECTIONS for t in p.tables]
FORMATS = ("parquet", "csv", "jsonl")


@pytest.fixture(scope="module")
def exported(waggle: Waggle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Everything in every format."""
    submitted(waggle, "rider-export")
    folder = tmp_path_factory.mktemp("export") / "all"
    return folder, waggle.json("export", str(folder), "--parquet", "--csv", "--jsonl")


Exported = tuple[Path, Any]


def log_lines(folder: Path) -> list[bytes]:
    return (folder / "log.jsonl").read_bytes().splitlines()


def test_the_manifest_names_every_file_with_its_checksum_and_rows(exported: Exported) -> None:
    folder, document = exported
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert document == {"folder": str(folder), **manifest}
    paths = {f"tables/{table}.{one}" for table in TABLES for one in FORMATS}
    assert set(manifest["files"]) == {"log.jsonl", "log.csv", "log.parquet"} | paths
    for path, file in manifest["files"].items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == file["sha256"]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {p for p in there if not p.startswith("seal/")} == {*manifest["files"], "manifest.json"}
    assert manifest["files"]["log.jsonl"]["rows"] == manifest["last_sequence"]


def test_the_folder_verifies_and_no_longer_when_a_byte_is_changed(exported: Exported) -> None:
    folder, document = exported
    verdict = verify_export(folder)
    assert verdict.ok
    assert verdict.facts == document["last_sequence"]
    file = folder / "tables" / "router.case.csv"
    before = file.read_bytes()
    file.write_bytes(before + b" ")
    assert not verify_export(folder).ok
    file.write_bytes(before)
    assert verify_export(folder).ok


def test_the_log_says_the_same_in_every_format(exported: Exported) -> None:
    folder, _ = exported
    lines = [json.loads(line) for line in log_lines(folder)]
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(folder / "log.parquet")
    assert table.column_names == list(rows[0]) == [field.name for field in LOG_FIELDS]
    assert len(lines) == len(rows) == table.num_rows
    moments = table["recorded_at"].cast("int64").to_pylist()
    typed = table.drop(["recorded_at"]).to_pylist()
    for line, row, columns, nanos in zip(log_lines(folder), rows, typed, moments, strict=True):
        entry, document = entry_of(line), json.loads(line)
        assert nanos == entry.recorded_nanos
        assert row["recorded_at"] == document["recorded_at"]
        for told in ({k: plain(v) for k, v in row.items()}, columns):
            assert int(told["sequence"]) == entry.sequence
            assert told["subject"] == entry.subject
            assert json.loads(told["headers"]) == document["headers"]
            assert told["body"] == document["body"]
            assert not told["body_base64"]
            assert not told["headers_base64"]


@pytest.mark.parametrize("sealed_to", ["all", "less", "more"])
def test_the_seal_goes_along_and_names_the_fact_that_was_changed(
    exported: Exported, waggle: Waggle, tmp_path: Path, sealed_to: str
) -> None:
    whole, _ = exported
    lines = log_lines(whole)
    last = len(lines) - (5 if sealed_to == "more" else 0)
    size = len(lines) - (5 if sealed_to == "less" else 0)
    sealed(tmp_path / "seal", lines, [3, size])
    folder = tmp_path / "e"
    ask = ("export", str(folder), "--to", str(last), "--seal", str(tmp_path / "seal"))
    done = waggle.json(*ask)
    assert done["checkpoint"]["size"] == size
    verdict = verify_export(folder)
    assert verdict.ok
    assert verdict.covered == min(last, size)

    lines = log_lines(folder)
    lines[6] = lines[6].replace(b"ce-time", b"ce-tIme")
    (folder / "log.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert verify_export(folder).first_bad == 7


def test_a_seal_that_is_damaged_is_no_seal(waggle: Waggle, tmp_path: Path) -> None:
    (tmp_path / "seal").mkdir()
    (tmp_path / "seal" / "checkpoint").write_text("no note")
    said = waggle("export", str(tmp_path / "e"), "--seal", str(tmp_path / "seal"))
    assert said.code == 1
    assert "the seal cannot be used" in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["seal"]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_says_the_same_in_every_format(exported: Exported, table: str) -> None:
    folder, document = exported
    lines = (folder / "tables" / f"{table}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    with (folder / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    typed = pyarrow.parquet.read_table(folder / "tables" / f"{table}.parquet").to_pylist()
    counts = [document["files"][f"tables/{table}.{one}"]["rows"] for one in FORMATS]
    assert counts == [len(rows), len(cells), len(typed)] == [len(rows)] * 3
    for row, cell, columns in zip(rows, cells, typed, strict=True):
        for name, value in row.items():
            assert plain(cell[name]) == as_cell(value) or json.loads(plain(cell[name])) == value
            assert as_json(columns[name]) == value or json.loads(columns[name]) == value


def as_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_the_tables_are_those_of_that_sequence(waggle: Waggle, tmp_path: Path) -> None:
    report = submitted(waggle, "rider-export")
    opened = next(
        fact["sequence"]
        for fact in waggle.json("timeline", report)["facts"]
        if fact["type"] == "CaseOpened"
    )
    folder = tmp_path / "then"
    done = waggle.json("export", str(folder), "--jsonl", "--to", str(opened))
    assert done["last_sequence"] == opened
    lines = (folder / "tables" / "router.case.jsonl").read_text("utf-8").splitlines()
    (case,) = (c for c in map(json.loads, lines) if c["case_id"] == report)
    assert case["sequence"] == opened
    assert case["unit"] is None
    then = waggle.json("asof", str(opened))["projections"]
    assert [p["digest"] for p in done["projections"]] == [p["digest"] for p in then]


def test_nothing_that_somebody_wrote_stands_in_it_in_clear(exported: Exported) -> None:
    folder, _ = exported
    words = TEXT.split("，")[0]
    for file in folder.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            for coded in (words.encode(), json.dumps(words)[1:-1].encode(), words.encode("utf-16")):
                assert coded not in held, file


def test_an_export_that_is_there_is_never_written_over(exported: Exported, waggle: Waggle) -> None:
    folder, _ = exported
    before = sorted(p.name for p in folder.parent.iterdir())
    said = waggle("export", str(folder), "--csv")
    assert said.code == 2
    assert "is there already" in said.err
    assert sorted(p.name for p in folder.parent.iterdir()) == before


def test_an_audit_office_exports_the_log_by_an_address_and_a_seed(
    living_house: Path, tmp_path: Path, waggle: Waggle
) -> None:
    info = running_house(living_house)
    assert info is not None
    seed = str(info.credentials.seed_file(AUDIT_OFFICE))
    folder = tmp_path / "log"
    words = ("export", str(folder), "--csv", "--nats", info.nats_url, "--seed-file", seed)
    done = Waggle(tmp_path / "no-house").json(*words)
    assert set(done["files"]) == {"log.jsonl", "log.csv"}
    assert verify_export(folder).ok
    assert not (tmp_path / "no-house").exists()


def test_whoever_is_interrupted_leaves_nothing(living_house: Path, tmp_path: Path) -> None:
    words = [*WAGGLE, "export", str(tmp_path / "x"), "--csv", "--parquet", "--jsonl"]
    process = subprocess.Popen(
        [*words, "--data", str(living_house)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    give_up = monotonic() + PATIENCE
    while not os.listdir(tmp_path) and monotonic() < give_up:  # noqa: PTH208
        sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert list(tmp_path.iterdir()) == []
