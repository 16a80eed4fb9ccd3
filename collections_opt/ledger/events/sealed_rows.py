"""Events sealed one by one under the key of whom they concern, so that they can be forgotten without touching what proves them.

    stream = ChaCha20(key of the subject, nonce of the event),  salt = stream[:16]
    sealed = row XOR stream[16:],  leaf = SHA-256(0x00 || EVENT || salt || row)

A row is the event's JSON, padded so that its length tells little. Each has a nonce of its own: many may concern one account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    sealed, leaves = [b""] * len(rows), [b""] * len(rows)
    for places, streams in _streams(keys, nonces, [len(row) for row in rows]):
        whole = np.frombuffer(b"".join([rows[place] for place in places.tolist()]), np.uint8).reshape(len(places), -1)
        hidden, salts = whole ^ streams[:, SALT_BYTES:], streams[:, :SALT_BYTES]
        for at, place in enumerate(places.tolist()):
            sealed[place], leaves[place] = hidden[at].tobytes(), _leaf(salts[at].tobytes(), rows[place])
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
    there = set(np.flatnonzero(keys.any(axis=1)).tolist())
    texts: list[str | None] = [None] * len(sealed)
    for rows, streams in _streams(keys, held, [len(row) for row in sealed]):
        width = streams.shape[1] - SALT_BYTES
        whole = np.frombuffer(b"".join([sealed[row] for row in rows.tolist()]), np.uint8).reshape(len(rows), width)
        opened, salts = (whole ^ streams[:, SALT_BYTES:]).tobytes(), streams[:, :SALT_BYTES].tobytes()
        for place, row in enumerate(rows.tolist()):
            if row not in there:
                continue
            text = opened[place * width : (place + 1) * width]
            if _leaf(salts[place * SALT_BYTES : (place + 1) * SALT_BYTES], text) != leaves[row]:
                raise ValueError(row)
            texts[row] = text.decode().rstrip(" ")
    return texts


def _padded(row: bytes) -> bytes:
    return row.ljust(-(-len(row) // PAD_BYTES) * PAD_BYTES, b" ")


def _streams(keys: Bytes, nonces: Bytes, lengths: Sequence[int]) -> Iterator[tuple[NDArray[np.int64], Bytes]]:
    """Yield salt and stream of all rows of one length, uint8 (k, 16 + length), and which rows they are, int64 (k,)."""
    widths = np.array(lengths, dtype=np.int64)
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width).astype(np.int64)
        yield rows, keystream(keys[rows], np.ascontiguousarray(nonces[rows]), SALT_BYTES + width)


def _leaf(salt: bytes, row: bytes) -> bytes:
    return hashlib.sha256(_HEAD + salt + row).digest()
