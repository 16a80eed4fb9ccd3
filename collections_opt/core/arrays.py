"""Read-only columns, and the digests that identify them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def frozen(array: Array) -> Array:
    """Return the array contiguous and read-only (copied only if it is not contiguous)."""
    result = np.ascontiguousarray(array)
    result.flags.writeable = False
    return result


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
