"""RFC 6962 trees: the published vectors, every proof of every small tree, and no altered proof accepted."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.ledger.log.merkle import (
    MerkleTree,
    check_consistency,
    hash_rows,
    leaf_hash,
)
from tests.support.ledger.inclusion import check_inclusion

# The leaves and roots that the Certificate Transparency reference implementations test with.
LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
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


def tree(size):
    return MerkleTree.of([f"leaf {i}".encode() for i in range(size)])


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size):
    assert MerkleTree.of(LEAVES[:size]).root.hex() == ROOTS[size]


def test_a_published_path():
    path = MerkleTree.of(LEAVES).inclusion_proof(0)
    assert [step.hex() for step in path[:2]] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    ]


def test_every_leaf_of_every_small_tree_is_proven_and_nothing_else():
    for size in range(1, 40):
        whole = tree(size)
        for index in range(size):
            leaf, path = leaf_hash(f"leaf {index}".encode()), whole.inclusion_proof(index)
            assert check_inclusion(leaf, index, size, path, whole.root)
            assert not check_inclusion(leaf_hash(b"other"), index, size, path, whole.root)
            assert not check_inclusion(leaf, index + 1, size, path, whole.root)
            assert not check_inclusion(leaf, index, size, [*path, leaf], whole.root)
            assert not path or not check_inclusion(leaf, index, size, path[:-1], whole.root)


def test_every_small_tree_extends_every_smaller_one_and_no_other():
    for size in range(1, 33):
        whole = tree(size)
        for old in range(1, size + 1):
            path, root = whole.consistency_proof(old), tree(old).root
            assert check_consistency(old, root, size, whole.root, path)
            assert not check_consistency(old, leaf_hash(b"other"), size, whole.root, path)
            assert not check_consistency(old, root, size, leaf_hash(b"other"), path)
            assert not check_consistency(old, root, size, whole.root, [*path, root])
            assert not path or not check_consistency(old, root, size, whole.root, path[:-1])


@settings(deadline=None)
@given(st.integers(2, 200), st.data())
def test_no_flipped_bit_of_a_path_is_accepted(size, data):
    whole = tree(size)
    index = data.draw(st.integers(0, size - 1))
    path = whole.inclusion_proof(index)
    step, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    path[step] = (int.from_bytes(path[step], "big") ^ (1 << bit)).to_bytes(32, "big")
    assert not check_inclusion(leaf_hash(f"leaf {index}".encode()), index, size, path, whole.root)


def test_rows_are_hashed_one_by_one():
    rows = np.arange(60, dtype=np.uint8).reshape(5, 12)
    assert [h.tobytes() for h in hash_rows(rows)] == [hashlib.sha256(row.tobytes()).digest() for row in rows]
    assert hash_rows(rows[:0]).shape == (0, 32)


def test_proofs_of_what_is_not_there_are_refused():
    for wrong in (-1, 3):
        with pytest.raises(IndexError):
            tree(3).inclusion_proof(wrong)
    for wrong in (0, 4):
        with pytest.raises(IndexError):
            tree(3).consistency_proof(wrong)
