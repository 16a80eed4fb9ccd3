"""A lender's file as a ``RawPortfolio``, chunk by chunk, by a mapping: a cell at fault costs its row, never the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import check_declared
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.row_faults import joined
from collections_opt.core.accounts.schema import Column, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.datasets.files.cells.faults import CellFaults, Mask
from collections_opt.datasets.files.cells.ids import ID_COLUMNS, read_ids
from collections_opt.datasets.files.cells.numbers import NumberReader
from collections_opt.datasets.files.column_readers import Cells, ColumnReader
from collections_opt.datasets.files.mapping_checks import check_mapping
from collections_opt.datasets.files.mappings import ColumnMapping, FileMapping
from collections_opt.datasets.files.opening.opened import FileChunk, OpenedFile, Skipped, open_file
from collections_opt.datasets.files.row_filters import RowFilters, currency_columns


@dataclass
class FileCounts:
    """What became of a file's lines; ``row_count = kept_count + filtered_count``, complete when all was read.

    Attributes:
        row_count: rows of the file, with those that fit no table and without those that hold no row.
        kept_count: rows that passed the mapping's filters: the rows of the portfolio.
        filtered: rows left out, by filter.
        faulty_count: kept rows with a cell at fault, or that fit no table.
        shortened_ids: kept rows by id column whose id is written as spreadsheets shorten numbers (1.23E+11).
    """

    row_count: int = 0
    kept_count: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    faulty_count: int = 0
    shortened_ids: Counter[str] = field(default_factory=Counter)

    @property
    def filtered_count(self) -> int:
        """Rows left out by filters."""
        return sum(self.filtered.values())


@dataclass(frozen=True)
class FileReading:
    """What came out of a file.

    Attributes:
        raw: the portfolio, rows in file order, with what is wrong with them.
        counts: what became of the file's rows.
        skipped: lines that hold no row.
        ignored_columns: columns of the file that the mapping does not read.
        absent_columns: optional columns, of the schema or declared, whose source the file lacks; missing for every account.
    """

    raw: RawPortfolio
    counts: FileCounts
    skipped: Skipped
    ignored_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]

    @property
    def row_count(self) -> int:
        """Rows of the file."""
        return self.counts.row_count

    @property
    def kept_count(self) -> int:
        """Rows that passed the mapping's filters; equals the rows of ``raw``."""
        return self.counts.kept_count


@dataclass(frozen=True)
class PortfolioFile:
    """A lender's file on its way in, to be read once: counts are complete when the parts are.

    Attributes:
        parts: the rows, about 65,536 at a time, each part a portfolio with its own rows and faults.
        counts: what became of the rows read so far.
        skipped: lines that hold no row, so far.
        ignored_columns: columns of the file that the mapping does not read.
        absent_columns: optional columns, of the schema or declared, whose source the file lacks; missing for every account.
        empty: a portfolio without rows, of the columns that the parts have.
    """

    parts: Iterator[RawPortfolio]
    counts: FileCounts
    skipped: Skipped
    ignored_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]
    empty: RawPortfolio


def open_portfolio(
    path: Path, mapping: FileMapping, as_of_date: date | None = None, allow_missing: bool = False
) -> PortfolioFile:
    """Open a file of any kind that ``open_file`` reads.

    Args:
        path: the file.
        mapping: which column feeds which schema column.
        as_of_date: the day the file describes; takes precedence over the mapping's.
        allow_missing: read on without optional columns that the mapping names and the file lacks.

    Raises:
        CollectionsError: as ``open_file``, ``check_mapping`` and ``check_declared``; INVALID_ARGUMENT for no as-of date;
            SCHEMA_MISMATCH for every column that the mapping names and the file lacks, and for ids that came as floats;
            MIXED_CURRENCIES.
    """
    check_mapping(mapping)
    day = as_of_date or mapping.as_of_date
    if day is None:
        raise refuse(Reason.INVALID_ARGUMENT, "as_of_date", "neither the call nor the mapping gives one.", "Pass the file's day.")
    file, watched = _opened(path, mapping)
    absent = _absent(mapping, file.names, allow_missing)
    used = {name: column for name, column in mapping.fed.items() if name not in absent}
    sources = {name: ", ".join(column.needs) for name, column in used.items() if column.needs}
    schema, own = mapping.schema, tuple(one for one in mapping.declared if one.field in used)
    check_declared(own, day, sources)
    columns = {name: _empty(schema[name], one) for name, one in used.items()}
    place = (day, mapping.time_zone, mapping.currency_code)
    products = mapping.declared_products or None
    empty = RawPortfolio(*place, columns, country_code=mapping.country_code, sources=sources, products=products, own=own)
    counts = FileCounts()
    parts = _Parts(path.name, mapping, used, empty, counts, RowFilters(mapping, watched)).of(file)
    needed = set(mapping.needs)
    ignored = tuple(name for name in file.names if name not in needed)
    return PortfolioFile(parts, counts, file.skipped, ignored, tuple(absent), empty)


def read_portfolio(path: Path, mapping: FileMapping, as_of_date: date | None = None, allow_missing: bool = False) -> FileReading:
    """Read a whole file, as ``open_portfolio``."""
    file = open_portfolio(path, mapping, as_of_date, allow_missing)
    raw = _joined(file.empty, list(file.parts))
    return FileReading(raw, file.counts, file.skipped, file.ignored_columns, file.absent_columns)


def _opened(path: Path, mapping: FileMapping) -> tuple[OpenedFile, tuple[str, ...]]:
    """Open a file for what the mapping needs, and for columns that look like a currency, which must not be mixed."""
    file = open_file(path, mapping.csv, mapping.layout, mapping.needs)
    watched = currency_columns(mapping, file.names)
    if not set(watched) <= set(mapping.needs):
        file = open_file(path, mapping.csv, mapping.layout, tuple(dict.fromkeys([*mapping.needs, *watched])))
    return file, watched


def _absent(mapping: FileMapping, names: tuple[str, ...], allow_missing: bool) -> list[str]:
    """Return the optional columns the file lacks where that is allowed; refuse what is not, all at once."""
    absent: list[str] = []
    found: list[FieldViolation] = []
    has = ", ".join(name for name in names if name not in mapping.needs)[:300] or "no other"
    schema = mapping.schema
    for name, column in mapping.fed.items():
        lacking = [source for source in column.needs if source not in names]
        # A history with a hole would shift its months, so it is refused like a required column.
        must = schema[name].required or bool(column.sources)
        if lacking and (must or not allow_missing):
            remedy = f"Send {lacking[0]}, or map {name} to another column (the file also has: {has})"
            remedy += "." if must else "; drop it from the mapping, or allow it to be missing (--allow-missing)."
            found.append(FieldViolation(name, f"the file has no column {lacking[0]}.", remedy))
        elif lacking:
            absent.append(name)
    others = [*((f"keep[{index}]", rule.source) for index, rule in enumerate(mapping.keep))]
    others += [("currency_source", mapping.currency_source)] if mapping.currency_source else []
    found.extend(
        FieldViolation(key, f"the file has no column {source}.", f"Send {source}, or drop the key.")
        for key, source in others
        if source not in names
    )
    if found:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"The file lacks {len(found)} column(s).", tuple(found))
    return absent


@dataclass(frozen=True)
class _Parts:
    """Reads the chunks of one file into parts of a portfolio."""

    name: str
    mapping: FileMapping
    used: dict[str, ColumnMapping]
    empty: RawPortfolio
    counts: FileCounts
    filters: RowFilters

    def of(self, file: OpenedFile) -> Iterator[RawPortfolio]:
        """Yield a part per chunk that has rows."""
        broken = 0
        for chunk in file.chunks:
            broken += len(chunk.broken)
            part = self._part(chunk, file.typed_dates)
            if part.row_count:
                yield part
        if broken and broken == self.counts.row_count:
            problem = f"none of the {broken} rows has as many cells as the header."
            raise refuse(
                Reason.INVALID_ARGUMENT, self.name, problem, "Check csv.delimiter, the header and layout in the mapping."
            )

    def _part(self, chunk: FileChunk, typed_dates: bool) -> RawPortfolio:
        faults = CellFaults()
        numbers = NumberReader.of(self.mapping)
        self.counts.row_count += chunk.table.num_rows + len(chunk.broken)
        kept = self.filters.kept(chunk.table, numbers, faults, self.counts.filtered)
        faults.keep(kept)
        table, lines = chunk.table.filter(pa.array(kept)), chunk.lines[kept]
        self._note_ids(table)
        reader = ColumnReader(numbers, self.empty.as_of_date, self.mapping.time_zone, typed_dates, faults)
        schema = self.mapping.schema
        cells = {name: reader.read(schema[name], column, table) for name, column in self.used.items()}
        for index, one in enumerate(chunk.broken):
            faults.add_row(table.num_rows + index, one.text, one.rule, one.remedy)
        all_lines = np.concatenate([lines, np.array([one.line for one in chunk.broken], dtype=np.int64)])
        found = faults.faults()
        self.counts.kept_count += all_lines.size
        self.counts.faulty_count += int(np.unique(found.row).size)
        columns = {name: _padded(values, len(chunk.broken)) for name, (values, _) in cells.items()}
        present = {name: _padded(mask, len(chunk.broken)) for name, (_, mask) in cells.items()}
        part = replace(self.empty, columns=columns, present=present, lines=all_lines, faults=found)
        return _by_line(part) if chunk.broken else part

    def _note_ids(self, table: Any) -> None:
        for name in ID_COLUMNS:
            column = self.used.get(name)
            if column and column.source:
                shortened = int(read_ids(table.column(column.source), name).shortened.sum())
                if shortened:
                    self.counts.shortened_ids[column.source] += shortened


def _padded(values: Array, count: int) -> Array:
    """Return an array with rows of nothing after its own: those of rows that fit no table."""
    if not count:
        return values
    shape = (count, *values.shape[1:])
    nothing = np.full(shape, None, dtype=object) if values.dtype == object else np.zeros(shape, dtype=values.dtype)
    return np.concatenate([values, nothing])


def _by_line(part: RawPortfolio) -> RawPortfolio:
    """Return a part in the order of its lines."""
    assert part.lines is not None
    order = np.argsort(part.lines, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return replace(
        part,
        columns={name: values[order] for name, values in part.columns.items()},
        present={name: mask[order] for name, mask in part.present.items()},
        lines=part.lines[order],
        faults=part.faults.moved(place),
    )


def _joined(empty: RawPortfolio, parts: list[RawPortfolio]) -> RawPortfolio:
    if not parts:
        return empty
    starts = np.cumsum([0, *(part.row_count for part in parts)])
    moved = [
        part.faults.moved(np.arange(start, start + part.row_count))
        for part, start in zip(parts, starts.tolist(), strict=False)
        if part.faults.count
    ]
    present: dict[str, Mask] = {}
    for name in empty.columns:
        mask = np.concatenate([part.present[name] for part in parts])
        if not mask.all():
            present[name] = mask
    lines: NDArray[np.int64] = np.concatenate([part.lines for part in parts if part.lines is not None])
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in empty.columns}
    return replace(empty, columns=columns, present=present, lines=lines, faults=joined(moved))


def _empty(target: Column, column: ColumnMapping) -> Array:
    dtypes = {ColumnKind.TEXT: np.dtype(object), ColumnKind.FLAG: np.dtype(bool), ColumnKind.RATE: np.dtype(np.float64)}
    shape = (0, len(column.sources)) if target.is_history else (0,)
    return np.zeros(shape, dtype=dtypes.get(target.kind, np.dtype(np.int64)))


__all__ = ["Cells", "FileCounts", "FileReading", "PortfolioFile", "open_portfolio", "read_portfolio"]
