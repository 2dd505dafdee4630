"""Receipts, verdicts and witnesses on a house that runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from time import monotonic, sleep

import pytest

from proof.cosignature import cosigned_at
from proof.files import SealFolder, read_key
from proof.note import Kind, Note, Signer
from tests.cli.test_verbs import submitted
from tests.cli.waggle import Waggle
from tests.houses import PATIENCE


@pytest.fixture(scope="module")
def report(waggle: Waggle) -> str:
    return submitted(waggle, "rider-proof")


@pytest.fixture(scope="module")
def receipt_file(waggle: Waggle, report: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("receipt") / "receipt.json"
    said = waggle.json("receipt", report, "--case", "--out", str(file))
    assert {fact["subject"] for fact in said["facts"]} == {
        f"log.report.{report}",
        f"log.case.{report}",
    }
    return file


def key_of(waggle: Waggle) -> str:
    return str(waggle.house / "seal" / "key")


def test_a_receipt_is_verified_anywhere_and_readable_by_its_owner_only(
    waggle: Waggle, receipt_file: Path, report: str
) -> None:
    said = waggle.json("verify", "receipt", str(receipt_file), "--key", key_of(waggle))
    assert said["ok"]
    assert said["key_given"]
    assert said["facts"][0]["subject"] == f"log.report.{report}"
    assert json.loads(said["facts"][0]["body"])["report_id"] == report
    assert receipt_file.stat().st_mode & 0o077 == 0


def test_a_receipt_of_which_a_word_was_changed_is_refused(
    waggle: Waggle, receipt_file: Path, tmp_path: Path
) -> None:
    forged = tmp_path / "forged.json"
    forged.write_text(receipt_file.read_text().replace("rider-proof", "rider-other"))
    said = waggle("verify", "receipt", str(forged), "--key", key_of(waggle))
    assert said.code == 1
    assert "does not lead to the root" in said.err
    (tmp_path / "broken.json").write_text("{}")
    assert waggle("verify", "receipt", str(tmp_path / "broken.json")).code == 2


def test_an_entry_of_the_log_has_a_receipt_too(waggle: Waggle, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    said = waggle.json("receipt", "--sequence", "1", "--sequence", "2", "--out", str(file))
    assert [fact["sequence"] for fact in said["facts"]] == [1, 2]
    assert waggle.json("verify", "receipt", str(file))["key_given"] is False


def test_a_receipt_of_nothing_is_not_made(waggle: Waggle, tmp_path: Path) -> None:
    assert waggle("receipt", "unheard-of", "--out", str(tmp_path / "x.json")).code == 1
    assert waggle("receipt").code == 2
    assert not (tmp_path / "x.json").exists()


def test_the_log_is_verified_whole(waggle: Waggle, receipt_file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copyfile(waggle.house / "seal" / "checkpoint", kept)
    said = waggle.json("verify", "log", "--checkpoint", str(kept), "--key", key_of(waggle))
    assert (said["ok"], said["first_bad"]) == (True, None)
    assert said["facts"] >= said["covered"] > 0
    assert said["checkpoints"] > 0
    assert said["root"]
    plain = waggle("verify", "log")
    assert plain.code == 0
    assert "as it was signed" in plain.out


def test_the_log_is_not_verified_by_another_logs_checkpoint(waggle: Waggle, tmp_path: Path) -> None:
    """Somebody kept a checkpoint that this log has never signed."""
    kept = tmp_path / "kept"
    changed = (waggle.house / "seal" / "checkpoint").read_text().splitlines(keepends=True)
    changed[1] = "1\n"
    kept.write_text("".join(changed))
    said = waggle("verify", "log", "--checkpoint", str(kept))
    assert said.code == 1
    assert "is not over this text" in said.err


def test_an_export_with_the_seal_beside_it_is_verified_offline(
    waggle: Waggle, receipt_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    waggle.json("export", str(folder), "--no-tables")
    said = waggle.json("verify", "export", str(folder), "--key", key_of(waggle))
    assert said["ok"]
    assert said["covered"] > 0
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"sequence":3,', b'"sequence":4,'))
    refused = waggle("verify", "export", str(folder), "--json")
    assert refused.code == 1
    assert refused.document["first_bad"] == 3


def test_a_unit_witnesses_and_its_cosignature_is_kept_beside_the_checkpoints(
    waggle: Waggle, receipt_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    first = waggle.json("witness", "cosign", "--folder", str(folder), "--as", "sanitation")
    submitted(waggle, "rider-proof")
    later = waggle.json("witness", "cosign", "--folder", str(folder), "--as", "sanitation")
    give_up = monotonic() + PATIENCE
    while later["size"] == first["size"]:
        assert monotonic() < give_up
        sleep(0.1)
        later = waggle.json("witness", "cosign", "--folder", str(folder), "--as", "sanitation")
    assert later["size"] > first["size"]
    shown = waggle.json("witness", "show", "--folder", str(folder))
    assert shown == later
    handed_in = waggle.house / "seal" / "witnesses" / "sanitation"
    note = Note.parse((handed_in / "checkpoint").read_bytes())
    assert cosigned_at(note, read_key(handed_in / "key")) == later["at"]
    kept = waggle.json("verify", "log", "--checkpoint", str(folder / "checkpoint"))
    assert kept["ok"]
    assert (folder / "witness.key").stat().st_mode & 0o077 == 0
    other = waggle("witness", "cosign", "--folder", str(tmp_path / "b"), "--as", "sanitation")
    assert other.code == 1
    assert "known by another key" in other.err


def test_a_witness_refuses_a_log_that_was_cut_and_keeps_what_shows_it(
    waggle: Waggle, receipt_file: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(waggle.house / "seal", copied)
    folder = str(tmp_path / "witness")
    before = waggle.json("witness", "cosign", "--folder", folder, "--seal", str(copied))
    history = SealFolder(copied).history()
    (copied / "checkpoint").write_bytes(bytes(history[0]))
    refused = waggle("witness", "cosign", "--folder", folder, "--seal", str(copied))
    assert refused.code == 1
    assert "when it was last seen" in refused.err
    (evidence,) = (tmp_path / "witness" / "evidence").iterdir()
    assert (evidence / "shown").read_bytes() == bytes(history[0])
    assert waggle.json("witness", "show", "--folder", folder) == before


def test_a_witness_remembers_whose_log_it_is(
    waggle: Waggle, receipt_file: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(waggle.house / "seal", copied)
    folder = str(tmp_path / "witness")
    waggle.json("witness", "cosign", "--folder", folder, "--seal", str(copied))
    stranger = Signer("log.example/x", Kind.NOTE, bytes(32)).verifier.vkey
    for words in (("--key", stranger), ("--key", "log.example/x+00+AQ"), ("--as", "sanitation")):
        said = waggle("witness", "cosign", "--folder", folder, "--seal", str(copied), *words)
        assert said.code == 2
