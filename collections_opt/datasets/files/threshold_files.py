"""Files of accounts around a threshold, for regression discontinuity: numbers by column name, each cell checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

Floats = NDArray[np.float64]
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return columns of a CSV or Parquet file as text.

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH naming missing columns.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "cannot be read.", "Name an existing CSV or Parquet file.")
    is_parquet = path.suffix == ".parquet"
    table = pd.read_parquet(path) if is_parquet else pd.read_csv(path, dtype=str, keep_default_na=False)
    there = ", ".join(str(name) for name in table.columns)
    missing = tuple(
        FieldViolation(name, "the file has no such column.", f"Use one of: {there}.") for name in columns if name not in table
    )
    if missing:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"{path.name} lacks {len(missing)} column(s).", missing)
    return table.loc[:, list(dict.fromkeys(columns))].astype("string").fillna("")


def numbers(table: pd.DataFrame, name: str) -> Floats:
    """Return a column as finite numbers, float64 (n,).

    Raises:
        CollectionsError: INVALID_ARGUMENT naming column and row.
    """
    values = pd.to_numeric(table[name].str.strip(), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        cell = str(table[name].iloc[int(wrong[0])])[:40]
        said = f"{cell!r} is not a number ({wrong.size} row(s))."
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", said, "Send a number in every row, or drop the row.")
    return values


def flags(table: pd.DataFrame, name: str, meaning_yes: str = "") -> NDArray[np.bool_]:
    """Return a column as yes or no, bool (n,): cells equal to ``meaning_yes``, or without it 1, 0, true, false, yes, no.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming column and row.
    """
    cells = table[name].str.strip()
    if meaning_yes:
        return np.asarray((cells == meaning_yes).to_numpy(dtype=bool))
    values = cells.str.lower().map(FLAGS)
    wrong = np.flatnonzero(values.isna().to_numpy())
    if wrong.size:
        cell = str(cells.iloc[int(wrong[0])])[:40]
        remedy = f"Use 1, 0, true, false, yes or no, or name the value that means yes: {name}=VALUE."
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", f"{cell!r} is neither yes nor no.", remedy)
    return np.asarray(values.to_numpy(dtype=bool))
