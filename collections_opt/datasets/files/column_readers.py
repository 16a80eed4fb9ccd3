"""One chunk of a file's columns into one column of the account schema: units, codes, dates, missing cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.accounts.schema import Column, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.datasets.files.cells.dates import DateReader
from collections_opt.datasets.files.cells.faults import CellFaults, Mask, Place
from collections_opt.datasets.files.cells.ids import ID_COLUMNS, read_ids
from collections_opt.datasets.files.cells.numbers import NumberReader, whole_numbers
from collections_opt.datasets.files.cells.texts import as_mask, code_text, exact_text, is_text, plain_array, trimmed, valid
from collections_opt.datasets.files.mappings import DATE_READINGS, ColumnMapping, Reading, Unlisted

Cells = tuple[Array, NDArray[np.bool_]]
"""Values, and where there is one."""

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class ColumnReader:
    """Reads columns of a chunk; what can't be read is a fault of its cell.

    Attributes:
        numbers: how numbers are written.
        as_of_date: day that distances of dates are counted to.
        time_zone: IANA zone in which an instant becomes a day.
        typed_dates: dates of spreadsheets come as ISO texts.
        faults: gathers the cells at fault.
    """

    numbers: NumberReader
    as_of_date: date
    time_zone: str
    typed_dates: bool
    faults: CellFaults

    def read(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        """Return a schema column's values and presence for the rows of a chunk, (n,) or (n, months).

        Raises:
            CollectionsError: SCHEMA_MISMATCH for a constant of another kind, or ids that came as floats.
        """
        if mapping.constant is not None:
            return _constant(column, mapping.constant, chunk.num_rows)
        if mapping.reading is Reading.MISSED_MINIMUM_PAYMENTS:
            return self._missed_minimum_payments(column, mapping, chunk)
        if column.is_history:
            months = [self._whole(column, mapping, source, chunk) for source in mapping.sources]
            return np.column_stack([v for v, _ in months]), np.column_stack([p for _, p in months])
        if mapping.reading in DATE_READINGS:
            return self._date_distance(column, mapping, chunk)
        of_kind = {ColumnKind.TEXT: self._text, ColumnKind.FLAG: self._flag, ColumnKind.RATE: self._rate}
        return of_kind.get(column.kind, self._single)(column, mapping, chunk)

    def _rate(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        values, present = self._number(column, mapping, mapping.source, chunk)
        return values * mapping.scale, present

    def _single(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        return self._whole(column, mapping, mapping.source, chunk)

    def _cells(self, column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Any:
        """Return a source as a plain array with its texts for "no value" made null and its codes replaced."""
        cells = plain_array(chunk.column(source))
        if mapping.missing or mapping.values:
            codes = code_text(cells)
            if codes is None:
                codes = pc.cast(cells, pa.string())
            nothing = as_mask(pc.is_in(codes, value_set=pa.array(mapping.missing, pa.string())))
            cells = pc.if_else(pa.array(nothing), pa.scalar(None, cells.type), cells)
            if mapping.values:
                return self._replaced(column, mapping, source, cells, pc.if_else(pa.array(nothing), None, codes))
        return cells

    def _replaced(self, column: Column, mapping: ColumnMapping, source: str, cells: Any, codes: Any) -> Any:
        positions = pc.index_in(codes, value_set=pa.array(list(mapping.values), pa.string()))
        unlisted = valid(codes) & ~valid(positions)
        if mapping.unlisted is Unlisted.READ:
            replaced = pa.array([_as_text(value) for value in mapping.values.values()], pa.string()).take(positions)
            return pc.coalesce(replaced, codes)
        listed = ", ".join(list(mapping.values)[:8])
        remedy = f"Use one of {listed}; or list the code under values, missing, or keep (rows to leave out)."
        self.faults.add(unlisted, Place(column.name, source), "UNLISTED_CODE", remedy, cells)
        return pa.array(list(mapping.values.values())).take(positions)

    def _text(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        cells = self._cells(column, mapping, mapping.source, chunk)
        if column.name in ID_COLUMNS:
            texts = read_ids(cells, column.name).texts
        else:
            found = exact_text(cells)
            if found is None:
                raise _retyped(column, mapping.source, cells.type)
            texts = found
        if mapping.width:
            texts = pc.utf8_lpad(texts, width=mapping.width, padding="0")
        if mapping.prefix:
            texts = pc.binary_join_element_wise(mapping.prefix, texts, "")
        return texts.to_numpy(zero_copy_only=False).astype(object), valid(texts)

    def _flag(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        cells = self._cells(column, mapping, mapping.source, chunk)
        if not pa.types.is_boolean(cells.type):
            place = Place(column.name, mapping.source)
            codes = code_text(cells)
            if codes is None:
                raise _retyped(column, mapping.source, cells.type)
            positions = pc.index_in(pc.utf8_lower(codes), value_set=pa.array(list(_FLAGS)))
            remedy = "Use true, false, 1 or 0; or say under values what the code means."
            self.faults.add(valid(codes) & ~valid(positions), place, "NOT_A_FLAG", remedy, cells)
            cells = pa.array(list(_FLAGS.values())).take(positions)
        return as_mask(cells), valid(cells)

    def _number(self, column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Cells:
        cells = self._cells(column, mapping, source, chunk)
        if is_text(cells.type) and mapping.unlisted is Unlisted.READ and mapping.values:
            cells = trimmed(cells)
        return self.numbers.read(cells, Place(column.name, source), self.faults)

    def _whole(self, column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Cells:
        values, present = self._number(column, mapping, source, chunk)
        whole, fraction, large = whole_numbers(values * mapping.scale, present, mapping.rounding)
        return whole, present & ~self._unwhole(Place(column.name, source), chunk, fraction, large)

    def _unwhole(self, place: Place, chunk: pa.Table, fraction: Mask, large: Mask) -> Mask:
        """Fault cells that make no whole number of the column's unit; return where."""
        if (fraction | large).any():
            cells = plain_array(chunk.column(place.column))
            remedy = "No whole number of minor units or counts: send one, or declare rounding or scale in the mapping."
            self.faults.add(fraction, place, "NOT_WHOLE", remedy, cells)
            self.faults.add(large, place, "OUT_OF_RANGE", "Check the unit; the number is far too large.", cells)
        return fraction | large

    def _missed_minimum_payments(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        """Arrears = share of the balance per month past due, rounded down, from 0 to the balance."""
        balance, months = (self._number(column, mapping, source, chunk) for source in mapping.sources)
        owed = np.maximum(np.rint(balance[0] * mapping.scale), 0.0)
        arrears = np.minimum(np.floor(owed * mapping.share * np.maximum(months[0], 0.0)), owed)
        present = balance[1] & months[1]
        whole, _, large = whole_numbers(arrears, present, None)
        return whole, present & ~self._unwhole(Place(column.name, mapping.sources[0]), chunk, np.zeros_like(large), large)

    def _date_distance(self, column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
        reader = DateReader(mapping.formats, self.time_zone, self.typed_dates)
        cells = self._cells(column, mapping, mapping.source, chunk)
        days, present = reader.read(cells, Place(column.name, mapping.source), self.faults)
        today = np.datetime64(self.as_of_date, "D")
        if mapping.reading is Reading.MONTHS_SINCE:
            distance = today.astype("datetime64[M]").astype(np.int64) - days.astype("datetime64[M]").astype(np.int64)
        else:
            distance = (today - days).astype(np.int64) * (1 if mapping.reading is Reading.DAYS_SINCE else -1)
        counted = distance + (column.first_day if mapping.reading is Reading.DAYS_SINCE else 0)
        return np.where(present, counted, 0), present


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _constant(column: Column, value: str | float | bool, count: int) -> Cells:
    wanted: tuple[type, ...] = {ColumnKind.TEXT: (str,), ColumnKind.FLAG: (bool,)}.get(column.kind, (int, float))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise _retyped(column, "constant", type(value).__name__)
    dtype = {ColumnKind.TEXT: np.dtype(object), ColumnKind.FLAG: np.dtype(bool), ColumnKind.RATE: np.dtype(np.float64)}
    given = np.dtype(np.float64 if isinstance(value, float) else np.int64)
    return np.full(count, value, dtype=dtype.get(column.kind, given)), np.ones(count, dtype=bool)


def _retyped(column: Column, source: str, kind: object) -> CollectionsError:
    remedy = "Send the column in its usual type, or correct the mapping (values, missing, date_format)."
    return refuse(Reason.SCHEMA_MISMATCH, column.name, f"{source} holds {kind}, which cannot be read as {column.name}.", remedy)
