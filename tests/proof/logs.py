"""Small logs, and what a sealer would have published of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proof.chain import HASH, NO_HASH, PREVIOUS, chain_hash
from proof.checkpoint import Checkpoint
from proof.entry import LogEntry, header_block, line_of
from proof.files import HISTORY, KEY, LATEST
from proof.merkle import leaf_hash
from proof.note import Kind, Note, Signer
from proof.tiles import Tiling

LOG = Signer("log.example/district", Kind.NOTE, bytes(range(32)))
WITNESS = Signer("witness.example/sanitation", Kind.COSIGNATURE, bytes(range(32, 64)))
BEGAN = 1_777_788_300_000_000_000


def lines(count: int, *, streams: int = 7, words: str = "handled") -> list[bytes]:
    """A log of so many facts, in chains."""
    heads: dict[str, str] = {}
    found = []
    for sequence in range(1, count + 1):
        subject = f"log.case.c{sequence % streams}"
        headers = {
            "ce-id": f"{subject}.{sequence}",
            "ce-type": "waggle.case.WorkAccepted",
            PREVIOUS: heads.get(subject, NO_HASH),
        }
        body = f'{{"case_id":"c{sequence % streams}","note":"{words} {sequence} 路灯"}}'.encode()
        headers[HASH] = heads[subject] = chain_hash(subject, headers, body)
        block = header_block(list(headers.items()))
        nanos = BEGAN + 1_000_000_007 * sequence
        found.append(line_of(LogEntry(sequence, nanos, subject, block, body)))
    return found


def sealed(folder: Path, log: Sequence[bytes], sizes: Sequence[int]) -> list[Note]:
    """A seal folder with a checkpoint at each of these sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    tiling = Tiling()
    notes: list[Note] = []
    for size in sizes:
        for line in log[tiling.size : size]:
            tiling.append(leaf_hash(line))
        for tile, held in tiling.take_tiles():
            file = folder / tile.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(held)
        notes.append(Checkpoint(LOG.name, size, tiling.root).signed(LOG))
    (folder / KEY).write_text(f"{LOG.verifier.vkey}\n")
    (folder / LATEST).write_bytes(bytes(notes[-1]))
    (folder / HISTORY).write_bytes(b"".join(map(bytes, notes)))
    return notes
