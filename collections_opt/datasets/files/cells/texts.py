"""Any Arrow array as clean cells: every kind of string as plain ones; spaces around a text are no part of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_INVISIBLE = "^[\ufeff\u200b\u2060\\s\u00a0]+|[\ufeff\u200b\u2060\\s\u00a0]+$"


def plain_array(cells: Any) -> Any:
    """Return chunked, dictionary, run-end, view and large arrays as one plain array; binary as UTF-8 text where it is such."""
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # combine_chunks keeps what is over 2 GB in chunks
        cells = pa.concat_arrays(cells.chunks)
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return plain_array(cells.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain_array(pc.run_end_decode(cells))
    is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    if is_binary or _is_other_text(kind) or kind == pa.binary_view():
        return pc.cast(cells, pa.string())
    if pa.types.is_float16(kind):
        return pc.cast(cells, pa.float32())
    return cells


def _is_other_text(kind: Any) -> bool:
    return bool(pa.types.is_large_string(kind) or kind == pa.string_view())


def is_text(kind: Any) -> bool:
    """Return whether a plain array holds texts."""
    return bool(pa.types.is_string(kind))


def is_number(kind: Any) -> bool:
    """Return whether a plain array holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_date(kind: Any) -> bool:
    """Return whether a plain array holds dates or instants."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def trimmed(cells: Any) -> Any:
    """Return texts without spaces (of any kind, and marks of width zero) around them; null where nothing is left."""
    if _needs_trim(cells):
        cells = pc.replace_substring_regex(cells, pattern=_INVISIBLE, replacement="")
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


def _needs_trim(cells: Any) -> bool:
    ends = pc.match_substring_regex(cells, pattern=_INVISIBLE)
    return bool(pc.any(ends).as_py())


def exact_text(cells: Any) -> Any | None:
    """Return a plain array as text without loss: texts, whole numbers and booleans; None for other kinds."""
    kind = cells.type
    if is_text(kind):
        return trimmed(cells)
    if pa.types.is_null(kind):
        return pc.cast(cells, pa.string())
    whole = pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0)
    return pc.cast(cells, pa.string()) if whole or pa.types.is_boolean(kind) else None


def code_text(cells: Any) -> Any | None:
    """Return a plain array as codes: as ``exact_text``, and whole floats without their point (a code column with gaps)."""
    exact = exact_text(cells)
    if exact is not None or not is_number(cells.type):
        return exact
    floats = pc.cast(cells, pa.float64())
    whole = pc.and_(pc.equal(floats, pc.round(floats)), pc.less(pc.abs(floats), 2.0**53))
    wholes = pc.cast(pc.cast(pc.if_else(whole, floats, 0.0), pa.int64()), pa.string())
    return pc.if_else(whole, wholes, pc.cast(floats, pa.string()))


def valid(cells: Any) -> NDArray[np.bool_]:
    """Return where an array has a value, bool (n,)."""
    return np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), dtype=bool)


def as_mask(cells: Any) -> NDArray[np.bool_]:
    """Return an Arrow boolean array as numpy; null is false."""
    return np.asarray(pc.fill_null(cells, False).to_numpy(zero_copy_only=False), dtype=bool)
