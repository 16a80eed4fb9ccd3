"""Whole columns of coded facts: every distinct text is read once, whatever the number of accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.codes.readings import CodeReading

MAX_NEAREST = 100
"""Distinct unknown texts of a column for which known values are looked for; a column full of others is another column."""

_PART_ROWS = 65_536
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class NormalisedCode:
    """A spelling that had one reading and was replaced by its code.

    Attributes:
        field: schema column.
        text: as it was sent.
        code: as it is held.
        count: rows.
    """

    field: str
    text: str
    code: str
    count: int


@dataclass(frozen=True)
class CodedColumn:
    """A column after reading.

    Attributes:
        values: bytes (n,) of codes; unknown texts stand as they were sent.
        unknown: unknown texts by the known values near them, best first: bool (n,) each.
        normalised: spellings replaced, by text.
    """

    values: NDArray[np.bytes_]
    unknown: dict[tuple[str, ...], Mask]
    normalised: tuple[NormalisedCode, ...]


def read_codes(
    field: str,
    values: NDArray[np.bytes_],
    present: Mask,
    read: Callable[[str], CodeReading],
    near: Callable[[str], tuple[str, ...]],
) -> CodedColumn:
    """Return a column of texts as codes; empty texts and missing cells stay empty, which is unknown and never permits.

    Args:
        field: schema column, for the counts.
        values: bytes (n,) UTF-8.
        present: bool (n,).
        read: the reading of one text.
        near: known values near an unknown text.
    """
    given = np.where(present, values, b"")
    texts = sorted(_distinct(given) - {b""})
    readings = [read(text.decode("utf-8", "replace")) for text in texts]
    if all(reading.known and reading.code.encode() == text for text, reading in zip(texts, readings, strict=True)):
        return CodedColumn(given, {}, ())
    known = np.array([b"", *texts])
    place = np.searchsorted(known, given)
    codes = np.array([b"", *(r.code.encode() if r.known else text for r, text in zip(readings, texts, strict=True))])
    groups: dict[tuple[str, ...], Mask] = {}
    for index, close in _unknown(texts, readings, near):
        rows = np.asarray(place == index, dtype=bool)
        groups[close] = groups[close] | rows if close in groups else rows
    counts = np.bincount(place, minlength=known.size)
    normalised = tuple(
        NormalisedCode(field, text.decode("utf-8", "replace"), reading.code, int(counts[index]))
        for index, (text, reading) in enumerate(zip(texts, readings, strict=True), start=1)
        if reading.known and text != reading.code.encode()
    )
    return CodedColumn(codes[place], groups, normalised)


def _distinct(values: NDArray[np.bytes_]) -> set[bytes]:
    """Return the texts of a column; read in parts, as objects of all cells take several times the column's memory."""
    found: set[bytes] = set()
    for start in range(0, values.size, _PART_ROWS):
        found.update(values[start : start + _PART_ROWS].tolist())
    return found


def _unknown(
    texts: list[bytes], readings: list[CodeReading], near: Callable[[str], tuple[str, ...]]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    looked = 0
    for index, (text, reading) in enumerate(zip(texts, readings, strict=True), start=1):
        if reading.known:
            continue
        close = reading.nearest
        if not close and looked < MAX_NEAREST:
            close, looked = near(text.decode("utf-8", "replace")), looked + 1
        yield index, close
