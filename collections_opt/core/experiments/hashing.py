"""HMAC-SHA-256 of many short texts at once, in columns: FIPS 180-4 and RFC 2104 in numpy, equal to ``hmac`` of the library."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_BLOCK = 64
_LENGTH_BYTES = 8
_CHUNK_ROWS = 1 << 14
"""Rows hashed at a time: their words stay in the processor's cache."""


def _primes(count: int) -> list[int]:
    found: list[int] = []
    at = 2
    while len(found) < count:
        if all(at % each for each in found):
            found.append(at)
        at += 1
    return found


def _cube_root_bits(prime: int) -> int:
    """Return the first 32 bits of the fraction of a prime's cube root, exactly."""
    scaled = prime << 96
    root = round(scaled ** (1 / 3))
    while root**3 > scaled:
        root -= 1
    while (root + 1) ** 3 <= scaled:
        root += 1
    return int(root) & 0xFFFFFFFF


_K = np.array([_cube_root_bits(prime) for prime in _primes(64)], dtype=np.uint32)
_START = np.array([math.isqrt(prime << 64) & 0xFFFFFFFF for prime in _primes(8)], dtype=np.uint32)


def hmac_sha256_first8(key: bytes, texts: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Return the first eight bytes of HMAC-SHA-256(key, text), big-endian, uint64 (n,).

    Args:
        key: of any length.
        texts: bytes (n,); trailing NULs are not part of a text, as everywhere in numpy.
    """
    short = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (_absorbed(bytes(byte ^ pad for byte in short)) for pad in (0x36, 0x5C))
    result = np.empty(texts.size, dtype=np.uint64)
    for start in range(0, texts.size, _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        result[rows] = _hmac(inner, outer, texts[rows])
    return result


def _absorbed(block: bytes) -> Words:
    """Return the state after one block, uint32 (8, 1)."""
    words = np.frombuffer(block, dtype=">u4").astype(np.uint32).reshape(16, 1)
    return _compress(_START.reshape(8, 1).copy(), words)


def _hmac(inner: Words, outer: Words, texts: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    count = texts.size
    length = np.strings.str_len(texts).astype(np.int64)
    blocks = (length + 1 + _LENGTH_BYTES + _BLOCK - 1) // _BLOCK
    most = int(blocks.max(initial=1))
    padded = np.zeros((count, most * _BLOCK), dtype=np.uint8)
    width = texts.dtype.itemsize
    padded[:, :width] = np.ascontiguousarray(texts).view(np.uint8).reshape(count, width)
    rows = np.arange(count)
    padded[rows, length] = 0x80
    bits = ((_BLOCK + length) * 8).astype(">u8").view(np.uint8).reshape(count, _LENGTH_BYTES)
    padded[rows[:, np.newaxis], (blocks * _BLOCK - _LENGTH_BYTES)[:, np.newaxis] + np.arange(_LENGTH_BYTES)] = bits
    words = padded.view(">u4").astype(np.uint32).T.reshape(most, 16, count)
    state = np.repeat(inner, count, axis=1)
    for at in range(most):
        after = _compress(state.copy(), words[at])
        state = np.where(at < blocks, after, state)
    last = np.zeros((16, count), dtype=np.uint32)
    last[:8], last[8], last[15] = state, 0x80000000, (_BLOCK + 32) * 8
    done = _compress(np.repeat(outer, count, axis=1), last)
    first8: NDArray[np.uint64] = (done[0].astype(np.uint64) << np.uint64(32)) | done[1].astype(np.uint64)
    return first8


def _compress(state: Words, block: Words) -> Words:
    """Return the state after a block: state uint32 (8, n), block uint32 (16, n)."""
    schedule = list(block)
    for at in range(16, 64):
        near, far = schedule[at - 15], schedule[at - 2]
        first = _turned(near, 7) ^ _turned(near, 18) ^ (near >> np.uint32(3))
        second = _turned(far, 17) ^ _turned(far, 19) ^ (far >> np.uint32(10))
        schedule.append(schedule[at - 16] + first + schedule[at - 7] + second)
    a, b, c, d, e, f, g, h = state
    for at in range(64):
        chosen = (e & f) ^ (~e & g)
        mixed = h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + chosen + _K[at] + schedule[at]
        most = (a & b) ^ (a & c) ^ (b & c)
        total = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + most
        a, b, c, d, e, f, g, h = mixed + total, a, b, c, d + mixed, e, f, g
    return np.asarray(state + np.stack([a, b, c, d, e, f, g, h]), dtype=np.uint32)


def _turned(words: Words, by: int) -> Words:
    """Return words rotated to the right."""
    return (words >> np.uint32(by)) | (words << np.uint32(32 - by))
