"""The hash chain of a stream id, as each fact carries it. Pure.

Each fact names the hash of the one before it on its subject. Unlike the tree, the chain is there
before anything is signed: it shows what was changed, dropped or swapped behind the last checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

NO_HASH: Final = "0" * 64
"""What stands before the first fact of a stream id."""
PREVIOUS: Final = "ce-prevhash"
HASH: Final = "ce-hash"
CHAINED: Final = (
    "ce-id",
    "ce-type",
    "ce-source",
    "ce-time",
    "ce-subject",
    "ce-schemaversion",
    "ce-commandid",
    "ce-commandprint",
    "ce-causationid",
    "ce-correlationid",
    "ce-authid",
    "ce-history",
)
"""The headers that carry meaning, in the order in which they are hashed. Never changed."""


def chain_hash(subject: str, headers: Mapping[str, str], body: bytes) -> str:
    """SHA-256 over previous hash, subject, the meaningful headers and the body.

    Every part but the body is ended by a line feed, which no header can contain; absent
    headers count as empty. So no two different facts give the same input.
    """
    parts = [headers[PREVIOUS], subject, *(headers.get(name, "") for name in CHAINED), ""]
    return sha256("\n".join(parts).encode() + body).hexdigest()


class Chains:
    """The last hash of each stream id, as far as one has read; at most `most` of them."""

    def __init__(self, most: int | None = None) -> None:
        self._heads: dict[str, str] = {}
        self._most = most

    def knows(self, subject: str) -> bool:
        """Whether the last hash on this subject is at hand."""
        return subject in self._heads

    def learn(self, subject: str, head: str) -> None:
        """Take in what the last hash on a subject is."""
        self._heads.pop(subject, None)
        self._heads[subject] = head
        if self._most is not None and len(self._heads) > self._most:
            del self._heads[next(iter(self._heads))]

    def follow(self, subject: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """Take in the next message on a subject; what is wrong with its chain, if anything.

        A message that claims no hash is in no chain. Where a chain begins before one has read,
        only the message itself is checked.
        """
        claimed, previous = headers.get(HASH), headers.get(PREVIOUS)
        if claimed is None or previous is None:
            return None if claimed is previous else "half a chain: one of its two hashes is missing"
        head = self._heads.get(subject)
        self.learn(subject, claimed)
        if chain_hash(subject, headers, body) != claimed:
            return "its bytes do not give the hash that it claims"
        if head is not None and head != previous:
            return f"it follows {previous[:12]} on {subject}, where {head[:12]} was the last"
        return None
