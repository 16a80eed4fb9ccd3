"""Small tables in any format a lender's file comes in: ids, numbers, dates and codes in them; faults name line and cell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.accounts.column_names import held_names, told_money
from collections_opt.core.accounts.row_faults import RowFaults
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.core.shown_text import visible
from collections_opt.datasets.files.cells.dates import DateReader
from collections_opt.datasets.files.cells.faults import CellFaults, Place
from collections_opt.datasets.files.cells.ids import read_ids
from collections_opt.datasets.files.cells.numbers import NumberReader
from collections_opt.datasets.files.cells.texts import as_mask, code_text, plain_array, valid
from collections_opt.datasets.files.mappings import ISO, CsvFormat, Layout
from collections_opt.datasets.files.opening.opened import BrokenRow, open_file

SIMULATED = "simulated"
"""Column that marks the rows of a simulated lender; without it a file is taken for a real one."""

_YES = ("1", "true", "yes")
_SHOWN = 50

_WORDS = {
    "NOT_A_NUMBER": ("is not a number", "Send a plain number such as 1234.56."),
    "NOT_FINITE": ("is not finite", "Send a number."),
    "NOT_A_DATE": ("is not a date", "Send YYYY-MM-DD."),
    "NO_SUCH_DATE": ("is not a date that exists", "Send YYYY-MM-DD of a day that exists."),
    "REQUIRED": ("is empty", "Fill every cell of the column, or drop the row."),
}
"""What faults of cells are called where there is no mapping to correct."""


@dataclass(frozen=True)
class TextTable:
    """Columns of a file as they came, and the line of every row.

    Attributes:
        name: of the file.
        columns: Arrow arrays (n,) by name.
        lines: int64 (n,) as a spreadsheet shows them.
    """

    name: str
    columns: Mapping[str, Any]
    lines: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return int(self.lines.size)

    def texts(self, name: str) -> Any:
        """Return a column as Arrow strings without spaces around, "" where a cell is empty."""
        cells = self.columns[name]
        texts = code_text(cells)
        return pc.fill_null(pc.cast(cells, pa.string()) if texts is None else texts, "")


def read_text_table(path: Path, required: tuple[str, ...], what: str) -> TextTable:
    """Return a file of any kind that ``open_file`` reads, with all its columns.

    Raises:
        CollectionsError: as ``open_file``; NOT_FOUND; SCHEMA_MISMATCH naming the missing columns, or every row that has another
            number of cells than the header, with its line.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "cannot be read.", f"Name an existing {what}.")
    file = open_file(path, CsvFormat(), Layout())
    held = held_names(file.names)
    missing = tuple(
        FieldViolation(
            told_money(name), f"the {what} has no such column.", f"Send it; the file has {', '.join(file.names)[:200]}."
        )
        for name in required
        if name not in held.values()
    )
    if missing:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"The {what} lacks {len(missing)} column(s).", missing)
    chunks = list(file.chunks)
    _refuse_broken(path, [one for chunk in chunks for one in chunk.broken])
    lines = np.concatenate([np.zeros(0, dtype=np.int64), *(chunk.lines for chunk in chunks)])
    columns = {held[name]: _column(name, [chunk.table for chunk in chunks]) for name in file.names}
    return TextTable(path.name, columns, lines)


def _column(name: str, tables: list[Any]) -> Any:
    parts = [plain_array(table.column(name)) for table in tables]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


def _refuse_broken(path: Path, broken: list[BrokenRow]) -> None:
    if broken:
        found = tuple(
            FieldViolation(f"{path.name} line {one.line}", f"{one.rule}: {visible(one.text[:120])}.", one.remedy)
            for one in broken[:_SHOWN]
        )
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"{path.name} has {len(broken)} row(s) that fit no table.", found)


def refuse_faults(table: TextTable, faults: RowFaults) -> None:
    """Refuse a table with cells at fault, each with its line, column and remedy.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every cell, at most 50 of them.
    """
    if not faults.count:
        return
    entries = list(zip(faults.row.tolist(), faults.column, faults.value, faults.rule, faults.remedy, strict=True))[:_SHOWN]
    found = tuple(
        FieldViolation(f"{column}[{row}]", f"line {table.lines[row]}: {value!r} {problem}.", told)
        for row, column, value, rule, remedy in entries
        for problem, told in (_WORDS.get(rule, (rule, remedy)),)
    )
    message = str(found[0]) if faults.count == 1 else f"{table.name} has {faults.count} cell(s) at fault."
    raise CollectionsError(Reason.INVALID_ARGUMENT, message, found)


def source_of(path: Path, table: TextTable) -> LogSource:
    """Return where a table came from, and whether it says that a simulated lender wrote it."""
    marks = pc.is_in(pc.utf8_lower(table.texts(SIMULATED)), value_set=pa.array(_YES)) if SIMULATED in table else None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return LogSource(path.name, digest, table.row_count, marks is not None and bool(as_mask(marks).any()))


def ids(table: TextTable, name: str = "account_id") -> NDArray[np.bytes_]:
    """Return a column of ids as UTF-8 bytes (n,), read as every reader reads ids.

    Raises:
        CollectionsError: as ``read_ids``; INVALID_ARGUMENT for empty cells.
    """
    read = read_ids(table.columns[name], name)
    faults = CellFaults()
    empty = ~valid(read.texts)
    faults.add(empty, Place(name, name), "REQUIRED", "Send an id in every row.", pc.fill_null(read.texts, ""))
    refuse_faults(table, faults.faults())
    return read.encoded()


def mapped(table: TextTable, name: str, known: Mapping[str, int] | Mapping[str, bool], lower: bool = True) -> NDArray[np.float64]:
    """Return the values that a column's codes stand for, float64 (n,); ``lower`` takes codes in any case.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every unknown code with its line.
    """
    texts = table.texts(name)
    positions = pc.index_in(pc.utf8_lower(texts) if lower else texts, value_set=pa.array(list(known), pa.string()))
    allowed = ", ".join(key or "(empty)" for key in known)
    faults = CellFaults()
    faults.add(~valid(positions), Place(name, name), "is not known", f"Use one of: {allowed}.", texts)
    refuse_faults(table, faults.faults())
    values = np.array([float(value) for value in known.values()], dtype=np.float64)
    return np.asarray(values[positions.to_numpy(zero_copy_only=False).astype(np.int64)] if len(texts) else values[:0])


def numbers(table: TextTable, name: str) -> NDArray[np.float64]:
    """Return a column as float64 (n,), NaN where it is empty or the file has none.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every cell that is no number, with its line.
    """
    if name not in table:
        return np.full(table.row_count, np.nan)
    faults = CellFaults()
    values, present = NumberReader().read(table.columns[name], Place(name, name), faults)
    refuse_faults(table, faults.faults())
    return np.where(present, values, np.nan)


def whole_money(table: TextTable, name: str) -> NDArray[np.int64]:
    """Return a column of money as int64 (n,) minor units.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every empty cell or one that is no whole number, with its line.
    """
    values = numbers(table, name)
    faults = CellFaults()
    wrong = np.isnan(values) | (values != np.rint(values))
    faults.add(wrong, Place(name, name), "is not a whole number", "Send minor units in every row.", table.texts(name))
    refuse_faults(table, faults.faults())
    return values.astype(np.int64)


def days(table: TextTable, name: str) -> NDArray[np.datetime64]:
    """Return a column of dates, datetime64[D] (n,).

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every cell that is empty or no date that exists, with its line.
    """
    faults = CellFaults()
    read, present = DateReader((ISO,), "UTC").read(table.columns[name], Place(name, name), faults)
    refuse_faults(table, faults.faults())
    empty = CellFaults()
    empty.add(~present, Place(name, name), "REQUIRED", "Send YYYY-MM-DD.", table.texts(name))
    refuse_faults(table, empty.faults())
    return np.asarray(read)
