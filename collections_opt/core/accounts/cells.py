"""Cells as they came: texts as bytes, and what of few rows is plainly sound, so that the door need not ask it column by column.

What costs a call with one account is not its cells but asking something of one column after the other. Whatever is not plainly
sound is left to the door itself, which finds out what is wrong with it.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.limits import MAX_SCORE_ACCOUNTS

INT64_LIMIT = 2.0**62
"""A number of a column without a bound of its own is smaller."""

Checked = tuple[Array, NDArray[np.bool_]]


def sound_columns(raw: RawPortfolio, row_count: int) -> dict[str, Checked]:
    """Return columns of whole numbers and flags in which there is nothing to find, with where they have values, by name.

    Only where rows are few: beside each other the columns of a book would take its memory once more.
    """
    if row_count > MAX_SCORE_ACCOUNTS:
        return {}
    alike: dict[tuple[bool, tuple[int, ...]], list[str]] = defaultdict(list)
    for name, values in raw.columns.items():
        column = ACCOUNT_SCHEMA.get(name)
        if column is None:
            continue
        flag = column.kind is ColumnKind.FLAG
        if values.dtype == (np.bool_ if flag else np.int64) and (flag or column.is_integer):
            alike[flag, values.shape].append(name)
    found: dict[str, Checked] = {}
    for (flag, shape), names in alike.items():
        every = np.ones(shape, dtype=bool)
        cells = np.array([raw.columns[name] for name in names])
        present = np.array([raw.present.get(name, every) for name in names], dtype=bool)
        low, high, required = _terms(tuple(names))
        held = cells & present if flag else np.where(present, cells, 0)
        flat, known = held.reshape(len(names), -1), present.reshape(len(names), -1)
        sound = ~required | known.all(axis=1)
        if not flag:
            sound &= ~(known & ((flat < low) | (flat > high))).any(axis=1)
        found.update({name: (held[at], present[at]) for at, name in enumerate(names) if sound[at]})
    return found


@lru_cache(maxsize=256)
def _terms(names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the lowest and highest value of some columns, float64 (k, 1), and which are required, bool (k,)."""
    columns = [ACCOUNT_SCHEMA[name] for name in names]
    low = [-INT64_LIMIT if column.low is None else column.low for column in columns]
    high = [INT64_LIMIT if column.high is None else column.high for column in columns]
    required = np.array([column.required for column in columns], dtype=bool)
    return np.array(low, dtype=np.float64)[:, np.newaxis], np.array(high, dtype=np.float64)[:, np.newaxis], required


def checked_bytes(values: Array, mask: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return texts that came as bytes, as ``encoded_text``."""
    raw = np.where(mask, values, b"")
    if raw.size == 0 or bool((raw.view(np.uint8) < 0x80).all()):
        return raw, np.zeros(raw.shape, dtype=bool), np.zeros(raw.shape, dtype=bool)
    return encoded_text(np.array([v.decode("utf-8", "surrogateescape") for v in raw.tolist()], dtype=object))


def encoded_text(values: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return texts as NFC UTF-8, and where they are invalid or hold NUL; one join in C tells whether a column is plain ASCII."""
    texts = [text if isinstance(text, str) else str(text) for text in values.tolist()]
    if "".join(texts).isascii():
        has_nul = np.array(["\0" in text for text in texts]) if "\0" in "".join(texts) else np.zeros(len(texts), dtype=bool)
        longest = max(map(len, texts), default=0)
        # numpy drops trailing NULs; those rows are refused by has_nul anyway.
        encoded = np.array(texts, dtype=f"S{max(longest, 1)}") if texts else np.zeros(0, dtype="S1")
        return encoded, np.zeros(len(texts), dtype=bool), has_nul
    normal = [unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass") for text in texts]
    invalid = np.array([any("\ud800" <= c <= "\udfff" for c in text) for text in texts], dtype=bool)
    return np.array(normal, dtype="S"), invalid, np.array(["\0" in text for text in texts], dtype=bool)


def shortened(column: Array) -> Array:
    """Return a column whose texts take no more bytes than the longest needs."""
    if column.dtype.kind != "S":
        return column
    longest = int(np.char.str_len(column).max(initial=1))
    return column.astype(f"S{max(longest, 1)}")
