"""The exported contracts: complete, the same bytes every time, and never stale unnoticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.contracts import app
from contracts.export import all_commands, documents

RUN = CliRunner()
EXPORTED = documents("1.2.3")


def schema(path: str) -> Any:
    return json.loads(EXPORTED[path])


def test_the_same_words_give_the_same_bytes() -> None:
    assert documents("1.2.3") == EXPORTED


@pytest.mark.parametrize("path", EXPORTED)
def test_a_file_is_sorted_indented_and_ends_with_a_line_feed(path: str) -> None:
    content = EXPORTED[path].decode()
    again = json.dumps(json.loads(content), indent=2, sort_keys=True, ensure_ascii=False)
    assert content == again + "\n"


def test_every_command_and_fact_has_a_file() -> None:
    assert {p.removeprefix("commands/") for p in EXPORTED if p.startswith("commands/")} == {
        f"{c.__name__}.json" for c in all_commands()
    }
    assert "facts/CaseClosed.json" in EXPORTED


def test_a_command_refuses_what_it_does_not_know_and_a_fact_does_not() -> None:
    assert schema("commands/AcceptWork.json")["additionalProperties"] is False
    assert "additionalProperties" not in schema("facts/WorkAccepted.json")


def test_a_personal_field_is_sealed_on_the_wire() -> None:
    report = schema("facts/ReportAccepted.json")
    assert report["x-key-of"] == "rider_id"
    assert report["properties"]["text"]["x-personal"] is True
    sealed, erased = report["properties"]["text"]["anyOf"]
    assert sealed["required"] == ["key", "box"]
    assert erased["required"] == ["erased"]


def test_what_the_house_sends_has_every_field() -> None:
    answer = schema("messages/Answer.json")
    assert answer["required"] == ["id", "outcome", "reasons", "sequence"]
    assert answer["$defs"]["Reason"]["required"] == ["code", "detail", "field"]


def test_what_stands_under_a_field_or_value_in_the_source_is_exported() -> None:
    dispatched = schema("facts/CaseDispatched.json")
    assert dispatched["properties"]["dispatch"]["description"].startswith("Counts the handovers")
    assert dispatched["$defs"]["UnitKind"]["x-values"]["department"] == "Handles."


def test_export_writes_every_file_and_a_second_one_changes_none(tmp_path: Path) -> None:
    first = RUN.invoke(app, ["export", str(tmp_path), "--json"])
    assert len(json.loads(first.stdout)["changed"]) == len(list(tmp_path.rglob("*.json")))
    second = RUN.invoke(app, ["export", str(tmp_path), "--json"])
    assert json.loads(second.stdout)["changed"] == []
    assert RUN.invoke(app, ["check", "--dir", str(tmp_path)]).exit_code == 0


def test_check_names_every_stale_file(tmp_path: Path) -> None:
    RUN.invoke(app, ["export", str(tmp_path)])
    (tmp_path / "facts/CaseClosed.json").unlink()
    (tmp_path / "facts/CaseForgotten.json").write_text("{}\n")
    (tmp_path / "asyncapi.json").write_text("{}\n")
    checked = RUN.invoke(app, ["check", "--dir", str(tmp_path), "--json"])
    assert checked.exit_code == 1
    assert json.loads(checked.stdout) == {
        "current": False,
        "stale": [
            f"{tmp_path}/asyncapi.json: differs",
            f"{tmp_path}/facts/CaseClosed.json: missing",
            f"{tmp_path}/facts/CaseForgotten.json: says what is no more",
        ],
    }


def test_export_brings_a_stale_copy_up_to_date_and_touches_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts/CaseForgotten.json").write_text("{}\n")
    (tmp_path / "package.json").write_text("{}\n")
    (tmp_path / "facts/notes.md").write_text("kept\n")
    RUN.invoke(app, ["export", str(tmp_path)])
    assert RUN.invoke(app, ["check", "--dir", str(tmp_path)]).exit_code == 0
    assert not (tmp_path / "facts/CaseForgotten.json").exists()
    assert (tmp_path / "package.json").exists()
    assert (tmp_path / "facts/notes.md").exists()


def test_without_json_a_stale_copy_is_told_with_the_way_out(tmp_path: Path) -> None:
    checked = RUN.invoke(app, ["check", "--dir", str(tmp_path)])
    assert checked.exit_code == 1
    assert f"{tmp_path}/asyncapi.json: missing" in checked.stdout
    assert f"waggle contracts export {tmp_path}" in checked.stderr


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "facts").write_text("a file where a folder should be\n")
    exported = RUN.invoke(app, ["export", str(tmp_path)])
    assert exported.exit_code == 2
    assert "name a folder that can be written" in exported.stderr


def test_the_copy_in_the_repository_is_current() -> None:
    kept = Path(__file__).parents[2] / "docs/contracts"
    checked = RUN.invoke(app, ["check", "--dir", str(kept), "--json"])
    assert json.loads(checked.stdout)["stale"] == []
