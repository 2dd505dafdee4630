"""Checkpoints: how large the log is and the root over all of it (https://c2sp.org/tlog-checkpoint).

Pure. A checkpoint is the text of a signed note: origin, size, root. Whoever keeps one can later
show that the log has been changed or shortened, whatever its keeper says.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, Self

from proof.entry import Malformed
from proof.merkle import HASH_SIZE
from proof.note import BadSignature, Kind, Note, Signer, Verifier

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement about the first `size` entries of a log."""

    origin: str
    """Which log: the name of its key."""
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        coded = base64.b64encode(self.root).decode()
        lines = (self.origin, str(self.size), coded, *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note. Raises `Malformed`."""
        lines = text.split("\n")
        if lines[-1:] != [""] or len(lines) <= _LINES or "" in lines[:-1]:
            raise Malformed("a checkpoint has three lines: origin, size, root")
        origin, size, coded, *extensions = lines[:-1]
        if not _SIZE.fullmatch(size):
            raise Malformed(f"a checkpoint's size is a number, not {size!r}")
        try:
            root = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed(f"a checkpoint's root is not base64: {error}") from error
        if len(root) != HASH_SIZE:
            raise Malformed(f"a checkpoint's root has {HASH_SIZE} bytes, not {len(root)}")
        return cls(origin, int(size), root, tuple(extensions))

    def signed(self, signer: Signer) -> Note:
        """As a note under the log's signature."""
        return Note(self.text).signed_by(signer)


def opened(note: Note, log: Verifier) -> Checkpoint:
    """The checkpoint in a note, if this log has signed it.

    Raises `BadSignature` when not, and when it is about another log.
    """
    if log.kind is not Kind.NOTE:
        raise BadSignature(f"{log.name} is the key of a witness, not of a log")
    note.check(log)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise BadSignature(f"signed by {log.name}, but about {checkpoint.origin}")
    return checkpoint


def split_notes(written: bytes) -> tuple[list[bytes], bytes]:
    """The notes of a history, one behind the other; and what is left of one not written whole.

    A note ends with its last line of a signature, for no text begins with such a line.
    """
    notes: list[bytes] = []
    note: list[bytes] = []
    for line in written.splitlines(keepends=True):
        if note and _is_signature(note[-1]) and not _is_signature(line):
            notes.append(b"".join(note))
            note = []
        note.append(line)
    left = b"".join(note)
    if note and _is_signature(note[-1]) and left.endswith(b"\n"):
        return [*notes, left], b""
    return notes, left


def _is_signature(line: bytes) -> bool:
    return line.startswith("— ".encode())
