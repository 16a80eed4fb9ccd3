"""NumPy columns to Arrow arrays and back, exactly and without a Python object per account."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse

_ZERO = {"b": False, "f": 0.0}


def to_arrow(name: str, column: Array, present: NDArray[np.bool_] | None) -> pa.Array:
    """Return a column as an Arrow array: histories (n, months) as fixed-size lists, text ``S`` as strings, absent cells null.

    Raises:
        CollectionsError: INVALID_ARGUMENT when text is not UTF-8 or an absent cell holds something, which null would lose.
    """
    if present is not None and _holds_something(column[~present]):
        raise refuse(Reason.INVALID_ARGUMENT, name, "an absent cell holds a value.", "Set absent cells to zero values.")
    absent = None if present is None else np.ascontiguousarray(~present).reshape(-1)
    flat = np.ascontiguousarray(column).reshape(-1)
    values = _text(name, flat, absent) if column.dtype.kind == "S" else pa.array(flat, mask=absent)
    return values if column.ndim == 1 else pa.FixedSizeListArray.from_arrays(values, column.shape[1])


def from_arrow(array: pa.Array, dtype: np.dtype, width: tuple[int, ...]) -> tuple[Array, NDArray[np.bool_]]:
    """Return an Arrow array as a column of exactly this type, (n,) or (n, months), and where its cells have values."""
    shape = (len(array), *width)
    flat = array.flatten() if width else array
    present = flat.is_valid().to_numpy(zero_copy_only=False).reshape(shape)
    if dtype.kind == "S":
        return _bytes(flat.fill_null(""), dtype).reshape(shape), present
    filled = flat.fill_null(_ZERO.get(dtype.kind, 0)).to_numpy(zero_copy_only=False)
    return filled.astype(dtype, copy=False).reshape(shape), present


def _holds_something(cells: Array) -> bool:
    # By bytes, because -0.0 and NaN are content too.
    return bool(np.frombuffer(np.ascontiguousarray(cells).tobytes(), dtype=np.uint8).any())


def _text(name: str, column: NDArray[np.bytes_], absent: NDArray[np.bool_] | None) -> pa.Array:
    length = np.char.str_len(column).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(length)))
    letters = column.view(np.uint8).reshape(column.size, column.itemsize)
    content = letters[np.arange(column.itemsize) < length[:, None]]
    text = pa.LargeStringArray.from_buffers(column.size, pa.py_buffer(offsets), pa.py_buffer(content))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid as error:
        raise refuse(Reason.INVALID_ARGUMENT, name, f"is not UTF-8: {error}.", "Encode text as UTF-8.") from error
    return text if absent is None else pc.if_else(pa.array(~absent), text, pa.scalar(None, pa.large_string()))


def _bytes(text: pa.Array, dtype: np.dtype) -> NDArray[np.bytes_]:
    letters = np.zeros((len(text), dtype.itemsize), dtype=np.uint8)
    if len(text):
        _, offsets, content = text.buffers()
        bounds = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
        used = np.frombuffer(content, dtype=np.uint8)[bounds[0] : bounds[-1]] if bounds[-1] > bounds[0] else letters[:0, 0]
        letters[np.arange(dtype.itemsize) < np.diff(bounds)[:, None]] = used
    return letters.view(dtype).reshape(-1)
