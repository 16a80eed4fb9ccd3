"""Events sealed one by one under the key of whom they concern, so that they can be forgotten without touching what proves them.

    stream = ChaCha20(key of the subject, nonce of the event),  salt = stream[:16]
    sealed = row XOR stream[16:],  leaf = SHA-256(0x00 || EVENT || salt || row)

A row is the event's JSON, padded so that its length tells little. Each has a nonce of its own: many may concern one account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from collections_opt.ledger.sealing.keystream import NONCE_BYTES, keystream
from collections_opt.ledger.sealing.sealing import SALT_BYTES, LeafKind

PAD_BYTES = 64
"""Rows are padded with spaces, which JSON ignores, to a multiple of so many bytes."""

_HEAD = bytes([0, LeafKind.EVENT])
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class SealedRows:
    """Events sealed: per event its nonce, its bytes and its leaf hash."""

    nonces: list[bytes]
    sealed: list[bytes]
    leaves: list[bytes]


def seal_rows(texts: Sequence[str], keys: Bytes, random: bytes) -> SealedRows:
    """Return texts sealed.

    Args:
        texts: one JSON text per event.
        keys: uint8 (n, 32).
        random: ``NONCE_BYTES`` per event that nobody can guess.
    """
    rows = [_padded(text.encode()) for text in texts]
    nonces = np.frombuffer(random, dtype=np.uint8).reshape(len(rows), NONCE_BYTES)
    streams = _streams(keys, nonces, [len(row) for row in rows])
    leaves = [_leaf(stream, row) for stream, row in zip(streams, rows, strict=True)]
    whole = _xor(b"".join(rows), b"".join([stream[SALT_BYTES:] for stream in streams]))
    ends = list(accumulate(map(len, rows), initial=0))
    sealed = [whole[start:end] for start, end in pairwise(ends)]
    return SealedRows([random[at : at + NONCE_BYTES] for at in range(0, len(random), NONCE_BYTES)], sealed, leaves)


def unseal_rows(nonces: Sequence[bytes], sealed: Sequence[bytes], leaves: Sequence[bytes], keys: Bytes) -> list[str | None]:
    """Return the texts of sealed events; None where the key is gone.

    Raises:
        ValueError: where one is not what its leaf says, with its index.
    """
    if not sealed:
        return []
    for index, nonce in enumerate(nonces):
        if len(nonce) != NONCE_BYTES:
            raise ValueError(index)
    held = np.frombuffer(b"".join(nonces), dtype=np.uint8).reshape(len(sealed), NONCE_BYTES)
    streams = _streams(keys, held, [len(row) for row in sealed])
    kept = np.flatnonzero(keys.any(axis=1))
    there = set(kept.tolist())
    texts: list[str | None] = []
    for index, stream in enumerate(streams):
        if index not in there:
            texts.append(None)
            continue
        row = _xor(sealed[index], stream[SALT_BYTES:])
        if _leaf(stream, row) != leaves[index]:
            raise ValueError(index)
        texts.append(row.decode().rstrip(" "))
    return texts


def _padded(row: bytes) -> bytes:
    return row.ljust(-(-len(row) // PAD_BYTES) * PAD_BYTES, b" ")


def _streams(keys: Bytes, nonces: Bytes, lengths: Sequence[int]) -> list[bytes]:
    """Return salt and stream of every row; rows of one length are worked out together."""
    result = [b""] * len(lengths)
    widths = np.array(lengths, dtype=np.int64)
    for width in set(lengths):
        rows = np.flatnonzero(np.equal(widths, width))
        found = keystream(keys[rows], np.ascontiguousarray(nonces[rows]), SALT_BYTES + width)
        for place, row in enumerate(rows.tolist()):
            result[row] = found[place].tobytes()
    return result


def _xor(row: bytes, stream: bytes) -> bytes:
    return np.bitwise_xor(np.frombuffer(row, np.uint8), np.frombuffer(stream, np.uint8)).tobytes()


def _leaf(stream: bytes, row: bytes) -> bytes:
    return hashlib.sha256(_HEAD + stream[:SALT_BYTES] + row).digest()
