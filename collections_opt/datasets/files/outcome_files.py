"""What happened after the as-of date, from a CSV or Parquet file; for evaluation only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.known_outcomes import KnownOutcomes

COLUMNS = {
    "account_id": (pa.string(), "the lender's id of the account"),
    "cash_minor": (pa.int64(), "money paid in the evaluation period, in minor units"),
    "cured": (pa.bool_(), "whether the account cured"),
    "rolled_worse": (pa.bool_(), "whether it ended in a worse bucket"),
}
"""Columns of an outcomes file, with type and meaning; all required, no empty cells."""


def read_outcomes(path: Path) -> KnownOutcomes:
    """Return the outcomes of a file (.csv or .parquet) with the columns of ``COLUMNS``; further columns are not read.

    Raises:
        CollectionsError: NOT_FOUND for a missing file; INVALID_ARGUMENT for another format or an empty cell; SCHEMA_MISMATCH
            naming the column that is missing or of another type.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "is not a file.", "Check the path.")
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise refuse(Reason.INVALID_ARGUMENT, path.name, f"{path.suffix!r} files are not read.", "Send .csv or .parquet.")
    try:
        table = readers[path.suffix.lower()](path)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise refuse(Reason.SCHEMA_MISMATCH, path.name, f"cannot be read: {error}.", _remedy()) from error
    cells = {name: _cells(table, name, kind) for name, (kind, _) in COLUMNS.items()}
    return KnownOutcomes(
        np.array([text.encode() for text in cells["account_id"].to_pylist()] or [b""][:0], dtype="S"),
        np.asarray(cells["cash_minor"].to_numpy(zero_copy_only=False), dtype=np.int64),
        np.asarray(cells["cured"].to_numpy(zero_copy_only=False), dtype=np.bool_),
        np.asarray(cells["rolled_worse"].to_numpy(zero_copy_only=False), dtype=np.bool_),
    )


def _read_csv(path: Path) -> Any:
    types = {name: kind for name, (kind, _) in COLUMNS.items()}
    return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(column_types=types))


def _read_parquet(path: Path) -> Any:
    return pyarrow.parquet.read_table(path)


def _cells(table: Any, name: str, kind: Any) -> Any:
    if name not in table.column_names:
        raise refuse(Reason.SCHEMA_MISMATCH, name, "is not in the outcomes file.", _remedy())
    try:
        cells = pc.cast(table.column(name).combine_chunks(), kind)
    except pa.ArrowException as error:
        raise _retyped(name, str(error)) from error
    if cells.null_count:
        row = int(np.flatnonzero(~cells.is_valid().to_numpy(zero_copy_only=False))[0])
        raise refuse(Reason.INVALID_ARGUMENT, name, f"is empty in row {row}.", "Give every account a value, or drop its row.")
    return cells


def _retyped(name: str, problem: str) -> CollectionsError:
    return refuse(Reason.SCHEMA_MISMATCH, name, f"cannot be read: {problem}.", _remedy())


def _remedy() -> str:
    return "Send " + "; ".join(f"{name} ({kind}): {meaning}" for name, (kind, meaning) in COLUMNS.items()) + "."
