"""That the log only grew: by roots of it that were kept elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventlog.read import Stored
from proof.merkle import (
    NotProven,
    check_consistency,
    consistency_proof,
    in_memory,
    leaf_hash,
    root_of,
)

if TYPE_CHECKING:
    from tests.journey.evidence import Evidence


@dataclass(frozen=True)
class Root:
    """The root of the first so many entries of the log."""

    size: int
    root: bytes


def leaf_of(stored: Stored) -> bytes:
    """The hash of all that the server keeps of a message."""
    headers = "".join(f"{name}: {value}\n" for name, value in sorted(stored.headers.items()))
    place = f"{stored.sequence} {stored.recorded_at.isoformat()} {stored.subject}\n{headers}\n"
    return leaf_hash(place.encode() + stored.data)


def the_log_only_grew(evidence: Evidence) -> Iterator[str]:
    """From every root that was kept outside there is a proof to the root of what is there now."""
    everything = sorted(
        [*(entry.stored for entry in evidence.log), *evidence.poison],
        key=lambda stored: stored.sequence,
    )
    leaves = [leaf_of(stored) for stored in everything]
    root, subtree = root_of(leaves), in_memory(leaves)
    for kept in evidence.roots:
        try:
            proof = consistency_proof(kept.size, len(leaves), subtree)
            check_consistency(kept.size, kept.root, len(leaves), root, proof)
        except (NotProven, ValueError) as broken:
            yield f"what was sealed at {kept.size} is not how the log begins: {broken}"
