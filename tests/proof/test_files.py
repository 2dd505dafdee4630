"""Exports, receipts and seal folders as files, and the verifier that needs nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof.__main__ import main
from proof.entry import Malformed
from proof.export import ExportedFile, Manifest
from proof.files import SealFolder, copy_seal, verify_export
from proof.merkle import NotProven
from proof.note import BadSignature, Kind, Signer
from proof.receipt import InclusionProof, Receipt, check_receipt, receipt
from tests.house.tree import ROOT
from tests.proof.logs import LOG, lines, sealed

WHOLE = lines(620)
SIZES = (10, 300, 600)
STRANGER = Signer(LOG.name, Kind.NOTE, bytes(32))


@pytest.fixture
def seal(tmp_path: Path) -> Path:
    sealed(tmp_path / "seal", WHOLE, SIZES)
    return tmp_path / "seal"


def exported(folder: Path, seal: Path | None, log: list[bytes] = WHOLE) -> Path:
    """An export of the log, with the files of the seal beside it."""
    folder.mkdir()
    content = b"".join(line + b"\n" for line in log)
    (folder / "log.jsonl").write_bytes(content)
    (folder / "tables").mkdir()
    (folder / "tables" / "entry.csv").write_bytes(b"a,b\n1,2\n")
    files = {
        "log.jsonl": ExportedFile(sha256(content).hexdigest(), len(log)),
        "tables/entry.csv": ExportedFile(sha256(b"a,b\n1,2\n").hexdigest(), 1),
    }
    (folder / "manifest.json").write_text(json.dumps(Manifest(len(log), files).document))
    if seal:
        copy_seal(seal, folder / "seal")
    return folder


def sign_again(folder: Path) -> None:
    """Let the manifest say what the files are now: a forger would."""
    document = json.loads((folder / "manifest.json").read_text())
    content = (folder / "log.jsonl").read_bytes()
    document["files"]["log.jsonl"] = {
        "sha256": sha256(content).hexdigest(),
        "rows": content.count(b"\n"),
    }
    document["last_sequence"] = content.count(b"\n")
    (folder / "manifest.json").write_text(json.dumps(document))


def test_an_export_proves_itself(tmp_path: Path, seal: Path) -> None:
    folder = exported(tmp_path / "export", seal)
    found = verify_export(folder)
    assert (found.ok, found.facts, found.covered, found.checkpoints) == (True, 620, 600, 3)
    shutil.rmtree(seal)
    assert verify_export(folder, log=LOG.verifier).ok


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that is changed and made good again."""
    place = tmp_path_factory.mktemp("standing")
    sealed(place / "seal", WHOLE, SIZES)
    return exported(place / "export", place / "seal")


@settings(max_examples=40)
@given(st.integers(1, 600), st.data())
def test_an_export_with_one_changed_byte_is_refused_and_the_entry_named(
    standing: Path, sequence: int, data: st.DataObject
) -> None:
    log, manifest = standing / "log.jsonl", standing / "manifest.json"
    good = {path: path.read_bytes() for path in (log, manifest)}
    content = bytearray(good[log])
    start = sum(len(line) + 1 for line in WHOLE[: sequence - 1])
    length = len(WHOLE[sequence - 1])
    content[start + data.draw(st.integers(0, length))] ^= data.draw(st.integers(1, 255))
    log.write_bytes(content)
    try:
        found = verify_export(standing)
        assert (found.ok, found.first_bad) == (False, sequence)
        assert any("log.jsonl was changed" in problem for problem in found.problems)
        sign_again(standing)
        assert verify_export(standing).first_bad == sequence
    finally:
        for path, held in good.items():
            path.write_bytes(held)


def test_an_export_that_ends_before_the_last_checkpoint_is_proven(
    tmp_path: Path, seal: Path
) -> None:
    found = verify_export(exported(tmp_path / "export", seal, WHOLE[:450]))
    assert (found.ok, found.covered) == (True, 450)


def test_an_export_is_held_against_a_checkpoint_from_elsewhere(tmp_path: Path, seal: Path) -> None:
    held = tmp_path / "held"
    held.write_bytes((seal / "checkpoint").read_bytes())
    rewritten = lines(620, words="rewritten")
    sealed(tmp_path / "again", rewritten, SIZES)
    folder = exported(tmp_path / "export", tmp_path / "again", rewritten)
    assert verify_export(folder).ok
    found = verify_export(folder, held=[held])
    assert not found.ok
    assert "two histories are signed" in found.problems[0]


def test_an_export_under_another_key_is_refused(tmp_path: Path, seal: Path) -> None:
    folder = exported(tmp_path / "export", seal)
    with pytest.raises(BadSignature):
        verify_export(folder, log=STRANGER.verifier)


def test_an_export_without_checkpoints_is_held_against_its_chains(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", None)
    found = verify_export(folder)
    assert (found.ok, found.covered, found.checkpoints) == (True, 0, 0)
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"handled 77 ", b"handled 78 "))
    assert verify_export(folder).first_bad == 77


def test_a_table_that_was_changed_is_named(tmp_path: Path, seal: Path) -> None:
    folder = exported(tmp_path / "export", seal)
    (folder / "tables" / "entry.csv").write_bytes(b"a,b\n1,3\n")
    found = verify_export(folder)
    assert (found.ok, found.first_bad) == (False, None)
    assert "tables/entry.csv was changed" in found.problems[0]
    (folder / "tables" / "entry.csv").unlink()
    assert verify_export(folder).problems == ("tables/entry.csv is missing",)


@pytest.mark.parametrize("path", ["../log.jsonl", "/log.jsonl", "a//b", "."])
def test_a_manifest_names_files_below_its_folder_only(path: str) -> None:
    files = {path: {"sha256": "0" * 64, "rows": 1}}
    written = json.dumps({"format": "waggle-export/1", "last_sequence": 1, "files": files})
    with pytest.raises(Malformed):
        Manifest.parse(written.encode())


def made(seal: Path, *sequences: int) -> Receipt:
    folder = SealFolder(seal)
    chosen = [WHOLE[sequence - 1] for sequence in sequences]
    tiles = folder.tiles(SIZES[-1])
    return receipt(chosen, LOG.verifier, folder.latest(), tiles.subtree)


def test_a_receipt_proves_its_entries(seal: Path) -> None:
    given = Receipt.parse(json.dumps(made(seal, 1, 600).document).encode())
    proven = check_receipt(given, LOG.verifier)
    assert [one.entry.sequence for one in proven] == [1, 600]
    assert {one.checkpoint.size for one in proven} == {600}
    with pytest.raises(BadSignature):
        check_receipt(given, STRANGER.verifier)


def test_a_receipt_of_what_is_not_signed_yet_cannot_be_made(seal: Path) -> None:
    with pytest.raises(ValueError, match="leaf 600 is not in a tree of 600"):
        made(seal, 601)


@settings(max_examples=80)
@given(st.data())
def test_a_receipt_with_one_changed_byte_proves_nothing_else(
    standing: Path, data: st.DataObject
) -> None:
    written = bytearray(json.dumps(made(standing / "seal", 77).document).encode())
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        proven = check_receipt(Receipt.parse(bytes(written)), LOG.verifier)
    except (Malformed, NotProven, BadSignature):
        return
    # What was changed was no part of the proof: an escape, or the key, which is given here.
    assert [one.entry.sequence for one in proven] == [77]


def test_a_proof_is_written_as_the_specification_says(seal: Path) -> None:
    ((_, proof),) = made(seal, 77).facts
    first, index, *hashes, rest = proof.text.partition("\n\n")[0].split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 76")
    assert len(hashes) + 1 == len(proof.path)
    assert rest
    assert proof.text.endswith((seal / "checkpoint").read_text())
    with_extra = proof.text.replace("index 76", "extra AAAA\nindex 76")
    assert InclusionProof.parse(with_extra) == InclusionProof.parse(proof.text) == proof


def test_a_tile_that_was_filled_since_serves_for_its_beginning(seal: Path) -> None:
    partial = seal / "tile/0/002.p/88"
    (seal / "tile/0/002").write_bytes(partial.read_bytes() + bytes(32 * 168))
    partial.unlink()
    assert SealFolder(seal).tiles(600).root() == SealFolder(seal).checkpoints(LOG.verifier)[-1].root


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main([str(one) for one in arguments])
    said = capsys.readouterr().out
    return code, json.loads(said) if said else {}


def test_the_command_verifies_and_says_so(
    tmp_path: Path, seal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(tmp_path / "export", seal)
    code, document = run(capsys, "verify", "export", folder, "--key", LOG.verifier.vkey)
    assert (code, document["ok"], document["facts"]) == (0, True, 620)
    code, document = run(capsys, "verify", "log", folder / "log.jsonl", "--seal", seal)
    assert (code, document["ok"]) == (0, True)
    (tmp_path / "receipt.json").write_text(json.dumps(made(seal, 77).document))
    code, document = run(
        capsys, "verify", "receipt", tmp_path / "receipt.json", "--key", seal / "key"
    )
    assert (code, document["facts"][0]["sequence"], document["key_given"]) == (0, 77, True)


def test_the_command_says_no_and_why(
    tmp_path: Path, seal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(tmp_path / "export", seal)
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"handled 77 ", b"handled 78 "))
    code, document = run(capsys, "verify", "export", folder)
    assert (code, document["ok"], document["first_bad"]) == (1, False, 77)
    given = made(seal, 77).document
    given["facts"][0]["entry"] = given["facts"][0]["entry"].replace("handled 77", "handled 78")
    (tmp_path / "receipt.json").write_text(json.dumps(given))
    code, document = run(capsys, "verify", "receipt", tmp_path / "receipt.json")
    assert (code, document["ok"]) == (1, False)
    assert run(capsys, "verify", "receipt", tmp_path / "missing.json")[0] == 2
    assert run(capsys, "verify", "export", tmp_path)[0] == 2
    assert run(capsys, "verify", "receipt", log)[0] == 2


def test_the_folder_of_the_proof_works_with_nothing_of_the_house_around(
    tmp_path: Path, seal: Path
) -> None:
    shutil.copytree(ROOT / "proof", tmp_path / "alone" / "proof")
    folder = exported(tmp_path / "export", seal)
    said = subprocess.run(
        [sys.executable, "-m", "proof", "verify", "export", str(folder)],
        cwd=tmp_path / "alone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout)["facts"] == 620
