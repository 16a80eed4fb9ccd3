"""Columns to Parquet bytes and back, exactly: same columns, same bytes; same bytes, same columns."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collections_opt.core.arrays import Array
from collections_opt.core.portfolio import Portfolio
from collections_opt.core.ranking import Entries

_META = b"collections_opt"


def columns_to_parquet(columns: Mapping[str, Array], header: Mapping[str, str] | None = None) -> bytes:
    """Return columns as Parquet; histories (n, months) are stored as one column per month."""
    arrays: dict[str, pa.Array] = {}
    layout: dict[str, list[object]] = {}
    for name, column in columns.items():
        layout[name] = [column.dtype.str, *column.shape[1:]]
        parts = {name: column} if column.ndim == 1 else {f"{name}.{m}": column[:, m] for m in range(column.shape[1])}
        for part, values in parts.items():
            arrays[part] = (
                pa.array(values.tolist(), pa.binary()) if values.dtype.kind == "S" else pa.array(np.ascontiguousarray(values))
            )
    meta = json.dumps({"layout": layout, "header": dict(header or {})})
    table = pa.table(arrays).replace_schema_metadata({_META: meta.encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_statistics=False)
    return buffer.getvalue()


def parquet_to_columns(content: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the columns with their exact types and shapes, and the header."""
    table = pq.read_table(io.BytesIO(content))
    meta = json.loads(table.schema.metadata[_META])
    count = table.num_rows
    columns: dict[str, Array] = {}
    for name, (dtype, *width) in meta["layout"].items():
        if width:
            parts = [table[f"{name}.{m}"].to_numpy() for m in range(width[0])]
            columns[name] = np.column_stack(parts).astype(dtype) if parts else np.zeros((count, 0), dtype=dtype)
        elif np.dtype(dtype).kind == "S":
            columns[name] = np.array(table[name].to_pylist(), dtype=dtype)
        else:
            columns[name] = table[name].to_numpy().astype(dtype)
    return columns, meta["header"]


def portfolio_to_parquet(portfolio: Portfolio) -> bytes:
    """Return a portfolio with its presence masks as Parquet."""
    masks = {f"?{name}": mask for name, mask in portfolio.present.items()}
    header = {
        "as_of_date": portfolio.as_of_date.isoformat(),
        "time_zone": portfolio.time_zone,
        "currency_code": portfolio.currency_code,
    }
    return columns_to_parquet({**portfolio.columns, **masks}, header)


def parquet_to_portfolio(content: bytes) -> Portfolio:
    """Return the portfolio of its Parquet bytes."""
    columns, header = parquet_to_columns(content)
    present = {name[1:]: columns.pop(name) for name in list(columns) if name.startswith("?")}
    return Portfolio(date.fromisoformat(header["as_of_date"]), header["time_zone"], header["currency_code"], columns, present)


def entries_to_parquet(entries: Entries) -> bytes:
    """Return a ranking's entries as Parquet."""
    return columns_to_parquet(entries.columns())


def parquet_to_entries(content: bytes) -> Entries:
    """Return the entries of their Parquet bytes."""
    return Entries(**parquet_to_columns(content)[0])
