"""The tree as static files: tiles of 256 hashes (https://c2sp.org/tlog-tiles). Pure.

Level 0 holds the hashes of the leaves; each hash of a higher level is the root of a full tile
below. A tile that is not full yet is a file of its own, `<N>.p/<width>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from proof.merkle import HASH_SIZE, Frontier, NotProven, root_of

WIDTH: Final = 256
"""Hashes in a full tile."""
HEIGHT: Final = 8
"""Levels of the tree in one level of tiles."""
_CACHED: Final = 1024


class Tile(NamedTuple):
    """Which tile."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is kept, below the folder of the log."""
        rest, last = divmod(self.number, 1000)
        name = f"{last:03d}"
        while rest:
            rest, part = divmod(rest, 1000)
            name = f"x{part:03d}/{name}"
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{name}{partial}"


ReadTile = Callable[[Tile], bytes]
"""Gives the hashes of a tile, at least as many as asked for: a full one holds its beginnings."""


class Tiles:
    """The tiles of a tree of `size` leaves, and what can be known from them."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self._read = read
        self._hashes = lru_cache(_CACHED)(self._read_hashes)

    def of(self, size: int) -> Tiles:
        """The same tiles, for a smaller tree."""
        return self if size == self.size else Tiles(size, self._read)

    def subtree(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree (`proof.merkle.Subtree`)."""
        row, above = divmod(level, HEIGHT)
        number, start = divmod(index << above, WIDTH)
        hashes = self._hashes(row, number)[start : start + (1 << above)]
        if len(hashes) != 1 << above:
            raise NotProven(f"the tiles of {self.size} leaves do not hold subtree {level}/{index}")
        return hashes[0] if above == 0 else root_of(hashes)

    def leaf(self, index: int) -> bytes:
        """The hash of a leaf. Raises `NotProven` where the tiles do not have it."""
        hashes = self._hashes(0, index // WIDTH)
        if index >= self.size:
            raise NotProven(f"there is no leaf {index} in the tiles of {self.size}")
        return hashes[index % WIDTH]

    def root(self) -> bytes:
        """The root, as far as the tiles on the way to it tell."""
        return Frontier.at(self.size, self.subtree).root

    def _read_hashes(self, row: int, number: int) -> list[bytes]:
        width = min(WIDTH, (self.size >> (HEIGHT * row)) - number * WIDTH)
        if width <= 0:
            raise NotProven(f"there is no tile {row}/{number} for {self.size} leaves")
        tile = Tile(row, number, width)
        held = self._read(tile)
        if len(held) < width * HASH_SIZE:
            raise NotProven(f"{tile.path} holds less than {width} hashes")
        return split(held[: width * HASH_SIZE])


class Tiling:
    """A tree that grows, leaf by leaf, into tiles."""

    def __init__(self, size: int = 0, read: ReadTile | None = None) -> None:
        """Go on from `size` leaves, whose tiles `read` gives."""
        self.size = size
        """How many leaves there are."""
        self._full: list[tuple[Tile, bytes]] = []
        self._rows: list[bytearray] = []
        for tile in partial_tiles(size, empty=True):
            held = read(tile) if read and tile.width else b""
            if len(held) < tile.width * HASH_SIZE:
                raise NotProven(f"{tile.path} holds less than {tile.width} hashes")
            self._rows.append(bytearray(held[: tile.width * HASH_SIZE]))

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return Tiles(self.size, lambda tile: bytes(self._rows[tile.level])).root()

    def append(self, hashed: bytes) -> None:
        """Add the hash of the next leaf."""
        self.size += 1
        level = 0
        while True:
            if level == len(self._rows):
                self._rows.append(bytearray())
            row = self._rows[level]
            row += hashed
            if len(row) < WIDTH * HASH_SIZE:
                return
            tile = bytes(row)
            row.clear()
            level += 1
            self._full.append((Tile(level - 1, (self.size >> (HEIGHT * level)) - 1), tile))
            hashed = root_of(split(tile))

    def take_tiles(self) -> list[tuple[Tile, bytes]]:
        """The tiles that were filled since the last call, and those that are not full yet."""
        full, self._full = self._full, []
        return full + [(tile, bytes(self._rows[tile.level])) for tile in partial_tiles(self.size)]


def check_newest(tiles: Tiles, root: bytes, most: int = 64) -> None:
    """Raise `NotProven` unless the newest tiles are those under the root: `most` on each level."""
    if tiles.root() != root:
        raise NotProven(f"the tiles of {tiles.size} leaves do not give the root that was signed")
    level = 0
    while full := tiles.size >> (HEIGHT * (level + 1)):
        for number in range(max(0, full - most), full):
            below = [tiles.subtree(HEIGHT * level, number * WIDTH + n) for n in range(WIDTH)]
            if root_of(below) != tiles.subtree(HEIGHT * (level + 1), number):
                raise NotProven(f"{Tile(level, number).path} is not what was signed")
        level += 1


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def partial_tiles(size: int, *, empty: bool = False) -> Iterator[Tile]:
    """The tiles at the right edge of a tree that are not full; with `empty`, one for each level."""
    level = 0
    while size >> (HEIGHT * level):
        index, width = divmod(size >> (HEIGHT * level), WIDTH)
        if width or empty:
            yield Tile(level, index, width)
        level += 1


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree."""
    level = 0
    while hashes := size >> (HEIGHT * level):
        full, width = divmod(hashes, WIDTH)
        yield from (Tile(level, index) for index in range(full))
        if width:
            yield Tile(level, full, width)
        level += 1
