"""Columns as rows of bytes and back, exactly: each account's cells side by side, each in as few bytes as the column needs.

A row is what is encrypted and hashed for one account. Its layout is plain JSON and needs no code of ours to be read: fields in
order, integers little-endian in two's complement, text in UTF-8 padded with zero bytes, flags as bits from the highest down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse

Rows = NDArray[np.uint8]
"""(n, width)."""

_MAX_CATEGORIES = 65_536
_MAX_DIGITS = 18
_SHARED_BY = 256
"""Rows that must share the letters of a template, which stands in the clear."""


class FieldKind(StrEnum):
    """How a field's bytes are read."""

    TEXT = "text"
    """UTF-8, padded with zero bytes."""
    DIGITS = "digits"
    """An integer, whose decimal digits fill the zero characters of the only text in ``values`` from the left."""
    SUFFIX = "suffix"
    """An integer, whose decimal digits but the first follow the only text in ``values``."""
    CODE = "code"
    """An integer: the position in ``values``."""
    INT = "int"
    """An integer; where ``values`` holds a number, the position in it."""
    FLOAT = "float"
    """IEEE 754 double, little-endian."""
    FLAG = "flag"
    """One bit; its place is counted in bits from the start of the row, the highest bit of a byte first."""


@dataclass(frozen=True)
class Field:
    """One column in a row.

    Attributes:
        name: the column.
        kind: how its bytes are read.
        dtype: NumPy type of the column.
        offset: first byte in the row; for a FLAG its first bit, counted from the start of the row.
        width: bytes per cell; bits for a FLAG; 0 where every cell is zero.
        months: cells per row of a history, -1 for a plain column.
        values: texts that a CODE stands for, the template of DIGITS, the prefix of a SUFFIX, or the number that all cells of an
            INT share.
    """

    name: str
    kind: FieldKind
    dtype: str
    offset: int
    width: int
    months: int = -1
    values: tuple[str | int, ...] = ()

    @property
    def cells(self) -> int:
        """Cells per row."""
        return 1 if self.months < 0 else self.months


@dataclass(frozen=True)
class Layout:
    """Where each column stands in a row of ``width`` bytes."""

    fields: tuple[Field, ...]
    width: int

    def plain(self) -> list[dict[str, Any]]:
        """Return the layout as JSON content, without what is empty."""
        return [{name: value for name, value in asdict(field).items() if value not in ((), -1)} for field in self.fields]

    @classmethod
    def parse(cls, content: Sequence[Mapping[str, Any]], width: int) -> Layout:
        """Return the layout of its JSON content."""
        made = [Field(**{**f, "kind": FieldKind(f["kind"]), "values": tuple(f.get("values", ()))}) for f in content]
        return cls(tuple(made), width)


@dataclass(frozen=True)
class _Packed:
    """A column on its way into rows: cells of some rows are made when they are asked for."""

    source: Array
    dtype: str
    width: int

    def cells(self, rows: slice) -> Rows:
        """Return the bytes of some rows, (m, cells per row * width)."""
        part = self.source[rows]
        whole = np.dtype(self.dtype).itemsize
        per_row = part.shape[1] if part.ndim == 2 else 1
        return (
            _bytes(part.astype(self.dtype))
            .reshape(len(part), per_row, whole)[:, :, : self.width]
            .reshape(len(part), per_row * self.width)
        )


class PackedRows:
    """Columns as rows of bytes, made a block at a time: rows of all accounts at once would take as much memory again.

    Attributes:
        layout: how a row is read.
        row_count: n.
    """

    def __init__(self, columns: Mapping[str, Array], categories: Sequence[str] = ()) -> None:
        self.row_count = len(next(iter(columns.values())))
        fields: list[Field] = []
        self._parts: list[_Packed] = []
        self._flags = {name: column for name, column in columns.items() if column.dtype.kind == "b"}
        offset = 0
        for name, column in columns.items():
            if name in self._flags:
                continue
            kind, values, packed = _packed(name, column, name in categories)
            fields.append(Field(name, kind, column.dtype.str, offset, packed.width, _months(column), values))
            self._parts.append(packed)
            offset += fields[-1].cells * packed.width
        place = offset * 8
        for name, column in self._flags.items():
            fields.append(Field(name, FieldKind.FLAG, column.dtype.str, place, 1, _months(column)))
            place += fields[-1].cells
        self.layout = Layout(tuple(fields), -(-place // 8))

    def block(self, rows: slice) -> Rows:
        """Return some rows, uint8 (m, width)."""
        count = len(range(*rows.indices(self.row_count)))
        parts = [part.cells(rows) for part in self._parts]
        if self._flags:
            parts.append(np.packbits(np.column_stack([column[rows] for column in self._flags.values()]), axis=1))
        return np.concatenate(parts, axis=1) if parts else np.zeros((count, 0), np.uint8)


def unpack(layout: Layout, rows: Rows) -> dict[str, Array]:
    """Return the columns of rows, in the layout's order, with their exact types and shapes."""
    return {field.name: _column(field, rows) for field in layout.fields}


def _months(column: Array) -> int:
    return int(column.shape[1]) if column.ndim == 2 else -1


def _packed(name: str, column: Array, is_category: bool) -> tuple[FieldKind, tuple[str | int, ...], _Packed]:
    """Return a column's kind, what it stands for, and what its cells are made of."""
    if column.dtype.kind == "S" and not is_category:
        numbered = _numbered(column)
        if numbered is not None:
            kind, pattern, numbers = numbered
            return kind, (pattern,), _integers(numbers)
        used = max(1, int(np.char.str_len(column).max(initial=1)))
        return FieldKind.TEXT, (), _Packed(column, f"S{used}", used)
    if column.dtype.kind == "f":
        return FieldKind.FLOAT, (), _Packed(column, "<f8", 8 if _bytes(column).any() else 0)
    kind = FieldKind.CODE if column.dtype.kind == "S" else FieldKind.INT
    values: tuple[str | int, ...]
    values, numbers = _codes(name, column) if kind is FieldKind.CODE else _shared(column)
    return kind, values, _integers(numbers)


def _shared(column: Array) -> tuple[tuple[int, ...], Array]:
    """Return the number that all cells share with zeros, or the column where they differ or are too few to say it aloud."""
    if len(column) < _SHARED_BY or not column.any() or (column != column.flat[0]).any():
        return (), column
    return (int(column.flat[0]),), np.zeros_like(column)


def _integers(numbers: Array) -> _Packed:
    return _Packed(numbers, "<i8", _int_bytes(numbers))


def _letters(column: Array) -> Rows:
    return _bytes(column).reshape(len(column), column.itemsize)


def _numbered(column: Array) -> tuple[FieldKind, str, NDArray[np.int64]] | None:
    """Return texts as numbers and the pattern that makes them texts again, None where they are no numbers behind shared letters.

    Account numbers are mostly digits behind a common prefix: as integers they take half the bytes.
    """
    if len(column) < _SHARED_BY:
        return None
    letters = _letters(column)[:, : max(1, int(np.char.str_len(column).max(initial=1)))]
    digit = (letters >= ord("0")) & (letters <= ord("9"))
    shared = np.asarray((letters == letters[0]).all(axis=0))
    if not ((letters[0, shared] < 128) & (letters[0, shared] > 0)).all():
        return None
    if digit[:, ~shared].all() and int((~shared).sum()) <= _MAX_DIGITS:
        template = np.where(shared, letters[0], 0).astype(np.uint8)
        numbers = np.zeros(len(column), dtype=np.int64)
        for digit_place in np.flatnonzero(~shared).tolist():  # one by one: all as numbers take eight times the text
            numbers = numbers * 10 + letters[:, digit_place] - ord("0")
        return FieldKind.DIGITS, template.tobytes().decode(), numbers
    start = int(shared.argmin())
    rest, filled = letters[:, start:], digit[:, start:]
    plain = bool((filled | (rest == 0)).all() and (filled[:, 1:] <= filled[:, :-1]).all())
    if not plain or rest.shape[1] >= _MAX_DIGITS:
        return None
    numbers = np.ones(len(column), dtype=np.int64)
    for place in range(rest.shape[1]):
        numbers = np.where(filled[:, place], numbers * 10 + rest[:, place] - ord("0"), numbers)
    return FieldKind.SUFFIX, letters[0, :start].tobytes().decode(), numbers


def _powers(template: NDArray[np.uint8]) -> NDArray[np.int64]:
    count = int((template == 0).sum())
    return np.array([10**place for place in range(count - 1, -1, -1)], dtype=np.int64)


def _codes(name: str, column: Array) -> tuple[tuple[str, ...], Array]:
    # Hashing by Arrow; sorting a million texts would cost more than everything else here. Sorted values make bytes repeatable.
    coded = pa.array(column, type=pa.binary(column.itemsize)).dictionary_encode()
    raw = coded.dictionary.to_pylist()
    if len(raw) > _MAX_CATEGORIES:
        raise refuse(Reason.LIMIT_EXCEEDED, name, f"{len(raw)} different codes.", f"Send at most {_MAX_CATEGORIES}.")
    values = sorted(raw)
    rank = np.array([values.index(value) for value in raw], dtype=np.int64)
    indices = np.asarray(pc.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False))
    texts = tuple(value.rstrip(b"\0").decode() for value in values)
    held = np.int32 if len(raw) > np.iinfo(np.int8).max else np.int8
    return texts, rank.astype(held)[indices] if len(raw) else np.zeros(len(column), held)


def _int_bytes(numbers: Array) -> int:
    """Return the fewest bytes of two's complement that hold every cell; 0 if all are zero."""
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    return 0 if low == high == 0 else max(high.bit_length(), (~low).bit_length() if low < 0 else 0) // 8 + 1


def _bytes(column: Array) -> Rows:
    return np.ascontiguousarray(column).view(np.uint8).reshape(-1)


def _column(field: Field, rows: Rows) -> Array:
    count, shape = len(rows), (len(rows), field.months) if field.months >= 0 else (len(rows),)
    if field.kind is FieldKind.FLAG:
        places = np.arange(field.offset, field.offset + field.cells)
        return np.asarray((rows[:, places >> 3] >> (7 - places & 7)) & 1, dtype=bool).reshape(shape)
    cells = rows[:, field.offset : field.offset + field.cells * field.width].reshape(count, field.cells, field.width)
    if field.kind is FieldKind.TEXT:
        return _bytes(cells).view(f"S{field.width}").astype(field.dtype).reshape(shape)
    full = np.zeros((count, field.cells, 8), dtype=np.uint8)
    full[:, :, : field.width] = cells
    if field.kind is FieldKind.FLOAT:
        return _bytes(full).view("<f8").astype(field.dtype).reshape(shape)
    if field.width:
        full[:, :, field.width :] = np.where(cells[:, :, -1:] & 0x80, 0xFF, 0)
    numbers = _bytes(full).view("<i8")
    if field.kind in (FieldKind.DIGITS, FieldKind.SUFFIX, FieldKind.CODE):
        return _texts(field, numbers).astype(field.dtype).reshape(shape)
    return (np.full(shape, field.values[0]) if field.values else numbers).astype(field.dtype).reshape(shape)


def _texts(field: Field, numbers: NDArray[np.int64]) -> Array:
    """Return the texts that numbers stand for, (n,)."""
    values = [str(value).encode() for value in field.values]
    if field.kind is FieldKind.CODE:
        return np.asarray(np.array(values or [b""])[numbers])
    if field.kind is FieldKind.SUFFIX:
        return _suffixed(values[0], numbers.reshape(-1))
    template = np.frombuffer(values[0], dtype=np.uint8)
    letters = np.tile(template, (len(numbers), 1))
    letters[:, template == 0] = numbers.reshape(-1, 1) // _powers(template) % 10 + ord("0")
    return _bytes(letters).view(f"S{template.size}")


def _suffixed(prefix: bytes, numbers: NDArray[np.int64]) -> Array:
    start = len(prefix)
    lengths = np.searchsorted(10 ** np.arange(1, _MAX_DIGITS + 1), numbers, side="right")
    width = start + int(lengths.max(initial=0))
    letters = np.zeros((len(numbers), max(1, width)), dtype=np.uint8)
    letters[:, :start] = np.frombuffer(prefix, dtype=np.uint8)
    for place in range(width - start):
        digits = numbers // 10 ** np.maximum(lengths - 1 - place, 0) % 10 + ord("0")
        letters[:, start + place] = np.where(place < lengths, digits, 0)
    return _bytes(letters).view(f"S{letters.shape[1]}")
