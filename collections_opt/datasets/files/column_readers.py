"""One chunk of a file's columns into one column of the account schema: units, codes, dates, missing cells."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.schema import Column, ColumnKind
from collections_opt.datasets.files.mappings import DATE_READINGS, ColumnMapping, Reading

Cells = tuple[Array, NDArray[np.bool_]]
"""Values, and where there is one."""

_INT64_LIMIT = 2.0**62
_ROUNDING = 1e-6
"""Money such as 1234.56 times 100 misses the whole number by the float's rounding only; more is the sender's fraction."""


def read_column(column: Column, mapping: ColumnMapping, chunk: pa.Table, as_of_date: date) -> Cells:
    """Return a schema column's values and presence for the rows of a chunk, (n,) or (n, months).

    Raises:
        CollectionsError: SCHEMA_MISMATCH naming schema column and source when the file holds another type or an unlisted code.
    """
    if mapping.constant is not None:
        return _constant(column, mapping.constant, chunk.num_rows)
    if mapping.reading is Reading.MISSED_MINIMUM_PAYMENTS:
        return _missed_minimum_payments(column, mapping, chunk)
    if column.is_history:
        months = [_number(column, mapping, source, chunk) for source in mapping.sources]
        return np.column_stack([v for v, _ in months]), np.column_stack([p for _, p in months])
    if mapping.reading in DATE_READINGS:
        return _date_distance(column, mapping, chunk, as_of_date)
    if column.kind in (ColumnKind.TEXT, ColumnKind.FLAG):
        return (_text if column.kind is ColumnKind.TEXT else _flag)(column, mapping, chunk)
    return _number(column, mapping, mapping.source, chunk)


def whole_numbers(values: NDArray[np.float64], present: NDArray[np.bool_]) -> Array:
    """Return int64 where every present value is whole and fits, otherwise the floats, for the door to quarantine."""
    safe = np.where(present, values, 0.0)
    with np.errstate(invalid="ignore"):  # infinity minus itself: not close, so it stays for the door
        nearest = np.rint(safe)
        close = np.abs(safe - nearest) <= _ROUNDING
    rounded = np.where(close, nearest, safe)
    fits = bool((close & (np.abs(safe) < _INT64_LIMIT)).all())
    return rounded.astype(np.int64) if fits else rounded


def _constant(column: Column, value: str | float | bool, count: int) -> Cells:
    wanted: tuple[type, ...] = {ColumnKind.TEXT: (str,), ColumnKind.FLAG: (bool,)}.get(column.kind, (int, float))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise _retyped(column, "constant", type(value).__name__)
    dtype = {ColumnKind.TEXT: np.dtype(object), ColumnKind.FLAG: np.dtype(bool), ColumnKind.RATE: np.dtype(np.float64)}
    given = np.dtype(np.float64 if isinstance(value, float) else np.int64)
    return np.full(count, value, dtype=dtype.get(column.kind, given)), np.ones(count, dtype=bool)


def _cells(column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Any:
    """Return a source with its codes replaced and its texts for "no value" made null."""
    cells = chunk.column(source).combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if _is_text(cells.type):
        nothing = pc.is_in(cells, value_set=pa.array(["", *mapping.missing], type=cells.type))
        cells = pc.if_else(nothing, pa.scalar(None, cells.type), cells)
    elif mapping.missing and _is_number(cells.type):
        numeric = pa.array(_parsed_numbers(mapping.missing), type=pa.float64())
        cells = pc.if_else(pc.is_in(pc.cast(cells, pa.float64()), value_set=numeric), pa.scalar(None, cells.type), cells)
    return _replace_codes(column, mapping, source, cells) if mapping.values else cells


def _parsed_numbers(texts: tuple[str, ...]) -> list[float]:
    """Return the texts that are numbers; the others ("NA") cannot occur in a number column."""
    numeric = []
    for text in texts:
        with suppress(ValueError):
            numeric.append(float(text))
    return numeric


def _replace_codes(column: Column, mapping: ColumnMapping, source: str, cells: Any) -> Any:
    texts = _as_text(column, source, cells)
    codes = pa.array(list(mapping.values), type=pa.string())
    positions = pc.index_in(texts, value_set=codes)
    unlisted = pc.unique(texts.filter(pc.and_(pc.is_null(positions), pc.is_valid(texts)))).to_pylist()
    if unlisted:
        shown = ", ".join(map(repr, unlisted[:5]))
        remedy = "Add them to values, or to missing if they mean no value."
        raise refuse(Reason.SCHEMA_MISMATCH, column.name, f"{source} holds codes that are not listed: {shown}.", remedy)
    try:
        return pa.array(list(mapping.values.values())).take(positions)
    except pa.ArrowException as error:
        raise refuse(
            Reason.SCHEMA_MISMATCH, f"columns.{column.name}.values", "mixes types.", "Give all values one type."
        ) from error


def _as_text(column: Column, source: str, cells: Any) -> Any:
    kind = cells.type
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise _retyped(column, source, kind)  # a float id (123.0) or a date would become another text
    return pc.cast(cells, pa.string())


def _text(column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
    texts = _as_text(column, mapping.source, _cells(column, mapping, mapping.source, chunk))
    if mapping.width:
        texts = pc.utf8_lpad(texts, width=mapping.width, padding="0")
    if mapping.prefix:
        texts = pc.binary_join_element_wise(mapping.prefix, texts, "")
    return texts.to_numpy(zero_copy_only=False).astype(object), _valid(texts)


def _flag(column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
    cells = _cells(column, mapping, mapping.source, chunk)
    if not (pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type)):
        raise _retyped(column, mapping.source, cells.type)
    return pc.fill_null(pc.cast(cells, pa.bool_()), False).to_numpy(zero_copy_only=False), _valid(cells)


def numbers(column_name: str, source: str, cells: Any) -> Cells:
    """Return numeric cells as float64 and presence.

    Raises:
        CollectionsError: SCHEMA_MISMATCH when the cells are not numbers.
    """
    if not (_is_number(cells.type) or pa.types.is_null(cells.type)):
        raise _retyped_name(column_name, source, cells.type)
    values = pc.fill_null(pc.cast(cells, pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    return values, _valid(cells)


def _number(column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Cells:
    values, present = _unscaled(column, mapping, source, chunk)
    scaled = values * mapping.scale
    return (whole_numbers(scaled, present) if column.is_integer else scaled), present


def _unscaled(column: Column, mapping: ColumnMapping, source: str, chunk: pa.Table) -> Cells:
    cells = _cells(column, mapping, source, chunk)
    if _is_text(cells.type) and mapping.missing:  # a number column of a CSV with texts for "no value"
        try:
            cells = pc.cast(cells, pa.float64())
        except pa.ArrowInvalid as error:
            raise refuse(Reason.SCHEMA_MISMATCH, column.name, f"{source}: {error}.", "List such texts under missing.") from error
    return numbers(column.name, source, cells)


def _missed_minimum_payments(column: Column, mapping: ColumnMapping, chunk: pa.Table) -> Cells:
    """Arrears = share of the balance per month past due, rounded down, from 0 to the balance."""
    balance, months = (_unscaled(column, mapping, source, chunk) for source in mapping.sources)
    owed = np.maximum(np.rint(balance[0] * mapping.scale), 0.0)
    arrears = np.minimum(np.floor(owed * mapping.share * np.maximum(months[0], 0.0)), owed)
    present = balance[1] & months[1]
    return whole_numbers(arrears, present), present


def _date_distance(column: Column, mapping: ColumnMapping, chunk: pa.Table, as_of_date: date) -> Cells:
    cells = _cells(column, mapping, mapping.source, chunk)
    present = _valid(cells)
    if _is_text(cells.type):
        cells = _parsed_dates(column, mapping, cells)
    elif not (pa.types.is_date(cells.type) or pa.types.is_timestamp(cells.type)):
        raise _retyped(column, mapping.source, cells.type)
    dates = pc.cast(pc.cast(cells, pa.date32(), safe=False), pa.int32())
    days = pc.fill_null(dates, 0).to_numpy(zero_copy_only=False).astype("datetime64[D]")
    today = np.datetime64(as_of_date, "D")
    if mapping.reading is Reading.MONTHS_SINCE:
        distance = today.astype("datetime64[M]").astype(np.int64) - days.astype("datetime64[M]").astype(np.int64)
    else:
        distance = (today - days).astype(np.int64) * (1 if mapping.reading is Reading.DAYS_SINCE else -1)
    return np.where(present, distance, 0), present


def _parsed_dates(column: Column, mapping: ColumnMapping, cells: Any) -> Any:
    parsed = pc.strptime(cells, format=mapping.date_format, unit="s", error_is_null=True)
    unread = cells.filter(pc.and_(pc.is_valid(cells), pc.is_null(parsed)))
    if len(unread):
        raise refuse(
            Reason.SCHEMA_MISMATCH,
            column.name,
            f"{mapping.source} holds {unread[0].as_py()!r}, which is not a date in the format {mapping.date_format}.",
            "Correct date_format in the mapping, or list the text under missing.",
        )
    return parsed


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _valid(cells: Any) -> NDArray[np.bool_]:
    return np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), dtype=bool)


def _retyped(column: Column, source: str, kind: object) -> CollectionsError:
    return _retyped_name(column.name, source, kind)


def _retyped_name(name: str, source: str, kind: object) -> CollectionsError:
    remedy = "Send the column in its usual type, or correct the mapping (values, missing, date_format)."
    return refuse(Reason.SCHEMA_MISMATCH, name, f"{source} holds {kind}, which cannot be read as {name}.", remedy)
