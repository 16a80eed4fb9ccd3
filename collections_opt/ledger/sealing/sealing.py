"""Account rows sealed under one key per subject, each with its leaf hash: what remains provable when a key is gone.

    stream = ChaCha20(key of the subject, nonce of the table XOR number of the row),  salt = stream[:16]
    sealed row = row XOR stream[16:],  leaf hash = SHA-256(0x00 || kind || salt || row)

The leaf hash is a salted commitment: without the key neither row nor salt can be found, with both anyone can check it. It also
authenticates the row, so the cipher needs no tag of its own. A table is Parquet with three columns: key_no, sealed, leaf.

Tables of version 1 have one nonce for all rows, so that rows of one account shared a stream: they are read, and never written.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.merkle import HASH_BYTES, Hashes, hash_rows
from collections_opt.ledger.sealing.keystream import KEY_BYTES, keystream, row_nonces
from collections_opt.ledger.sealing.packing import Layout, PackedRows, Rows, unpack

SALT_BYTES = 16
_META = b"collections_opt"
_FORMAT = "sealed-%d"
ONE_NONCE, _NONCE_PER_ROW = 1, 2
_FORMATS = {_FORMAT % version: version for version in (ONE_NONCE, _NONCE_PER_ROW)}
_ROW_GROUP_ROWS = 131_072
_BLOCK_ROWS = 32_768
"""Rows whose streams and leaves are in memory at a time."""


class LeafKind(IntEnum):
    """What a leaf says; the byte before its salt."""

    DECIDED = 1
    """An accepted account and what was decided for it."""
    QUARANTINED = 2
    """A row that was refused at the door, and why."""
    INPUT = 3
    """An account as it was imported."""
    FINDING = 4
    """One finding about a refused row."""
    EVENT = 5
    """One event of the day."""
    OUTCOME = 6
    """What became of an account, or what a file says became of it."""
    SHADOWED = 7
    """What a challenger in shadow said of an account."""


@dataclass(frozen=True)
class SealedTable:
    """Sealed rows with everything about them that is no secret.

    Attributes:
        kind: what its leaves say.
        nonce: 12 bytes, this table's own.
        layout: how a row is read.
        header: texts that belong to the table.
        key_no: int64 (n,) number of each row's key.
        sealed: uint8 (n, width).
        leaves: uint8 (n, 32) leaf hashes.
        version: of the format; all that is sealed now has the newest.
    """

    kind: LeafKind
    nonce: bytes
    layout: Layout
    header: Mapping[str, str]
    key_no: NDArray[np.int64]
    sealed: Rows
    leaves: Hashes
    version: int = _NONCE_PER_ROW

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self.key_no)


@dataclass(frozen=True)
class OpenedTable:
    """The columns of the rows whose keys exist; ``rows`` (m,) says which, the others were erased."""

    rows: NDArray[np.int64]
    columns: dict[str, Array]


@dataclass(frozen=True)
class Disclosure:
    """One row opened: with its salt anyone can recompute its leaf hash."""

    kind: LeafKind
    salt: bytes
    row: bytes

    @property
    def leaf(self) -> bytes:
        """The bytes that RFC 6962 hashes as the leaf."""
        return bytes([self.kind]) + self.salt + self.row


def seal(
    kind: LeafKind,
    columns: Mapping[str, Array],
    key_no: NDArray[np.int64],
    keys: NDArray[np.uint8],
    nonce: bytes,
    header: Mapping[str, str],
    categories: Sequence[str] = (),
) -> SealedTable:
    """Return columns as a sealed table.

    Args:
        kind: what its leaves say.
        columns: as ``pack``.
        key_no: int64 (n,) number of each row's key.
        keys: uint8 (n, 32).
        nonce: 12 random bytes, the table's own.
        header: texts in the clear.
        categories: as ``pack``.
    """
    parts = list(seal_parts(kind, columns, key_no, lambda part: keys[part], nonce, header, categories))
    if len(parts) == 1:
        return parts[0]
    sealed, leaves = (np.concatenate([getattr(part, name) for part in parts]) for name in ("sealed", "leaves"))
    return replace(parts[0], key_no=key_no, sealed=sealed, leaves=leaves)


def seal_parts(
    kind: LeafKind,
    columns: Mapping[str, Array],
    key_no: NDArray[np.int64],
    keys_of: Callable[[slice], NDArray[np.uint8]],
    nonce: bytes,
    header: Mapping[str, str],
    categories: Sequence[str] = (),
) -> Iterator[SealedTable]:
    """Yield a sealed table in parts, one per row group, so that not all of it is in memory.

    As ``seal``; ``keys_of`` returns the keys of some rows, uint8 (m, 32).
    """
    packed = PackedRows(columns, categories)
    layout = packed.layout
    for start in range(0, max(packed.row_count, 1), _ROW_GROUP_ROWS):
        part = key_no[start : start + _ROW_GROUP_ROWS]
        sealed, leaves = (np.empty((len(part), width), dtype=np.uint8) for width in (layout.width, HASH_BYTES))
        for first in range(0, len(part), _BLOCK_ROWS):
            here, there = (
                slice(first, first + _BLOCK_ROWS),
                slice(start + first, min(start + first + _BLOCK_ROWS, start + len(part))),
            )
            rows = packed.block(there)
            nonces = row_nonces(nonce, np.arange(there.start, there.stop, dtype=np.int64))
            stream = keystream(keys_of(there), nonces, SALT_BYTES + layout.width)
            leaves[here] = hash_rows(leaf_input(kind, stream[:, :SALT_BYTES], rows))
            np.bitwise_xor(rows, stream[:, SALT_BYTES:], out=sealed[here])
        yield SealedTable(kind, nonce, layout, dict(header), part, sealed, leaves)


def unseal(table: SealedTable, keys: NDArray[np.uint8], check: bool = False) -> OpenedTable:
    """Return the columns of all rows whose keys exist.

    Args:
        table: the sealed rows.
        keys: uint8 (n, 32), zeros for an erased key.
        check: recompute every leaf hash too.

    Raises:
        CollectionsError: INTEGRITY_FAILURE naming the first row that is not what its leaf says.
    """
    kept = np.flatnonzero(keys.any(axis=1))
    parts: list[dict[str, Array]] = []
    for start in range(0, max(kept.size, 1), _ROW_GROUP_ROWS):  # streams and bytes of all rows at once would be twice the columns
        here = kept[start : start + _ROW_GROUP_ROWS]
        salts, rows = _open_rows(table, keys, here)
        if check:
            wrong = (hash_rows(leaf_input(table.kind, salts, rows)) != table.leaves[here]).any(axis=1)
            if wrong.any():
                row = int(here[wrong.argmax()])
                raise refuse(
                    Reason.INTEGRITY_FAILURE, f"rows[{row}]", "differs from its leaf.", "Restore the object or the keys."
                )
        parts.append(unpack(table.layout, rows))
    if len(parts) == 1:
        return OpenedTable(kept, parts[0])
    return OpenedTable(kept, {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])})


def disclose(table: SealedTable, row: int, key: NDArray[np.uint8]) -> Disclosure:
    """Return one row with its salt.

    Args:
        table: the sealed rows.
        row: which.
        key: uint8 (32,).
    """
    salts, rows = _open_rows(table, np.broadcast_to(key, (table.row_count, KEY_BYTES)), np.array([row]))
    return Disclosure(table.kind, salts[0].tobytes(), rows[0].tobytes())


def open_all(table: SealedTable, keys: NDArray[np.uint8]) -> Rows:
    """Return salt and row of every row side by side, uint8 (n, 16 + width); zeros where the key is zeros."""
    kept = np.flatnonzero(keys.any(axis=1))
    result = np.zeros((table.row_count, SALT_BYTES + table.layout.width), dtype=np.uint8)
    result[kept, :SALT_BYTES], result[kept, SALT_BYTES:] = _open_rows(table, keys, kept)
    return result


def write_parquet(parts: Iterable[SealedTable], file: BinaryIO) -> None:
    """Write a sealed table, whole or in the parts of ``seal_parts``, as Parquet; either way the bytes are the same."""
    writer: pq.ParquetWriter | None = None
    for part in parts:
        arrays = {"key_no": pa.array(part.key_no), "sealed": _fixed(part.sealed), "leaf": _fixed(part.leaves)}
        content = pa.table(arrays).replace_schema_metadata({_META: _meta(part)})
        if writer is None:
            writer = pq.ParquetWriter(
                file,
                content.schema,
                compression={"key_no": "zstd", "sealed": "none", "leaf": "none"},
                column_encoding={"key_no": "DELTA_BINARY_PACKED", "sealed": "PLAIN", "leaf": "PLAIN"},
                use_dictionary=False,
                write_statistics=False,
            )
        writer.write_table(content, row_group_size=_ROW_GROUP_ROWS)
    if writer is not None:
        writer.close()


def _meta(table: SealedTable) -> bytes:
    meta = {
        "format": _FORMAT % table.version,
        "kind": int(table.kind),
        "nonce": table.nonce.hex(),
        "layout": table.layout.plain(),
        "width": table.layout.width,
        "header": dict(table.header),
    }
    return json.dumps(meta, ensure_ascii=False).encode()


def from_parquet(content: bytes) -> SealedTable:
    """Return the sealed table of its Parquet bytes.

    Raises:
        CollectionsError: SCHEMA_MISMATCH for Parquet that this format's writer did not make.
    """
    file = pq.ParquetFile(io.BytesIO(content))
    empty, columns = facts_of(file), file.read()
    return replace(
        empty,
        key_no=np.asarray(columns["key_no"].to_numpy(), dtype=np.int64),
        sealed=matrix(columns["sealed"], empty.layout.width),
        leaves=matrix(columns["leaf"], HASH_BYTES),
    )


def facts_of(file: pq.ParquetFile) -> SealedTable:
    """Return what a file says of its table, without rows.

    Raises:
        CollectionsError: as ``from_parquet``.
    """
    meta = _read_meta(file)
    layout = Layout.parse(meta["layout"], meta["width"])
    nothing, version = np.empty((0, layout.width), np.uint8), _FORMATS[meta["format"]]
    leaves = np.empty((0, HASH_BYTES), np.uint8)
    nonce = bytes.fromhex(meta["nonce"])
    return SealedTable(LeafKind(meta["kind"]), nonce, layout, meta["header"], np.empty(0, np.int64), nothing, leaves, version)


def header_of_parquet(content: bytes) -> dict[str, str]:
    """Return the header of a sealed table alone.

    Raises:
        CollectionsError: as ``from_parquet``.
    """
    header: dict[str, str] = _read_meta(pq.ParquetFile(io.BytesIO(content)))["header"]
    return header


def _read_meta(file: pq.ParquetFile) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((file.schema_arrow.metadata or {}).get(_META, b"{}"))
    if meta.get("format", "") not in _FORMATS:
        known = " or ".join(_FORMATS)
        raise refuse(
            Reason.SCHEMA_MISMATCH, "object", f"is not in format {known}.", "Import or rank again with this version's code."
        )
    return meta


def leaf_input(kind: LeafKind, salts: Rows, rows: Rows) -> Rows:
    """Return what is hashed as the leaf of each row, RFC 6962's prefix included, uint8 (n, 2 + 16 + width)."""
    leaf = np.empty((len(rows), 2 + SALT_BYTES + rows.shape[1]), dtype=np.uint8)
    leaf[:, 0], leaf[:, 1] = 0, kind
    leaf[:, 2 : 2 + SALT_BYTES] = salts
    leaf[:, 2 + SALT_BYTES :] = rows
    return leaf


def _open_rows(table: SealedTable, keys: NDArray[np.uint8], rows: NDArray[np.int64]) -> tuple[Rows, Rows]:
    nonces = table.nonce if table.version == ONE_NONCE else row_nonces(table.nonce, rows)
    stream = keystream(keys[rows], nonces, SALT_BYTES + table.layout.width)
    return stream[:, :SALT_BYTES], table.sealed[rows] ^ stream[:, SALT_BYTES:]


def _fixed(rows: Rows) -> pa.Array:
    # Parquet has no values of no bytes: a table whose every column is empty keeps one zero byte per row.
    wide = rows if rows.shape[1] else np.zeros((len(rows), 1), np.uint8)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(wide.shape[1]), len(wide), [None, pa.py_buffer(np.ascontiguousarray(wide))]
    )


def matrix(column: pa.Array | pa.ChunkedArray, width: int) -> Rows:
    """Return the first bytes of values of fixed size, uint8 (n, width), without copying."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    stored = array.type.byte_width
    content = np.frombuffer(array.buffers()[1] or b"", dtype=np.uint8)
    start = array.offset * stored
    return content[start : start + len(array) * stored].reshape(len(array), stored)[:, :width]
