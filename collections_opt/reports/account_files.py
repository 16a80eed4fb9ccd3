"""Tables of accounts as files for people: CSV in which no text is a formula, Parquet, and a workbook."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.shown_text import csv_cell, visible

Columns = Mapping[str, NDArray[np.generic]]
Masks = Mapping[str, NDArray[np.bool_]]

MAX_SHEET_ROWS = 1_048_575
"""Rows below the header of a sheet."""


def account_csv(columns: Columns, present: Masks) -> bytes:
    """Return a header line and a line per row; a missing value is empty, and no text begins like a formula."""
    import pyarrow as pa  # noqa: PLC0415 - half a second, where a file is asked for
    from pyarrow.csv import write_csv  # noqa: PLC0415

    buffer = io.BytesIO()
    shown = {name: _texts(column, csv_cell) if column.dtype == object else column for name, column in columns.items()}
    write_csv(_table(pa, shown, present), buffer)
    return buffer.getvalue()


def account_parquet(columns: Columns, present: Masks) -> bytes:
    """Return the table with its values as they are."""
    import pyarrow as pa  # noqa: PLC0415 - half a second, where a file is asked for
    from pyarrow.parquet import write_table  # noqa: PLC0415

    buffer = io.BytesIO()
    write_table(_table(pa, columns, present), buffer, compression="zstd")
    return buffer.getvalue()


def account_workbook(columns: Columns, present: Masks) -> bytes:
    """Return a workbook with one sheet, whose texts are texts and nothing else.

    Raises:
        CollectionsError: LIMIT_EXCEEDED for more rows than a sheet has.
    """
    import xlsxwriter  # noqa: PLC0415 - where a workbook is asked for

    count = next(iter(columns.values())).size
    if count > MAX_SHEET_ROWS:
        told = f"{count:,} rows are more than a sheet has ({MAX_SHEET_ROWS:,})."
        raise refuse(Reason.LIMIT_EXCEEDED, "rows", told, "Filter them, or take Parquet or CSV.")
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("accounts")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, list(columns), book.add_format({"bold": True}))
        for place, (name, column) in enumerate(columns.items()):
            texts = _texts(column, visible) if column.dtype == object else column
            sheet.set_column(place, place, min(max(len(name) + 2, 10), 30))
            cells = texts.astype(object)
            if name in present:
                cells[~present[name]] = None
            sheet.write_column(1, place, cells.tolist())
    return buffer.getvalue()


def _table(pa: object, columns: Columns, present: Masks) -> object:
    def made(name: str) -> object:
        column, mask = columns[name], ~present[name] if name in present else None
        kind = pa.string() if column.dtype == object else None  # type: ignore[attr-defined]
        return pa.array(column, type=kind, mask=mask)  # type: ignore[attr-defined]

    return pa.table({name: made(name) for name in columns})  # type: ignore[attr-defined]


def _texts(column: NDArray[np.generic], change: Callable[[str], object]) -> NDArray[np.generic]:
    """Return a column of texts with each different one changed once."""
    values, places = np.unique(column.astype("U"), return_inverse=True)
    changed: NDArray[np.generic] = np.array([change(str(value)) for value in values], dtype=object)[places]
    return changed


FORMATS: Mapping[str, tuple[Callable[[Columns, Masks], bytes], str]] = {
    "csv": (account_csv, "text/csv; charset=utf-8"),
    "parquet": (account_parquet, "application/vnd.apache.parquet"),
    "xlsx": (account_workbook, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""By the ending of the file: what writes it, and its media type."""
