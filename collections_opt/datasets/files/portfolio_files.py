"""A lender's CSV or Parquet file as a ``RawPortfolio``, chunk by chunk, by a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.portfolio import RawPortfolio
from collections_opt.core.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.datasets.files.column_readers import Cells, numbers, read_column
from collections_opt.datasets.files.mappings import DATE_READINGS, ColumnMapping, FileMapping, check_mapping

CHUNK_ROWS = 65_536
_CSV_BLOCK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class FileReading:
    """What came out of a file.

    Attributes:
        raw: the portfolio, rows in file order.
        row_count: rows of the file.
        kept_count: rows that passed the mapping's filters; equals the rows of ``raw``.
        ignored_columns: columns of the file that the mapping does not read.
        absent_columns: optional schema columns whose source the file does not have; missing for every account.
    """

    raw: RawPortfolio
    row_count: int
    kept_count: int
    ignored_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]


@dataclass(frozen=True)
class _OpenFile:
    names: tuple[str, ...]
    chunks: Iterator[pa.Table]


def read_portfolio(path: Path, mapping: FileMapping, as_of_date: date | None = None) -> FileReading:
    """Read a file (.csv, .txt as CSV, or .parquet) in chunks of about 65,536 rows.

    Args:
        path: the file.
        mapping: which column feeds which schema column.
        as_of_date: the day the file describes; takes precedence over the mapping's.

    Raises:
        CollectionsError: NOT_FOUND for a missing file; INVALID_ARGUMENT for another format, a broken file or no as-of date;
            SCHEMA_MISMATCH, naming field and remedy, for a missing, repeated or retyped column and for unlisted codes.
    """
    check_mapping(mapping)
    day = as_of_date or mapping.as_of_date
    if day is None:
        raise refuse(Reason.INVALID_ARGUMENT, "as_of_date", "neither the call nor the mapping gives one.", "Pass the file's day.")
    needed = _needed(mapping)
    try:
        file = _open(path, mapping, needed)
        absent = _absent(mapping, file.names)
        used = {name: column for name, column in mapping.columns.items() if name not in absent}
        parts, row_count = _read_chunks(file.chunks, mapping, used, day)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        remedy = "Check that the file is complete and that its columns hold the types the mapping reads."
        reason = Reason.SCHEMA_MISMATCH if "conversion error" in str(error) else Reason.INVALID_ARGUMENT
        raise refuse(reason, path.name, f"cannot be read: {error}.", remedy) from error
    columns, present = _joined(used, parts)
    raw = RawPortfolio(day, mapping.time_zone, mapping.currency_code, columns, present, mapping.country_code)
    ignored = tuple(name for name in file.names if name not in needed)
    return FileReading(raw, row_count, int(columns["account_id"].shape[0]), ignored, tuple(absent))


def _needed(mapping: FileMapping) -> tuple[str, ...]:
    sources = [source for column in mapping.columns.values() for source in column.needs]
    return tuple(dict.fromkeys([*sources, *(rule.source for rule in mapping.keep)]))


def _open(path: Path, mapping: FileMapping, needed: tuple[str, ...]) -> _OpenFile:
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "is not a file.", "Check the path.")
    readers = {".parquet": _open_parquet, ".csv": _open_csv, ".txt": _open_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise refuse(
            Reason.INVALID_ARGUMENT, path.name, f"{path.suffix!r} files are not read.", "Send .csv, .txt (as CSV) or .parquet."
        )
    file = reader(path, mapping, needed)
    repeated = sorted({name for name in file.names if file.names.count(name) > 1 and name in needed})
    if repeated:
        raise refuse(Reason.SCHEMA_MISMATCH, repeated[0], f"occurs more than once in {path.name}.", "Rename or drop the copies.")
    return file


def _open_parquet(path: Path, _mapping: FileMapping, needed: tuple[str, ...]) -> _OpenFile:
    file = pyarrow.parquet.ParquetFile(path)
    names = tuple(file.schema_arrow.names)
    wanted = [name for name in needed if name in names]
    batches = file.iter_batches(batch_size=CHUNK_ROWS, columns=wanted)
    return _OpenFile(names, (pa.Table.from_batches([batch]) for batch in batches))


def _open_csv(path: Path, mapping: FileMapping, needed: tuple[str, ...]) -> _OpenFile:
    """Stream a CSV; every column's type comes from the mapping, never from a guess that may change between blocks."""
    read = pyarrow.csv.ReadOptions(
        block_size=_CSV_BLOCK_BYTES,
        encoding=mapping.csv.encoding,
        use_threads=False,
        column_names=list(mapping.csv.column_names) or None,
    )
    parse = pyarrow.csv.ParseOptions(delimiter=mapping.csv.delimiter)
    texts = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(needed, pa.string()))
    with pyarrow.csv.open_csv(path, read, parse, texts) as header:
        names = tuple(header.schema.names)
    convert = pyarrow.csv.ConvertOptions(
        column_types=_csv_types(mapping),
        include_columns=[name for name in needed if name in names],
        null_values=[""],  # texts for "no value" are the column's own affair: another column may hold them as values
        decimal_point=mapping.csv.decimal_point,
    )
    stream = pyarrow.csv.open_csv(path, read, parse, convert)
    return _OpenFile(names, (pa.Table.from_batches([batch]) for batch in stream))


def _csv_types(mapping: FileMapping) -> dict[str, Any]:
    """Return the Arrow type per source: text where texts, codes, dates or texts for "no value" are read, else numbers."""
    types: dict[str, Any] = {rule.source: pa.float64() for rule in mapping.keep}
    for name, column in mapping.columns.items():
        kind = _csv_type(ACCOUNT_SCHEMA[name].kind, column)
        for source in column.needs:
            if types.get(source, kind) != kind:
                raise refuse(
                    Reason.SCHEMA_MISMATCH,
                    name,
                    f"{source} is read as {kind} here and as {types[source]} elsewhere.",
                    "Pick one.",
                )
            types[source] = kind
    return types


def _csv_type(kind: ColumnKind, column: ColumnMapping) -> Any:
    if kind is ColumnKind.TEXT or column.values or column.missing or column.reading in DATE_READINGS:
        return pa.string()
    return pa.bool_() if kind is ColumnKind.FLAG else pa.float64()


def _absent(mapping: FileMapping, names: tuple[str, ...]) -> list[str]:
    """Return the optional columns the file lacks; refuse what a portfolio cannot do without, all at once."""
    absent: list[str] = []
    found: list[FieldViolation] = []
    for name, column in mapping.columns.items():
        lacking = [source for source in column.needs if source not in names]
        # A history with a hole would shift its months, so it is refused like a required column.
        if lacking and (ACCOUNT_SCHEMA[name].required or column.sources):
            found.append(
                FieldViolation(name, f"the file has no column {lacking[0]}.", f"Send {lacking[0]}, or map {name} differently.")
            )
        elif lacking:
            absent.append(name)
    found.extend(
        FieldViolation("keep", f"the file has no column {rule.source}.", f"Send {rule.source}, or drop the filter.")
        for rule in mapping.keep
        if rule.source not in names
    )
    if found:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"The file lacks {len(found)} column(s).", tuple(found))
    return absent


def _read_chunks(
    chunks: Iterator[pa.Table], mapping: FileMapping, used: dict[str, ColumnMapping], day: date
) -> tuple[dict[str, list[Cells]], int]:
    parts: dict[str, list[Cells]] = {name: [] for name in used}
    row_count = 0
    for chunk in chunks:
        row_count += chunk.num_rows
        kept = chunk.filter(pa.array(_kept(chunk, mapping)))
        for name, column in used.items():
            parts[name].append(read_column(ACCOUNT_SCHEMA[name], column, kept, day))
    return parts, row_count


def _kept(chunk: pa.Table, mapping: FileMapping) -> NDArray[np.bool_]:
    kept = np.ones(chunk.num_rows, dtype=bool)
    for rule in mapping.keep:
        values, present = numbers("keep", rule.source, chunk.column(rule.source).combine_chunks())
        low = -np.inf if rule.at_least is None else rule.at_least
        high = np.inf if rule.at_most is None else rule.at_most
        kept &= present & (values >= low) & (values <= high)
    return kept


def _joined(
    used: dict[str, ColumnMapping], parts: dict[str, list[Cells]]
) -> tuple[dict[str, Array], dict[str, NDArray[np.bool_]]]:
    columns: dict[str, Array] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    for name, cells in parts.items():
        if not cells:
            columns[name] = _empty(name, used[name])
            continue
        columns[name] = np.concatenate([values for values, _ in cells])
        mask = np.concatenate([mask for _, mask in cells])
        if not mask.all():
            present[name] = mask
    return columns, present


def _empty(name: str, column: ColumnMapping) -> Array:
    kind = ACCOUNT_SCHEMA[name].kind
    dtypes = {ColumnKind.TEXT: np.dtype(object), ColumnKind.FLAG: np.dtype(bool), ColumnKind.RATE: np.dtype(np.float64)}
    shape = (0, len(column.sources)) if ACCOUNT_SCHEMA[name].is_history else (0,)
    return np.zeros(shape, dtype=dtypes.get(kind, np.dtype(np.int64)))
