"""Read-only columns, and the digests that identify them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FEW = 8


def frozen(array: Array) -> Array:
    """Return the array contiguous and read-only (copied only if it is not contiguous)."""
    result = np.ascontiguousarray(array)
    result.flags.writeable = False
    return result


def distinct(values: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the distinct values of a column, sorted, and the place of each cell's among them, int64 (n,)."""
    if values.size == 1:  # a call with one account asks this of many columns
        return values, np.zeros(1, dtype=np.int64)
    found, place = np.unique(values, return_inverse=True)
    return found, place.astype(np.int64, copy=False)


def among(values: Array, wanted: Array) -> NDArray[np.bool_]:
    """Return which cells hold one of some values, bool (n,): comparing with each of a few costs less than sorting them."""
    if wanted.size > FEW:
        return np.isin(values, wanted)
    found = np.zeros(values.shape, dtype=bool)
    for one in wanted:
        found |= values == one
    return found


def digest_columns(columns: Mapping[str, Array], header: Iterable[str] = ()) -> str:
    """Return the SHA-256 (hex) of named columns, in name order.

    Each column contributes its name, dtype, shape and bytes; floats are hashed by their bits. The order of the columns does
    not matter, the order of the rows does.
    """
    sha = hashlib.sha256()
    for line in header:
        sha.update(line.encode() + b"\n")
    for name in sorted(columns):
        column = np.ascontiguousarray(columns[name])
        sha.update(f"{name}|{column.dtype.str}|{column.shape}\n".encode())
        sha.update(column.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def digest_text(text: str) -> str:
    """Return the SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
