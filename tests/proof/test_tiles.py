"""The tree as files holds what the tree in memory holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof.merkle import (
    NotProven,
    consistency_proof,
    in_memory,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from proof.tiles import Tile, Tiles, Tiling, partial_tiles, tiles_of

MANY = [leaf_hash(str(number).encode()) for number in range(70_000)]


def grown(*sizes: int) -> tuple[Tiling, dict[str, bytes]]:
    """A tree that was grown to these sizes, one after the other, and its files."""
    tiling, files = Tiling(), dict[str, bytes]()
    for size in sizes:
        for hashed in MANY[tiling.size : size]:
            tiling.append(hashed)
        files |= {tile.path: held for tile, held in tiling.take_tiles()}
    return tiling, files


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(2, 1_000, 17), "tile/2/x001/000.p/17"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    held = list(tiles_of(70_000))
    full = [tile for tile in held if tile.width == 256]
    assert len([tile for tile in full if tile.level == 0]) == 273
    assert len([tile for tile in full if tile.level == 1]) == 1
    assert [(t.level, t.width) for t in held if t.width < 256] == [(0, 112), (1, 17), (2, 1)]
    assert list(partial_tiles(256)) == [Tile(1, 0, 1)]


def test_a_large_tree_is_written_as_it_is() -> None:
    tiling, files = grown(256, 60_000, 70_000)
    assert {tile.path for tile in tiles_of(70_000)} <= set(files)
    tiles = Tiles(70_000, lambda tile: files[tile.path])
    assert tiling.root == tiles.root() == root_of(MANY)
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert tiles.leaf(index) == MANY[index]


@settings(max_examples=30)
@given(st.integers(1, 3000), st.data())
def test_proofs_from_tiles_are_those_from_memory(size: int, data: st.DataObject) -> None:
    _, files = grown(data.draw(st.integers(0, size)), size)
    tiles = Tiles(size, lambda tile: files[tile.path])
    memory = in_memory(MANY[:size])
    index = data.draw(st.integers(0, size - 1))
    assert inclusion_proof(index, size, tiles.subtree) == inclusion_proof(index, size, memory)
    assert consistency_proof(index, size, tiles.subtree) == consistency_proof(index, size, memory)


@settings(max_examples=30)
@given(st.integers(0, 3000), st.integers(0, 600))
def test_a_tree_goes_on_from_its_tiles_as_if_it_had_never_stopped(size: int, more: int) -> None:
    _, files = grown(size)
    again = Tiling(size, lambda tile: files[tile.path])
    for hashed in MANY[size : size + more]:
        again.append(hashed)
    files |= {tile.path: held for tile, held in again.take_tiles()}
    straight, expected = grown(size + more)
    assert again.root == straight.root
    assert {path: files[path] for path in expected} == expected


def test_a_full_tile_holds_its_beginnings() -> None:
    _, files = grown(512)
    tiles = Tiles(300, lambda tile: files[tile._replace(width=256).path])
    assert tiles.leaf(299) == MANY[299]
    with pytest.raises(NotProven):
        tiles.leaf(300)


def test_a_tile_that_is_cut_short_is_not_believed() -> None:
    _, files = grown(300)
    tiles = Tiles(300, lambda tile: files[tile.path][:-1])
    with pytest.raises(NotProven, match="holds less than"):
        tiles.leaf(299)
    with pytest.raises(NotProven, match="holds less than"):
        Tiling(300, lambda tile: files[tile.path][:-1])
