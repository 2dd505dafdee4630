"""Read a whole log and say whether it is the one that was signed, and where it first is not. Pure.

Every line is hashed as it is. The hashes are compared with those in the tiles, which name the very
entry that was changed, and the root with every checkpoint, which only the log's key can sign. What
is behind the last checkpoint is not signed yet: there each line is read, and the chain of its
stream id checked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from proof.chain import Chains
from proof.checkpoint import Checkpoint
from proof.entry import Malformed, begins, entry_of
from proof.merkle import (
    Frontier,
    NotProven,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
)
from proof.tiles import Tiles

_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit came to."""

    facts: int
    """How many entries were found to be right, from the first on."""
    checkpoints: int
    """How many checkpoints the log was found to agree with."""
    root: bytes
    """Over these entries."""
    covered: int
    """How many of them checkpoints cover. What lies behind is not signed yet."""
    first_bad: int | None = None
    """The sequence of the first entry that is not as it was signed."""
    problems: tuple[str, ...] = ()
    """What is wrong, in words."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "facts": self.facts,
            "checkpoints": self.checkpoints,
            "root": base64.b64encode(self.root).decode(),
            "covered": self.covered,
            "ok": self.ok,
            "first_bad": self.first_bad,
            "problems": list(self.problems),
        }


class Audit:
    """One reading of a log, from its first entry on.

    The checkpoints are those whose signatures were found to be good, wherever they were kept; the
    tiles may be anybody's: what they say is believed only where it leads to a checkpoint's root.
    One of their size must be among the checkpoints. `up_to` is where a copy of the log ends that is
    not meant to hold what came later.
    """

    def __init__(
        self,
        checkpoints: Iterable[Checkpoint],
        tiles: Tiles | None = None,
        *,
        up_to: int | None = None,
    ) -> None:
        self._due = sorted(set(checkpoints), key=lambda c: (c.size, c.root))
        self._roots = {c.size: c.root for c in self._due}
        self._signed = self._due[-1].size if self._due else 0
        self._tiles = tiles
        self._up_to = up_to
        self._tree = Frontier()
        self._chains = Chains()
        self._agreed: list[Checkpoint] = []
        self._problems: list[str] = []
        self._first_bad: int | None = None
        self._find_forks()

    @property
    def facts(self) -> int:
        """How many entries were found to be right so far."""
        return self._tree.size

    @property
    def ended(self) -> bool:
        """Whether something is wrong, so that reading on shows nothing more."""
        return self._first_bad is not None

    def add(self, line: bytes) -> None:
        """Take in the next line, without its line feed."""
        if self._first_bad is not None:
            return
        tree = self._tree
        index = tree.size
        if not line.startswith(begins(index + 1)):
            self._bad(index + 1, f"expected sequence {index + 1}, found {_shown(line)}")
            return
        hashed = sha256(b"\0" + line).digest()
        tiles = self._tiles
        if tiles is not None and index < tiles.size:
            if not self._as_signed(index, hashed, tiles):
                return
        elif index >= self._signed and (problem := self._unsigned(line)):
            self._bad(index + 1, f"sequence {index + 1}: {problem}")
            return
        tree.append(hashed)
        if self._due and self._due[0].size == tree.size:
            self._compare()

    def finish(self) -> Verdict:
        """There are no more lines."""
        if self._first_bad is None:
            self._compare_with_later()
        return Verdict(
            facts=self.facts,
            checkpoints=len(self._agreed),
            root=self._tree.root,
            covered=min(self.facts, max((c.size for c in self._agreed), default=0)),
            first_bad=self._first_bad,
            problems=tuple(self._problems),
        )

    def _compare_with_later(self) -> None:
        """What is left to compare with are checkpoints over more entries than were read."""
        facts, up_to = self.facts, self._up_to
        if up_to is not None and facts != up_to:
            self._bad(min(facts, up_to) + 1, f"{facts} entries where there should be {up_to}")
        elif up_to is None and self._due:
            covered = self._due[-1].size
            self._bad(
                facts + 1,
                f"the log ends at sequence {facts}, and a checkpoint over {covered} is signed",
            )
        else:
            for checkpoint in self._due:
                self._compare_with(checkpoint)

    def _compare_with(self, later: Checkpoint) -> None:
        """Whether what was read is the beginning of what a later checkpoint covers."""
        facts, tiles = self.facts, self._tiles
        if tiles is None or later.size > tiles.size:
            self._problems.append(
                f"a checkpoint over {later.size} entries cannot be compared with these {facts}: "
                "there are no tiles up to it. Take a newer copy"
            )
            return
        try:
            proof = consistency_proof(facts, later.size, tiles.of(later.size).subtree)
            check_consistency(facts, self._tree.root, later.size, later.root, proof)
        except NotProven as error:
            good = self._agreed[-1].size if self._agreed else 0
            self._bad(good + 1, f"not as signed, somewhere from sequence {good + 1} on: {error}")
        else:
            self._agreed.append(later)

    def _as_signed(self, index: int, hashed: bytes, tiles: Tiles) -> bool:
        """Whether the tiles have this hash; false ends the audit."""
        try:
            signed = tiles.leaf(index)
            if signed == hashed:
                return True
            path = inclusion_proof(index, tiles.size, tiles.subtree)
            check_inclusion(signed, index, tiles.size, path, self._roots[tiles.size])
        except NotProven as error:
            # Not the log but the tiles: the checkpoints alone will tell.
            self._problems.append(f"the tiles are damaged: {error}")
            self._tiles = None
            return True
        self._bad(index + 1, f"sequence {index + 1} is not what was signed")
        return False

    def _unsigned(self, line: bytes) -> str | None:
        """What is wrong with a line that no checkpoint covers, as far as it can be seen."""
        try:
            entry = entry_of(line)
        except Malformed as error:
            return str(error)
        return self._chains.follow(entry.subject, dict(entry.headers), entry.body)

    def _compare(self) -> None:
        """Hold the root against the checkpoints of this size."""
        root, size = self._tree.root, self._tree.size
        while self._due and self._due[0].size == size:
            checkpoint = self._due.pop(0)
            if checkpoint.root != root:
                good = self._agreed[-1].size if self._agreed else 0
                self._bad(
                    good + 1,
                    f"the root over {size} entries is not the signed one: "
                    f"one of the sequences {good + 1} to {size} is not what was signed",
                )
                return
            self._agreed.append(checkpoint)

    def _find_forks(self) -> None:
        """Two roots for one size are enough to know that the keeper of the log lies."""
        for one, other in pairwise(self._due):
            if one.size == other.size:
                self._problems.append(
                    f"two histories are signed: two roots over {one.size} entries"
                )
        if self._due and not self._due[0].size:
            self._compare()

    def _bad(self, sequence: int, problem: str) -> None:
        self._first_bad = sequence
        self._problems.append(problem)


def _shown(line: bytes) -> str:
    text = line[:_SHOWN].decode("utf-8", "replace")
    return repr(text + ("..." if len(line) > _SHOWN else ""))
