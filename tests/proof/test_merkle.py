"""The tree of RFC 6962, by its published answers and by what must hold of every tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.merkle import (
    EMPTY_ROOT,
    Frontier,
    NotProven,
    check_consistency,
    check_inclusion,
    consistency_proof,
    in_memory,
    inclusion_proof,
    leaf_hash,
    root_of,
)

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the first 0 to 8 of these leaves, as the reference implementations publish them."""
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
MANY = [leaf_hash(str(number).encode()) for number in range(70)]


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_the_published_one(size: int) -> None:
    assert root_of(HASHES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("case", INCLUSION)
def test_the_proof_of_inclusion_is_the_published_one(case: tuple[int, int]) -> None:
    index, size = case
    proof = inclusion_proof(index, size, in_memory(HASHES[:size]))
    assert [one.hex() for one in proof] == INCLUSION[case]
    check_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize("case", CONSISTENCY)
def test_the_proof_of_consistency_is_the_published_one(case: tuple[int, int]) -> None:
    old, size = case
    proof = consistency_proof(old, size, in_memory(HASHES[:size]))
    assert [one.hex() for one in proof] == CONSISTENCY[case]
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[size])
    check_consistency(old, roots[0], size, roots[1], proof)


@given(st.integers(1, len(MANY)), st.data())
def test_every_leaf_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = root_of(MANY[:size])
    proof = inclusion_proof(index, size, in_memory(MANY[:size]))
    check_inclusion(MANY[index], index, size, proof, root)
    other = (
        data.draw(st.integers(0, size - 1).filter(lambda other: other != index)) if size > 1 else 1
    )
    with pytest.raises(NotProven):
        check_inclusion(MANY[index], other, size, proof, root)
    with pytest.raises(NotProven):
        check_inclusion(leaf_hash(b"another"), index, size, proof, root)
    with pytest.raises(NotProven):
        check_inclusion(MANY[index], index, size, [*proof, root], root)
    if proof:
        with pytest.raises(NotProven):
            check_inclusion(MANY[index], index, size, proof[:-1], root)


@given(st.integers(1, len(MANY)), st.data())
def test_a_tree_is_proven_to_go_on_from_its_beginning_and_from_no_other(
    size: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(0, size))
    tree = in_memory(MANY[:size])
    old_root, root = root_of(MANY[:old]), root_of(MANY[:size])
    proof = consistency_proof(old, size, tree)
    check_consistency(old, old_root, size, root, proof)
    forged = root_of([*MANY[: max(0, old - 1)], leaf_hash(b"forged")])
    with pytest.raises(NotProven):
        check_consistency(max(1, old), forged, size, root, proof)
    for place in range(len(proof)):
        changed = [*proof]
        changed[place] = leaf_hash(b"changed")
        with pytest.raises(NotProven):
            check_consistency(old, old_root, size, root, changed)


@given(st.integers(0, len(MANY)), st.integers(0, len(MANY)))
def test_a_tree_goes_on_from_its_complete_subtrees(first: int, second: int) -> None:
    start, end = sorted((first, second))
    tree = Frontier.at(start, in_memory(MANY))
    for hashed in MANY[start:end]:
        tree.append(hashed)
    assert (tree.size, tree.root) == (end, root_of(MANY[:end]))


def test_an_empty_tree_has_a_root_too() -> None:
    assert Frontier().root == EMPTY_ROOT
    check_consistency(0, EMPTY_ROOT, 5, root_of(MANY[:5]), [])
