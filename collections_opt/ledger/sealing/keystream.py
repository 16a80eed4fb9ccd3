"""ChaCha20 (RFC 8439) for many keys at once: row i of the stream comes from key i, computed column by column."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

KEY_BYTES, NONCE_BYTES, BLOCK_BYTES = 32, 12, 64
_CHUNK_ROWS, _FEW_ROWS = 4_096, 64
_COUNTER = bytes(4)
_CONSTANTS = np.frombuffer(b"expand 32-byte k", dtype="<u4")
Words = NDArray[np.uint32]


def keystream(keys: NDArray[np.uint8], nonce: bytes | NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return the first ``width`` bytes of every key's stream, block counter from 0, uint8 (n, width).

    Args:
        keys: uint8 (n, 32).
        nonce: 12 bytes, never used before with any of the keys, which must all differ; or uint8 (n, 12), one for each row.
        width: bytes per row.
    """
    count, blocks = len(keys), -(-width // BLOCK_BYTES)
    if count <= _FEW_ROWS:
        return _few(keys, nonce, width)
    stream = np.empty((count, width), dtype=np.uint8)
    words = np.ascontiguousarray(keys).view("<u4")
    each = np.frombuffer(nonce, np.uint8)[np.newaxis] if isinstance(nonce, bytes) else np.ascontiguousarray(nonce)
    tails = np.broadcast_to(each.view("<u4"), (count, NONCE_BYTES // 4))
    for start in range(0, count, _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        state = np.empty((16, len(words[rows])), dtype=np.uint32)
        state[:4], state[4:12], state[13:] = _CONSTANTS[:, np.newaxis], words[rows].T, tails[rows].T
        for block in range(blocks):
            state[12] = block
            part = slice(block * BLOCK_BYTES, min((block + 1) * BLOCK_BYTES, width))
            stream[rows, part] = _block(state)[:, : part.stop - part.start]
    return stream


def row_nonces(nonce: bytes, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the nonce of every row of a table, uint8 (n, 12): the table's, with the number of the row added bit by bit.

    No two rows of one table have the same, whatever their keys. Rows of two tables have by chance alone, as two random nonces do.

    Args:
        nonce: 12 random bytes, the table's own.
        rows: int64 (n,) numbers of rows in the table.
    """
    words = np.tile(np.frombuffer(nonce, dtype="<u4"), (len(rows), 1))
    words[:, 1] ^= (rows >> 32).astype(np.uint32)
    words[:, 2] ^= (rows & 0xFFFF_FFFF).astype(np.uint32)
    return words.view(np.uint8)


def _few(keys: NDArray[np.uint8], nonce: bytes | NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return the same stream row by row: of a few rows the columns are too short to pay."""
    stream, nothing = np.empty((len(keys), width), dtype=np.uint8), bytes(width)
    for row, key in enumerate(keys):
        mine = nonce if isinstance(nonce, bytes) else nonce[row].tobytes()
        cipher = Cipher(algorithms.ChaCha20(key.tobytes(), _COUNTER + mine), mode=None)
        stream[row] = np.frombuffer(cipher.encryptor().update(nothing), np.uint8)
    return stream


def _block(state: Words) -> NDArray[np.uint8]:
    """Return one block per column of the state, uint8 (m, 64); rows of four words go through the quarter rounds together."""
    work = state.copy()
    a, b, c, d = work[0:4], work[4:8], work[8:12], work[12:16]
    spare = np.empty_like(a)
    for _ in range(10):
        _quarter_rounds(a, b, c, d, spare)
        b[:], c[:], d[:] = b[[1, 2, 3, 0]], c[[2, 3, 0, 1]], d[[3, 0, 1, 2]]
        _quarter_rounds(a, b, c, d, spare)
        b[:], c[:], d[:] = b[[3, 0, 1, 2]], c[[2, 3, 0, 1]], d[[1, 2, 3, 0]]
    work += state
    return np.ascontiguousarray(work.T.astype("<u4")).view(np.uint8)


def _quarter_rounds(a: Words, b: Words, c: Words, d: Words, spare: Words) -> None:
    for left, right, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        np.add(left, right, out=left)
        np.bitwise_xor(mixed, left, out=mixed)
        np.left_shift(mixed, turn, out=spare)
        np.right_shift(mixed, 32 - turn, out=mixed)
        np.bitwise_or(mixed, spare, out=mixed)
