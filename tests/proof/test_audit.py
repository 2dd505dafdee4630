"""Whatever is done to a log, the audit says so, and names the first entry that is not as signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof.audit import Audit, Verdict
from proof.checkpoint import Checkpoint
from proof.entry import LogEntry, entry_of, line_of
from proof.files import SealFolder, audit_lines
from proof.merkle import leaf_hash, root_of
from proof.note import BadSignature, Kind, Signer
from proof.tiles import Tiles, Tiling
from tests.proof.logs import LOG, lines, sealed

WHOLE = lines(700)
SIZES = (1, 130, 300, 650)
"""The last fifty entries are not signed yet."""


def published(log: list[bytes], sizes: tuple[int, ...] = SIZES) -> tuple[list[Checkpoint], Tiles]:
    """Checkpoints over these sizes, and the tiles of the last."""
    tiling, checkpoints, files = Tiling(), list[Checkpoint](), dict[str, bytes]()
    for size in sizes:
        for line in log[tiling.size : size]:
            tiling.append(leaf_hash(line))
        files |= {tile.path: held for tile, held in tiling.take_tiles()}
        checkpoints.append(Checkpoint(LOG.name, size, tiling.root))
    return checkpoints, Tiles(sizes[-1], lambda tile: files[tile.path])


CHECKPOINTS, TILES = published(WHOLE)


def audited(log: list[bytes], tiles: Tiles | None = TILES) -> Verdict:
    return audit_lines(Audit(CHECKPOINTS, tiles), log)


def test_a_log_as_it_was_signed_is_in_order() -> None:
    found = audited(WHOLE)
    assert found.document() == {
        "facts": 700,
        "checkpoints": 4,
        "root": found.document()["root"],
        "covered": 650,
        "ok": True,
        "first_bad": None,
        "problems": [],
    }
    assert found.root == root_of(map(leaf_hash, WHOLE))


@settings(max_examples=60)
@given(st.integers(1, 650), st.data())
def test_one_changed_byte_is_named(sequence: int, data: st.DataObject) -> None:
    line = bytearray(WHOLE[sequence - 1])
    line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
    found = audited([*WHOLE[: sequence - 1], bytes(line), *WHOLE[sequence:]])
    assert (found.ok, found.first_bad, found.facts) == (False, sequence, sequence - 1)


@settings(max_examples=25)
@given(st.integers(1, 650), st.integers(1, 650))
def test_a_fact_that_was_dropped_doubled_inserted_or_swapped_is_named(one: int, other: int) -> None:
    first = one - 1
    assert audited([*WHOLE[:first], *WHOLE[one:]]).first_bad == one
    assert audited([*WHOLE[:one], WHOLE[first], *WHOLE[one:]]).first_bad == one + 1
    forged = forge(WHOLE[first], '{"forged":true}')
    assert audited([*WHOLE[:first], forged, *WHOLE[first:]]).first_bad == one
    assert audited([*WHOLE[:first], forged, *WHOLE[one:]]).first_bad == one
    if one != other:
        swapped = [*WHOLE]
        swapped[first], swapped[other - 1] = swapped[other - 1], swapped[first]
        assert audited(swapped).first_bad == min(one, other)


def forge(line: bytes, body: str) -> bytes:
    """The same place in the log, with another body."""
    entry = entry_of(line)
    return line_of(
        LogEntry(
            entry.sequence, entry.recorded_nanos, entry.subject, entry.header_block, body.encode()
        )
    )


@pytest.mark.parametrize("kept", [0, 1, 299, 649])
def test_a_log_that_was_shortened_is_named(kept: int) -> None:
    found = audited(WHOLE[:kept])
    assert (found.ok, found.first_bad) == (False, kept + 1)
    assert "a checkpoint over 650 is signed" in found.problems[0]


def test_what_is_not_signed_yet_may_be_missing_unseen() -> None:
    """Without a checkpoint from elsewhere, nobody can know that there was more."""
    assert audited(WHOLE[:650]).ok


@settings(max_examples=25)
@given(st.integers(651, 700), st.data())
def test_what_is_not_signed_yet_is_held_against_its_chains(
    sequence: int, data: st.DataObject
) -> None:
    line = bytearray(WHOLE[sequence - 1])
    start = line.index(b'"headers"')
    line[data.draw(st.integers(start, len(line) - 1))] ^= data.draw(st.integers(1, 127))
    found = audited([*WHOLE[: sequence - 1], bytes(line), *WHOLE[sequence:]])
    assert (found.ok, found.first_bad) == (False, sequence)


def test_a_swap_behind_the_last_checkpoint_is_named() -> None:
    body = entry_of(WHOLE[660]), entry_of(WHOLE[667])
    assert body[0].subject == body[1].subject
    swapped = [*WHOLE]
    for place, of in ((660, body[1]), (667, body[0])):
        there = entry_of(WHOLE[place])
        swapped[place] = line_of(
            LogEntry(there.sequence, there.recorded_nanos, of.subject, of.header_block, of.body)
        )
    found = audited(swapped)
    assert (found.ok, found.first_bad) == (False, 661)
    assert "was the last" in found.problems[0]


@pytest.mark.parametrize("sequence", [1, 2, 130, 131, 300, 650])
def test_without_tiles_the_checkpoints_say_between_which_entries(sequence: int) -> None:
    forged = [*WHOLE]
    forged[sequence - 1] = forge(WHOLE[sequence - 1], "{}")
    found = audited(forged, tiles=None)
    start, end = next((a + 1, b) for a, b in zip((0, *SIZES), SIZES, strict=False) if sequence <= b)
    assert found.first_bad == start
    assert f"one of the sequences {start} to {end}" in found.problems[0]


def test_tiles_that_were_changed_too_deceive_nobody() -> None:
    forged = [*WHOLE]
    forged[199] = forge(WHOLE[199], "{}")
    _, tiles = published(forged)
    found = audited(forged, tiles)
    assert not found.ok
    assert found.first_bad == 131
    assert "one of the sequences 131 to 300" in found.problems[0]


def test_damaged_tiles_are_told_from_a_damaged_log() -> None:
    def damaged(tile: object) -> bytes:
        return bytes(8192)

    found = audited(WHOLE, Tiles(650, damaged))
    assert (found.ok, found.first_bad, found.facts, found.checkpoints) == (False, None, 700, 4)
    assert found.problems[0].startswith("the tiles are damaged")


def test_a_fork_is_caught_by_a_checkpoint_held_elsewhere() -> None:
    """The keeper rewrites the log and signs it all anew; somebody has kept an old checkpoint."""
    rewritten = lines(700, words="rewritten")
    checkpoints, tiles = published(rewritten)
    assert audit_lines(Audit(checkpoints, tiles), rewritten).ok
    found = audit_lines(Audit([*checkpoints, CHECKPOINTS[1]], tiles), rewritten)
    assert not found.ok
    assert "two histories are signed: two roots over 130 entries" in found.problems[0]
    held = Checkpoint(LOG.name, 200, root_of(map(leaf_hash, WHOLE[:200])))
    found = audit_lines(Audit([*checkpoints, held], tiles), rewritten)
    assert (found.ok, found.first_bad) == (False, 131)


def test_a_shortened_log_is_caught_by_a_checkpoint_held_elsewhere() -> None:
    """The keeper cuts off the newest entries, and what it had signed of them."""
    checkpoints, tiles = published(WHOLE, (1, 130, 300))
    assert audit_lines(Audit(checkpoints, tiles), WHOLE[:300]).ok
    found = audit_lines(Audit([*checkpoints, CHECKPOINTS[3]], tiles), WHOLE[:300])
    assert (found.ok, found.first_bad) == (False, 301)


@pytest.mark.parametrize("up_to", [0, 1, 129, 130, 131, 500, 650])
def test_a_copy_that_ends_earlier_is_proven_by_a_later_checkpoint(up_to: int) -> None:
    found = audit_lines(Audit(CHECKPOINTS, TILES, up_to=up_to), WHOLE[:up_to])
    assert (found.ok, found.covered) == (True, up_to)
    if up_to:
        forged = [*WHOLE[: up_to - 1], forge(WHOLE[up_to - 1], "{}")]
        assert audit_lines(Audit(CHECKPOINTS, TILES, up_to=up_to), forged).first_bad == up_to
        assert (
            audit_lines(Audit(CHECKPOINTS, TILES, up_to=up_to), WHOLE[: up_to - 1]).first_bad
            == up_to
        )


def test_a_copy_that_no_tiles_reach_is_not_said_to_be_proven() -> None:
    found = audit_lines(Audit(CHECKPOINTS, None, up_to=500), WHOLE[:500])
    assert (found.ok, found.first_bad) == (False, None)
    assert "Take a newer copy" in found.problems[0]


def test_a_seal_folder_gives_all_that_an_audit_needs(tmp_path: Path) -> None:
    sealed(tmp_path, WHOLE, SIZES)
    folder = SealFolder(tmp_path)
    key = folder.key()
    audit = Audit(folder.checkpoints(key), folder.tiles(650))
    assert audit_lines(audit, WHOLE).document() == audited(WHOLE).document()
    stranger = Signer(LOG.name, Kind.NOTE, bytes(32)).verifier
    with pytest.raises(BadSignature):
        folder.checkpoints(stranger)
