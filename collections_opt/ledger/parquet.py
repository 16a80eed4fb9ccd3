"""Columns to Parquet bytes and back, exactly: same columns, same bytes; same bytes, same columns."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.portfolio import Portfolio
from collections_opt.core.ranking import Entries
from collections_opt.ledger.arrow_columns import from_arrow, to_arrow

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
    return _columns(file.read(), meta, meta["layout"])


def iter_parquet(content: bytes, names: Sequence[str]) -> Iterator[ColumnTable]:
    """Yield the named columns a row group at a time, so that memory stays that of one row group.

    Raises:
        CollectionsError: NOT_FOUND for a column that is not there; SCHEMA_MISMATCH as ``parquet_to_columns``.
    """
    file, meta = _open(content)
    for name in names:
        if name not in meta["layout"]:
            raise refuse(Reason.NOT_FOUND, "names", f"no column {name!r}.", f"Use some of {', '.join(meta['layout'])}.")
    stored = [name for name in names if name in file.schema_arrow.names]
    for group in range(file.num_row_groups):
        yield _columns(file.read_row_group(group, columns=stored), meta, names)


def portfolio_to_parquet(portfolio: Portfolio) -> bytes:
    """Return a portfolio as Parquet, cells without a value as nulls."""
    header = {
        "as_of_date": portfolio.as_of_date.isoformat(),
        "time_zone": portfolio.time_zone,
        "currency_code": portfolio.currency_code,
    }
    return columns_to_parquet(ColumnTable(portfolio.columns, portfolio.present, header))


def parquet_to_portfolio(content: bytes) -> Portfolio:
    """Return the portfolio of its Parquet bytes."""
    table = parquet_to_columns(content)
    header = table.header
    as_of_date = date.fromisoformat(header["as_of_date"])
    return Portfolio(as_of_date, header["time_zone"], header["currency_code"], table.columns, table.present)


def entries_to_parquet(entries: Entries) -> bytes:
    """Return a ranking's entries as Parquet."""
    return columns_to_parquet(ColumnTable(entries.columns()))


def parquet_to_entries(content: bytes) -> Entries:
    """Return the entries of their Parquet bytes."""
    return Entries(**parquet_to_columns(content).columns)


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


def _columns(table: pa.Table, meta: Mapping[str, Any], names: Sequence[str]) -> ColumnTable:
    columns: dict[str, Array] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    for name in names:
        dtype, width = np.dtype(meta["layout"][name][0]), tuple(meta["layout"][name][1:])
        if width == (0,):
            columns[name], mask = np.zeros((table.num_rows, 0), dtype), np.zeros((table.num_rows, 0), np.bool_)
        else:
            columns[name], mask = from_arrow(table[name].combine_chunks(), dtype, width)
        if name in meta["masked"]:
            present[name] = mask
    return ColumnTable(columns, present, meta["header"])
