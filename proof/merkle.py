"""The Merkle tree of RFC 6962, section 2.1: roots, inclusion and consistency proofs. Pure.

A proof is made from any source of the hashes of complete subtrees (`Subtree`), so that it can be
read from tiles as well as from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

Subtree = Callable[[int, int], bytes]
"""By level and index, the hash over the leaves from `index << level` to `index + 1 << level`."""


class NotProven(Exception):
    """A proof does not lead where it must; the text says what was to be shown."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree that only grows: the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        if len(roots) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")
        self.size = size
        """How many leaves it has."""
        self._roots = list(roots)

    @classmethod
    def at(cls, size: int, subtree: Subtree) -> Frontier:
        """The tree of the first `size` leaves, from the hashes of subtrees."""
        return cls(size, [subtree(level, index) for level, index in _complete(0, size)])

    def append(self, hashed: bytes) -> None:
        """Add the hash of the next leaf."""
        size, roots = self.size, self._roots
        while size & 1:
            hashed = sha256(b"\1" + roots.pop() + hashed).digest()
            size >>= 1
        roots.append(hashed)
        self.size += 1

    def copy(self) -> Frontier:
        """One that grows on its own."""
        return Frontier(self.size, self._roots)

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        return joined(self._roots) if self._roots else EMPTY_ROOT


def joined(roots: Sequence[bytes]) -> bytes:
    """The root above complete subtrees side by side, the largest first."""
    *left, hashed = roots
    for root in reversed(left):
        hashed = node_hash(root, hashed)
    return hashed


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree with these leaves."""
    tree = Frontier()
    for hashed in leaf_hashes:
        tree.append(hashed)
    return tree.root


def in_memory(leaf_hashes: Sequence[bytes]) -> Subtree:
    """The subtrees of leaves that are all at hand."""

    def subtree(level: int, index: int) -> bytes:
        return root_of(leaf_hashes[index << level : (index + 1) << level])

    return subtree


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The path from leaf `index` to the root of `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_range(split, end, subtree))
            end = split
        else:
            path.append(_range(start, split, subtree))
            start = split
    return path[::-1]


def consistency_proof(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """What shows that the tree of `size` leaves begins with that of `old`."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} leaves does not come before one of {size}")
    if old in {0, size}:
        return []
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while end != old:
        split = start + _split(end - start)
        if old <= split:
            proof.append(_range(split, end, subtree))
            end = split
        else:
            proof.append(_range(start, split, subtree))
            start, whole = split, False
    if not whole:
        proof.append(_range(start, end, subtree))
    return proof[::-1]


def check_inclusion(
    hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise `NotProven` unless the leaf of this hash stands at `index` under `root`.

    As RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise NotProven(f"there is no leaf {index} in a tree of {size}")
    node, last = index, size - 1
    for sibling in proof:
        if last == 0:
            raise NotProven(f"the path of leaf {index} is too long")
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise NotProven(f"the path of leaf {index} is too short")
    if hashed != root:
        raise NotProven(f"the path of leaf {index} does not lead to the root of {size}")


def check_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise `NotProven` unless the tree under `root` begins with the one under `old_root`.

    As RFC 9162, section 2.1.4.2.
    """
    if old > size:
        raise NotProven(f"a tree of {size} leaves does not begin with one of {old}")
    if old in {0, size}:
        if proof:
            raise NotProven("a proof where none is needed")
        if old_root != (root if old else EMPTY_ROOT):
            raise NotProven(f"two roots for {old} leaves")
        return
    if not proof:
        raise NotProven(f"nothing shows that the tree of {size} begins with that of {old}")
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    path = list(proof) if node else [old_root, *proof]
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise NotProven(f"the proof from {old} to {size} is too long")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last or first != old_root or second != root:
        raise NotProven(f"the tree of {size} leaves does not begin with that of {old}")


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _complete(start: int, end: int) -> Iterable[tuple[int, int]]:
    """The complete subtrees, as (level, index), that a subtree of the tree consists of.

    `start` is a multiple of a power of two that is not below the number of leaves.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _range(start: int, end: int, subtree: Subtree) -> bytes:
    return joined([subtree(level, index) for level, index in _complete(start, end)])
