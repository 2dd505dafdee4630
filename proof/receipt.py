"""Receipts: entries of the log in somebody's hand, each with its way to a signed root. Pure.

A receipt is one JSON document. Each proof in it is a text as https://c2sp.org/tlog-proof has it,
so that other programs can check it too: the leaf is the bytes of `entry`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from proof.checkpoint import Checkpoint, opened
from proof.entry import LogEntry, Malformed, entry_of
from proof.merkle import NotProven, Subtree, check_inclusion, inclusion_proof, leaf_hash
from proof.note import Note, Verifier

FORMAT: Final = "waggle-receipt/1"

_PROOF: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = "index "
_EXTRA: Final = "extra "
_MOST_HASHES: Final = 63


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where an entry stands, the hashes beside its way up, and the signed root."""

    index: int
    path: tuple[bytes, ...]
    note: Note

    @property
    def text(self) -> str:
        """As https://c2sp.org/tlog-proof has it."""
        hashes = (base64.b64encode(one).decode() for one in self.path)
        lines = (_PROOF, f"{_INDEX}{self.index}", *hashes, "")
        return "".join(f"{line}\n" for line in lines) + bytes(self.note).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such a text. Raises `Malformed`."""
        head, _, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if lines and lines[0].startswith(_EXTRA):
            lines = lines[1:]
        if first != _PROOF or not lines or not lines[0].startswith(_INDEX):
            raise Malformed(f"not a proof of inclusion: it begins {text[:60]!r}")
        index, *hashes = lines
        if len(hashes) > _MOST_HASHES:
            raise Malformed("a proof of inclusion has at most 63 hashes")
        try:
            path = tuple(base64.b64decode(one, validate=True) for one in hashes)
            number = int(index.removeprefix(_INDEX))
        except (binascii.Error, ValueError) as error:
            raise Malformed(
                f"a proof of inclusion is made of numbers and base64: {error}"
            ) from error
        return cls(number, path, Note.parse(note.encode()))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Entries, each with its proof; and the key that they are said to be signed with."""

    log: Verifier
    """Said by whoever made the receipt: compare it with the key that the city publishes."""
    facts: tuple[tuple[bytes, InclusionProof], ...]
    """The line of each entry, and its proof."""

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        facts = [{"entry": line.decode(), "proof": proof.text} for line, proof in self.facts]
        return {"format": FORMAT, "log": self.log.vkey, "facts": facts}

    @classmethod
    def parse(cls, written: bytes) -> Self:
        """Read a receipt. Raises `Malformed`; nothing is checked here."""
        try:
            document = json.loads(written)
            if document["format"] != FORMAT:
                raise Malformed(f"not a {FORMAT}: {document['format']!r}")
            facts = tuple(
                (fact["entry"].encode(), InclusionProof.parse(fact["proof"]))
                for fact in document["facts"]
            )
            log = Verifier.parse(document["log"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Malformed(f"not a receipt: {type(error).__name__}: {error}") from error
        if not facts:
            raise Malformed("a receipt of nothing")
        return cls(log, facts)


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that is proven to stand in the log."""

    entry: LogEntry
    checkpoint: Checkpoint
    note: Note


def receipt(lines: Iterable[bytes], log: Verifier, note: Note, subtree: Subtree) -> Receipt:
    """A receipt of these entries under a signed checkpoint that covers them."""
    size = opened(note, log).size
    return Receipt(log, tuple((line, _proof(line, size, note, subtree)) for line in lines))


def check_receipt(given: Receipt, log: Verifier) -> Sequence[Proven]:
    """What the receipt proves, if every entry stands in this log.

    Raises `Malformed`, `NotProven` or `BadSignature` otherwise.
    """
    return [_proven(line, proof, log) for line, proof in given.facts]


def _proof(line: bytes, size: int, note: Note, subtree: Subtree) -> InclusionProof:
    index = entry_of(line).sequence - 1
    return InclusionProof(index, tuple(inclusion_proof(index, size, subtree)), note)


def _proven(line: bytes, proof: InclusionProof, log: Verifier) -> Proven:
    entry = entry_of(line)
    if entry.sequence != proof.index + 1:
        raise NotProven(
            f"the proof is of leaf {proof.index}, the entry of sequence {entry.sequence}"
        )
    checkpoint = opened(proof.note, log)
    check_inclusion(leaf_hash(line), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return Proven(entry, checkpoint, proof.note)
