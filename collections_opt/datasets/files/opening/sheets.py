"""Spreadsheets: a sheet by its name, every cell as the text that a person would type, dates as ISO."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.mappings import CsvFormat, Layout
from collections_opt.datasets.files.opening.text import TextRows

_PART_ROWS = 65_536
_EXACT = 1e15
"""A spreadsheet keeps 15 digits; longer whole numbers are shown as it shows them, so that lost digits are seen."""


def read_sheet(path: Path, csv: CsvFormat, layout: Layout) -> tuple[tuple[str, ...], Iterator[TextRows]]:
    """Return the names of a sheet's columns and its rows as texts.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a file that is no spreadsheet, a sheet it lacks, one of several not named, or no
            header.
    """
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - only spreadsheets need it

    try:
        book = CalamineWorkbook.from_path(path)
        sheet = book.get_sheet_by_name(_chosen(path, book.sheet_names, layout.sheet))
        rows = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        problem = f"cannot be read as a spreadsheet: {str(error)[:100]}."
        raise refuse(Reason.INVALID_ARGUMENT, path.name, problem, "Save it anew, without a password, or send .csv.") from error
    rows = rows[layout.skip_first_lines :]
    header = () if csv.column_names else (rows[0] if rows else ())
    names = csv.column_names or tuple(_text(cell, csv.decimal_point).strip() for cell in header)
    while names and not names[-1]:
        names = names[:-1]
    if not names:
        raise refuse(Reason.INVALID_ARGUMENT, path.name, "has no header line.", "Name another sheet, or give column_names.")
    body = rows if csv.column_names else rows[1:]
    body = body[: max(len(body) - layout.skip_last_lines, 0)]
    first_line = layout.skip_first_lines + (1 if csv.column_names else 2)
    return names, _parts(body, len(names), first_line, csv.decimal_point)


def _parts(body: list[Any], width: int, first_line: int, decimal_point: str) -> Iterator[TextRows]:
    for start in range(0, len(body), _PART_ROWS):
        rows = body[start : start + _PART_ROWS]
        columns = [
            pa.array([_text(row[place], decimal_point) or None if place < len(row) else None for row in rows], pa.string())
            for place in range(width)
        ]
        table = pa.Table.from_arrays(columns, names=[str(place) for place in range(width)])
        lines = np.arange(first_line + start, first_line + start + len(rows), dtype=np.int64)
        yield TextRows(table, lines, ())


def _chosen(path: Path, sheets: list[str], wanted: str) -> str:
    if wanted in sheets:
        return wanted
    known = ", ".join(sheets)
    if wanted:
        raise refuse(Reason.INVALID_ARGUMENT, "layout.sheet", f"{path.name} has no sheet {wanted!r}.", f"Use one of: {known}.")
    if len(sheets) != 1:
        raise refuse(Reason.INVALID_ARGUMENT, "layout.sheet", f"{path.name} has {len(sheets)} sheets.", f"Name one of: {known}.")
    return sheets[0]


def _text(cell: object, decimal_point: str) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < _EXACT:
            return str(int(cell))
        shown = f"{cell:.14E}" if cell.is_integer() else repr(cell)
        return shown.replace(".", decimal_point)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if not isinstance(cell, timedelta) else str(cell.total_seconds() / 86_400)
