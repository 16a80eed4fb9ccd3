"""Packed column chunks as numpy columns and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import columns_pb2
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import (
    MAX_ACCOUNTS_PER_PORTFOLIO,
    MAX_CELL_BYTES,
    MAX_CHUNK_BYTES,
    MAX_HISTORY_MONTHS,
    MAX_ROW_TEXT_BYTES,
)
from collections_opt.wire.byte_budget import SPOOL_BEYOND_BYTES, Place, Spool, SpooledColumns
from collections_opt.wire.packed_numbers import Numbers, read_numbers, write_numbers

CHUNK_TARGET_BYTES = MAX_CHUNK_BYTES * 3 // 4
"""Chunks are cut by an upper bound of their size; a quarter is left for names and framing."""

_VARINT_BYTES = 10
_COMPACT_BYTES = 64
_ARRAY_BYTES = 128
_TEXT_BYTES = 64
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """Rows as columns: values by name, and where a name has a mask, which cells hold a value."""

    row_count: int
    values: Mapping[str, Array]
    present: Mapping[str, Mask] = field(default_factory=dict)


def decode_chunk(chunk: columns_pb2.ColumnChunk, path: str = "chunk", compact: bool = False) -> Columns:
    """Return a chunk as numpy columns: text as object arrays (None where missing), int64, float64, bool, histories (n, months).

    ``compact`` returns short ASCII texts as bytes, which the door takes as well, in an eighth of the memory of objects.

    Raises:
        CollectionsError: SCHEMA_MISMATCH naming the column whose length, kind, name or bitmap is wrong; LIMIT_EXCEEDED.
    """
    if not 0 <= chunk.row_count <= MAX_ACCOUNTS_PER_PORTFOLIO:
        raise refuse(Reason.LIMIT_EXCEEDED, f"{path}.row_count", f"{chunk.row_count} rows.", "Send the number of rows.")
    values: dict[str, Array] = {}
    present: dict[str, Mask] = {}
    for index, column in enumerate(chunk.columns):
        at = f"{path}.columns[{index}]"
        if not column.name or column.name in values:
            raise refuse(Reason.SCHEMA_MISMATCH, f"{at}.name", f"{column.name!r} is empty or repeated.", "Use each name once.")
        values[column.name] = _decode_values(column, chunk.row_count, at, compact)
        if column.presence_bitmap:
            mask = _decode_bitmap(column.presence_bitmap, values[column.name].shape, at)
            present[column.name] = mask
            if values[column.name].dtype.kind in "OS":
                values[column.name][~mask] = None if values[column.name].dtype == object else b""
    return Columns(chunk.row_count, values, present)


def decode_rows(chunk: columns_pb2.ColumnChunk, path: str = "chunk") -> Columns:
    """Return ``decode_chunk`` of accounts that come in one chunk, compact, with texts as long as those of an import at most.

    Raises:
        CollectionsError: as ``decode_chunk``; LIMIT_EXCEEDED for a text or a row that is too long.
    """
    columns = decode_chunk(chunk, path, compact=True)
    _checked_bytes(columns, 0)
    return columns


def _decode_values(column: columns_pb2.Column, row_count: int, at: str, compact: bool) -> Array:
    kind = column.WhichOneof("values")
    if kind == "text":
        _check_length(len(column.text.values), row_count, at)
        return _texts(column.text.values[:], compact)
    if kind in ("integers", "reals", "flags"):
        numbers: Numbers = getattr(column, kind)
        _check_length(len(numbers.values), row_count, at)
        return read_numbers(numbers)
    if kind == "history":
        months = column.history.month_count
        if not 0 <= months <= MAX_HISTORY_MONTHS:
            raise refuse(
                Reason.LIMIT_EXCEEDED, f"{at}.history.month_count", f"{months} months.", f"Send 0 to {MAX_HISTORY_MONTHS}."
            )
        _check_length(len(column.history.values), row_count * months, at)
        return read_numbers(column.history).reshape(row_count, months)
    raise refuse(Reason.SCHEMA_MISMATCH, at, f"{column.name!r} holds no values.", "Set one kind of values, even if empty.")


def _check_length(found: int, wanted: int, at: str) -> None:
    if found != wanted:
        raise refuse(
            Reason.SCHEMA_MISMATCH, at, f"holds {found} values, not {wanted}.", "Send one value per cell, missing or not."
        )


def _decode_bitmap(bitmap: bytes, shape: tuple[int, ...], at: str) -> Mask:
    cells = int(np.prod(shape))
    if len(bitmap) != -(-cells // 8):
        raise refuse(
            Reason.SCHEMA_MISMATCH,
            f"{at}.presence_bitmap",
            f"holds {len(bitmap)} bytes for {cells} cells.",
            "Send a bit per cell, padded to a whole byte, or nothing.",
        )
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), count=cells, bitorder="little")
    return bits.astype(np.bool_).reshape(shape)


class ColumnCollector:
    """Puts the chunks of a stream together; every chunk must carry the names and kinds of the first.

    Args:
        row_count: rows announced; another number is refused.
        compact: hold short ASCII texts as bytes, which the door takes as well, in an eighth of the memory of objects.
        hold: told how many bytes of memory each chunk takes; refuses what is too much.
        spool: where rows are set down beyond ``SPOOL_BEYOND_BYTES``; None keeps all in memory.
        let_go: told how many bytes of memory are free again.
    """

    def __init__(
        self,
        row_count: int,
        compact: bool = False,
        hold: Callable[[int], None] = lambda _count: None,
        spool: Spool | None = None,
        let_go: Callable[[int], None] = lambda _count: None,
    ) -> None:
        if not 0 <= row_count <= MAX_ACCOUNTS_PER_PORTFOLIO:
            raise refuse(
                Reason.LIMIT_EXCEEDED, "header.row_count", f"{row_count} rows.", f"Send 0 to {MAX_ACCOUNTS_PER_PORTFOLIO} rows."
            )
        self._announced = row_count
        self._compact = compact
        self._hold = hold
        self._spool, self._let_go = spool, let_go
        self._seen = 0
        self._first: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._chunks: list[Columns] = []
        self._held = 0
        self._down: list[tuple[int, dict[str, Place], dict[str, Place]]] = []

    def add(self, message: columns_pb2.ColumnChunk) -> None:
        """Add the next chunk.

        Raises:
            CollectionsError: as ``decode_chunk``; SCHEMA_MISMATCH when it differs from the first chunk, holds no row where
                some were announced, or rows are too many; LIMIT_EXCEEDED for a text or a row that is too long; as ``hold``.
        """
        chunk = decode_chunk(message, compact=self._compact)
        if not chunk.row_count and (self._announced or self._chunks or self._down):
            raise refuse(Reason.SCHEMA_MISMATCH, "chunk.row_count", "is 0.", "Send no chunk without rows.")
        self._seen += chunk.row_count
        if self._seen > self._announced:
            raise self._wrong_count()
        if self._chunks or self._down:
            first, now = self._first, _kinds(chunk)
            odd = sorted(name for name in first.keys() | now.keys() if first.get(name) != now.get(name))
            if odd:
                raise refuse(
                    Reason.SCHEMA_MISMATCH, odd[0], "differs between chunks in presence or kind.", "Send every chunk alike."
                )
        taken = _checked_bytes(chunk, self._seen - chunk.row_count)
        self._hold(taken)
        self._first = self._first or _kinds(chunk)
        self._chunks.append(chunk)
        self._held += taken
        if self._spool is not None and self._held > SPOOL_BEYOND_BYTES:
            self._set_down(self._spool)

    def columns(self, named: Callable[[str], str] = str) -> Columns:
        """Return all rows; the collector lets go of each column as it is put together, and cannot be asked again.

        ``named`` gives the name under which a column that came under another is returned.

        Raises:
            CollectionsError: SCHEMA_MISMATCH when rows are missing.
        """
        if self._seen != self._announced:
            raise self._wrong_count()
        if self._down and self._spool is not None:
            return self._set_down_columns(self._spool, named)
        if not self._chunks:
            return Columns(0, {})
        names = list(self._chunks[0].values)
        masked = {name for chunk in self._chunks for name in chunk.present}
        parts = [(dict(chunk.values), chunk.present) for chunk in self._chunks]
        self._chunks.clear()
        present = {
            named(name): np.concatenate([masks.get(name, np.ones(values[name].shape, dtype=np.bool_)) for values, masks in parts])
            for name in sorted(masked)
        }
        joined = {named(name): _joined([values.pop(name) for values, _ in parts]) for name in names}
        return Columns(self._seen, joined, present)

    def _set_down(self, spool: Spool) -> None:
        for chunk in self._chunks:
            values, present = ({name: spool.put(part) for name, part in held.items()} for held in (chunk.values, chunk.present))
            self._down.append((chunk.row_count, values, present))
        self._chunks.clear()
        self._let_go(self._held)
        self._held = 0

    def _set_down_columns(self, spool: Spool, named: Callable[[str], str]) -> Columns:
        """Return columns that are read again when they are asked for: what checks them holds one at a time."""
        self._set_down(spool)
        values = {named(name): [of[name] for _, of, _ in self._down] for name in self._first}
        masked = sorted({name for _, _, of in self._down for name in of})
        everywhere: dict[str, list[Place | Array]] = {
            named(name): [
                of[name] if name in of else np.ones((rows, *self._first[name][1]), np.bool_) for rows, _, of in self._down
            ]
            for name in masked
        }
        return Columns(self._seen, SpooledColumns(spool, values, _joined), SpooledColumns(spool, everywhere))

    def _wrong_count(self) -> CollectionsError:
        return refuse(
            Reason.SCHEMA_MISMATCH,
            "header.row_count",
            f"{self._announced} rows were announced, {self._seen} came.",
            "Send as many rows as announced.",
        )


def _texts(texts: list[str], compact: bool) -> Array:
    """Return texts as objects; ``compact`` as bytes where all are short and ASCII, so that bytes hold them."""
    if compact and texts:
        whole, longest = "".join(texts), max(map(len, texts))
        if whole.isascii() and "\0" not in whole and longest <= _COMPACT_BYTES:
            return np.array(texts, dtype=f"S{max(longest, 1)}")
    return np.array(texts, dtype=object)


def _checked_bytes(chunk: Columns, first_row: int) -> int:
    """Return the bytes of memory that a chunk takes; refuse a text or a row of texts that is too long, naming it."""
    held, of_row = 0, np.zeros(chunk.row_count, dtype=np.int64)
    for name, values in chunk.values.items():
        held += values.nbytes + _ARRAY_BYTES
        if values.dtype == object:
            sizes = np.fromiter((0 if text is None else len(text.encode()) for text in values.tolist()), np.int64, values.size)
            held += int(sizes.sum()) + _TEXT_BYTES * values.size
            of_row += sizes
            if sizes.size and int(sizes.max()) > MAX_CELL_BYTES:
                row = int(np.argmax(sizes))
                problem = f"{name[:40]!r} of row {first_row + row} is {sizes[row]:,} bytes long."
                raise refuse(Reason.LIMIT_EXCEEDED, "chunk", problem, f"Send texts of at most {MAX_CELL_BYTES:,} bytes.")
    if of_row.size and int(of_row.max()) > MAX_ROW_TEXT_BYTES:
        problem = f"row {first_row + int(np.argmax(of_row))} holds {int(of_row.max()):,} bytes of text."
        raise refuse(Reason.LIMIT_EXCEEDED, "chunk", problem, f"Send rows of at most {MAX_ROW_TEXT_BYTES:,} bytes of text.")
    return held + sum(mask.nbytes + _ARRAY_BYTES for mask in chunk.present.values())


def _joined(parts: list[Array]) -> Array:
    """Return the values of chunks as one column; where some hold texts as objects, all do."""
    if {part.dtype.kind for part in parts} == {"S", "O"}:
        parts = [np.char.decode(part, "utf-8").astype(object) if part.dtype.kind == "S" else part for part in parts]
    return np.concatenate(parts)


def _kinds(chunk: Columns) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (values.dtype.kind.replace("S", "O"), values.shape[1:]) for name, values in chunk.values.items()}


def told_rows(columns: Columns) -> Columns:
    """Return accounts under the names of the contract."""
    values = {told_column(name): values for name, values in columns.values.items()}
    return Columns(columns.row_count, values, {told_column(name): mask for name, mask in columns.present.items()})


def encode_chunks(columns: Columns, target_bytes: int = CHUNK_TARGET_BYTES) -> Iterator[columns_pb2.ColumnChunk]:
    """Yield the rows as chunks of at most ``target_bytes`` (at least one row each); an empty table is one empty chunk.

    Text may be bytes (UTF-8) or str arrays; integers, floats, bool and (n, months) integers keep their kind.
    """
    width = sum(_row_bytes(values) for values in columns.values.values()) + 1
    size = max(1, int(target_bytes // width))
    for start in range(0, max(columns.row_count, 1), size):
        rows = slice(start, min(start + size, columns.row_count))
        values = {name: cells[rows] for name, cells in columns.values.items()}
        present = {name: mask[rows] for name, mask in columns.present.items()}
        yield encode_chunk(Columns(rows.stop - rows.start, values, present))


def encode_chunk(columns: Columns) -> columns_pb2.ColumnChunk:
    """Return all rows as one chunk, of whatever size."""
    chunk = columns_pb2.ColumnChunk(row_count=columns.row_count)
    for name, values in columns.values.items():
        _encode_column(chunk.columns.add(name=name), values, columns.present.get(name))
    return chunk


def _row_bytes(values: Array) -> float:
    """Upper bound of the bytes a row takes in a column, with its presence bits."""
    if values.dtype.kind == "S":
        return values.dtype.itemsize + 5.125
    if values.dtype.kind in "OU":
        longest = max((len(text.encode()) for text in set(values.tolist()) if text is not None), default=0)
        return longest + 5.125
    cells = values.shape[1] if values.ndim == 2 else 1
    return cells * (_VARINT_BYTES + 0.125)


def _encode_column(column: columns_pb2.Column, values: Array, mask: Mask | None) -> None:
    if mask is not None and not bool(mask.all()):
        column.presence_bitmap = np.packbits(mask.reshape(-1), bitorder="little").tobytes()
    kind = values.dtype.kind
    if values.ndim == 2:
        column.history.month_count = values.shape[1]
        write_numbers(column.history, values.reshape(-1))
    elif kind in "SOU":
        texts = np.char.decode(values, "utf-8").tolist() if kind == "S" else values.tolist()
        column.text.SetInParent()
        column.text.values.extend(["" if text is None else text for text in texts] if None in texts else texts)
    else:
        held: dict[str, Numbers] = {"b": column.flags, "f": column.reals}
        write_numbers(held.get(kind, column.integers), values)
