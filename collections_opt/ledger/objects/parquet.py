"""Columns to Parquet bytes and back, exactly: same columns, same bytes; same bytes, same columns."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.objects.arrow_columns import from_arrow, to_arrow

_META = b"collections_opt"
_FORMAT = "columns-2"
_ROW_GROUP_ROWS = 131_072


@dataclass(frozen=True)
class ColumnTable:
    """Columns (n,) or (n, months), where the cells of some have values, and a header of texts."""

    columns: Mapping[str, Array]
    present: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)


def columns_to_parquet(table: ColumnTable) -> bytes:
    """Return columns as Parquet: histories as fixed-size lists, text as strings, absent cells as nulls.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming a column that would not come back as it is.
    """
    arrays = {name: to_arrow(name, column, table.present.get(name)) for name, column in _physical(table.columns).items()}
    layout = {name: [column.dtype.str, *column.shape[1:]] for name, column in table.columns.items()}
    meta = {"format": _FORMAT, "layout": layout, "masked": sorted(table.present), "header": dict(table.header)}
    content = pa.table(arrays).replace_schema_metadata({_META: json.dumps(meta).encode()})
    buffer = io.BytesIO()
    pq.write_table(
        content,
        buffer,
        compression="zstd",
        compression_level=3,
        write_statistics=False,
        row_group_size=_ROW_GROUP_ROWS,
    )
    return buffer.getvalue()


def parquet_to_columns(content: bytes) -> ColumnTable:
    """Return the columns with their exact types, shapes and presence, and the header.

    Raises:
        CollectionsError: SCHEMA_MISMATCH for Parquet that this format's writer did not make.
    """
    file, meta = _open(content)
    return _columns(file.read(), meta)


def _physical(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Leave out histories of no months: Parquet has no lists of nothing."""
    return {name: column for name, column in columns.items() if column.ndim == 1 or column.shape[1]}


def _open(content: bytes) -> tuple[pq.ParquetFile, dict[str, Any]]:
    file = pq.ParquetFile(io.BytesIO(content))
    meta = json.loads((file.schema_arrow.metadata or {}).get(_META, b"{}"))
    if meta.get("format") != _FORMAT:
        raise refuse(
            Reason.SCHEMA_MISMATCH, "object", f"is not in format {_FORMAT}.", "Import or rank again with this version's code."
        )
    return file, meta


def _columns(table: pa.Table, meta: Mapping[str, Any]) -> ColumnTable:
    columns: dict[str, Array] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    for name, (text, *shape) in meta["layout"].items():
        dtype, width = np.dtype(text), tuple(shape)
        if width == (0,):
            columns[name], mask = np.zeros((table.num_rows, 0), dtype), np.zeros((table.num_rows, 0), np.bool_)
        else:
            columns[name], mask = from_arrow(table[name].combine_chunks(), dtype, width)
        if name in meta["masked"]:
            present[name] = mask
    return ColumnTable(columns, present, meta["header"])
