"""Merkle trees of RFC 6962 (the same as RFC 9162): roots, inclusion and consistency proofs, and their checks.

    leaf hash = SHA-256(0x00 || leaf),  node hash = SHA-256(0x01 || left || right),
    a tree of n leaves splits at the largest power of two below n.

Pairing the nodes of each level from the left and carrying an odd last node up gives exactly that tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]
"""(n, 32)."""

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of one leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def hash_rows(rows: NDArray[np.uint8]) -> Hashes:
    """Return the SHA-256 of every row of a matrix, (n, width) to (n, 32).

    One call of the C library per row over one prepared buffer: nothing faster is to be had without native code of our own.
    """
    count, width = rows.shape
    buffer = np.ascontiguousarray(rows).reshape(-1).data
    sha = hashlib.sha256
    digests = b"".join([sha(buffer[start : start + width]).digest() for start in range(0, count * width, width)])
    return np.frombuffer(digests, dtype=np.uint8).reshape(count, HASH_BYTES)


class MerkleTree:
    """The tree over given leaf hashes; holds every level, 64 bytes per leaf."""

    def __init__(self, leaves: Hashes) -> None:
        self._levels: list[Hashes] = [leaves]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))

    @classmethod
    def of(cls, leaves: Sequence[bytes]) -> MerkleTree:
        """Return the tree over unhashed leaves."""
        hashed = b"".join(leaf_hash(leaf) for leaf in leaves)
        return cls(np.frombuffer(hashed, dtype=np.uint8).reshape(len(leaves), HASH_BYTES))

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    @property
    def leaves(self) -> Hashes:
        """Leaf hashes, (n, 32)."""
        return self._levels[0]

    @property
    def root(self) -> bytes:
        """Root hash."""
        return self._levels[-1][0].tobytes() if self.size else EMPTY_ROOT

    def root_at(self, size: int) -> bytes:
        """Return the root over the first ``size`` leaves.

        Raises:
            IndexError: for a size beyond this tree's.
        """
        if not 0 <= size <= self.size:
            raise IndexError(f"size {size} of {self.size}")
        return self._range_root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the audit path of a leaf, lowest first.

        Raises:
            IndexError: for a leaf that is not there.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} of {self.size}")
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1].tobytes())
            index >>= 1
        return path

    def consistency_proof(self, size: int) -> list[bytes]:
        """Return the proof that the tree of the first ``size`` leaves is a prefix of this one.

        Raises:
            IndexError: for a size beyond this tree's, or 0, from which everything follows.
        """
        if not 0 < size <= self.size:
            raise IndexError(f"size {size} of {self.size}")
        return self._subproof(size, 0, self.size, True)

    def _subproof(self, size: int, start: int, end: int, whole: bool) -> list[bytes]:
        if size == end - start:
            return [] if whole else [self._range_root(start, end)]
        split = _split(end - start)
        if size <= split:
            return [*self._subproof(size, start, start + split, whole), self._range_root(start + split, end)]
        return [*self._subproof(size - split, start + split, end, False), self._range_root(start, start + split)]

    def _range_root(self, start: int, end: int) -> bytes:
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            return bytes(self._levels[count.bit_length() - 1][start // count])
        split = _split(count)
        return node_hash(self._range_root(start, start + split), self._range_root(start + split, end))


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether a tree extends an older one (RFC 9162, 2.1.4.2)."""
    if old_size == size:
        return old_root == root and not path
    if not 0 < old_size < size:
        return False
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not steps:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old, new = steps[0], steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _above(level: Hashes) -> Hashes:
    pairs = len(level) // 2
    rows = np.empty((pairs, 1 + 2 * HASH_BYTES), dtype=np.uint8)
    rows[:, 0] = 1
    rows[:, 1:] = level[: 2 * pairs].reshape(pairs, 2 * HASH_BYTES)
    return np.concatenate([hash_rows(rows), level[2 * pairs :]])


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)
