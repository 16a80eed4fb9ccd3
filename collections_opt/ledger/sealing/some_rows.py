"""Some rows of a sealed table, read from its file without the others: of a million accounts one is a few hundred bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.merkle import HASH_BYTES, hash_rows
from collections_opt.ledger.sealing.keystream import keystream, row_nonces
from collections_opt.ledger.sealing.packing import Layout, Rows, unpack
from collections_opt.ledger.sealing.sealing import (
    ONE_NONCE,
    SALT_BYTES,
    facts_of,
    leaf_input,
    matrix,
)

_BLOCK_ROWS = 8_192
"""Rows that are in memory at a time."""

_BUFFER_BYTES = 1 << 20
_KEPT_HASH_BYTES = 16
"""Of each leaf hash; whoever can find another row with the same half can forge what 128 bits protect."""


class SealedFile:
    """A sealed table in a file. Numbers of keys and half of each leaf hash stay in memory, rows are read when they are asked for.

    Every row that is read is held against the leaf hash that its file had when it was opened, so that a file may be opened again
    unchecked.

    Attributes:
        header: texts that belong to the table.
        key_no: int64 (n,) number of each row's key.
        row_groups_read: how many row groups were read for rows so far.

    Args:
        checked: the file, checked as a whole.
        again: opens it again.

    Raises:
        CollectionsError: SCHEMA_MISMATCH for Parquet that this format's writer did not make.
    """

    def __init__(self, checked: BinaryIO, again: Callable[[], BinaryIO]) -> None:
        self._again = again
        self.row_groups_read = 0
        file = _parquet(checked)
        facts = facts_of(file)
        self._kind, self._nonce, self._version = facts.kind, facts.nonce, facts.version
        self._layout, self.header = facts.layout, facts.header
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.key_no: NDArray[np.int64] = np.asarray(file.read(columns=["key_no"])["key_no"].to_numpy(), dtype=np.int64)
        self._leaves = np.empty((self.key_no.size, _KEPT_HASH_BYTES), np.uint8)
        start = 0
        for batch in file.iter_batches(batch_size=_BLOCK_ROWS, columns=["leaf"]):
            self._leaves[start : start + batch.num_rows] = _bytes_of(batch, "leaf", HASH_BYTES)[:, :_KEPT_HASH_BYTES]
            start += batch.num_rows

    def rows(self, wanted: NDArray[np.int64], keys: NDArray[np.uint8]) -> dict[str, Array]:
        """Return the columns of some rows.

        Args:
            wanted: int64 (m,) numbers of rows, ascending.
            keys: uint8 (m, 32), none of them erased.

        Raises:
            CollectionsError: INTEGRITY_FAILURE naming the first row that is not what its leaf says.
        """
        sealed = np.empty((wanted.size, self._layout.width), np.uint8)
        with self._again() as raw:
            file = _parquet(raw)
            groups = np.searchsorted(self._starts, wanted, side="right") - 1
            for group in np.unique(groups).tolist():
                self._read_group(file, group, wanted, sealed)
        stream = keystream(keys, self._nonces(wanted), SALT_BYTES + self._layout.width)
        opened = sealed ^ stream[:, SALT_BYTES:]
        leaves = hash_rows(leaf_input(self._kind, stream[:, :SALT_BYTES], opened))[:, :_KEPT_HASH_BYTES]
        wrong = (leaves != self._leaves[wanted]).any(axis=1)
        if wrong.any():
            row = int(wanted[wrong.argmax()])
            raise refuse(Reason.INTEGRITY_FAILURE, f"rows[{row}]", "differs from its leaf.", "Restore the object or the keys.")
        return unpack(self._layout, opened)

    def column(self, name: str, keys_of: Callable[[NDArray[np.int64]], NDArray[np.uint8]]) -> Array:
        """Return one column of all rows, zeros for erased ones, opened a block at a time and no further than it needs.

        Args:
            name: of the column.
            keys_of: returns keys by number, uint8 (m, 32), zeros for an erased one.
        """
        field = next(field for field in self._layout.fields if field.name == name)
        end = field.offset + field.cells * field.width
        parts, start = [], 0
        with self._again() as raw:
            for batch in _parquet(raw).iter_batches(batch_size=_BLOCK_ROWS, columns=["sealed"]):
                here = np.arange(start, start + batch.num_rows, dtype=np.int64)
                keys = keys_of(self.key_no[here])
                stream = keystream(keys, self._nonces(here), SALT_BYTES + end)[:, SALT_BYTES:]
                opened = (_bytes_of(batch, "sealed", end) ^ stream) * keys.any(axis=1, keepdims=True)
                parts.append(unpack(Layout((field,), end), opened)[name])
                start += batch.num_rows
        return np.concatenate(parts)

    def _read_group(self, file: pq.ParquetFile, group: int, wanted: NDArray[np.int64], sealed: Rows) -> None:
        """Fill in the sealed rows that stand in a group."""
        self.row_groups_read += 1
        start, last = int(self._starts[group]), int(wanted[wanted < self._starts[group + 1]][-1])
        for batch in file.iter_batches(batch_size=_BLOCK_ROWS, row_groups=[group], columns=["sealed"]):
            here = (wanted >= start) & (wanted < start + batch.num_rows)
            if here.any():
                sealed[here] = _bytes_of(batch, "sealed", self._layout.width)[wanted[here] - start]
            start += batch.num_rows
            if start > last:
                return

    def _nonces(self, rows: NDArray[np.int64]) -> bytes | NDArray[np.uint8]:
        return self._nonce if self._version == ONE_NONCE else row_nonces(self._nonce, rows)


def _parquet(file: BinaryIO) -> pq.ParquetFile:
    """Return a file of which no more is read ahead than a buffer."""
    return pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)


def _bytes_of(batch: pa.RecordBatch, name: str, width: int) -> Rows:
    return matrix(batch.column(name), width)
