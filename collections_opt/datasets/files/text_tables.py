"""Small tables (CSV or Parquet) as columns of text, and the numbers, dates and codes in them; faults name the cell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.contact_log import LogSource
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

Table = Mapping[str, pd.Series]
"""Columns of stripped text, "" where a cell is empty."""

SIMULATED = "simulated"
"""Column that marks the rows of a simulated lender; without it a file is taken for a real one."""

_YES = ("1", "true", "yes")


def read_text_table(path: Path, required: tuple[str, ...], what: str) -> Table:
    """Return a CSV or Parquet file as columns of text.

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH naming the missing columns.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "cannot be read.", f"Name an existing {what}.")
    is_parquet = path.suffix == ".parquet"
    table = pd.read_parquet(path) if is_parquet else pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = tuple(
        FieldViolation(name, "the file has no such column.", "Send it, empty where it does not apply.")
        for name in required
        if name not in table.columns
    )
    if missing:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"The {what} lacks {len(missing)} column(s).", missing)
    return {name: table[name].astype("string").fillna("").str.strip() for name in table.columns}


def source_of(path: Path, table: Table) -> LogSource:
    """Return where a table came from, and whether it says that a simulated lender wrote it."""
    simulated = SIMULATED in table and bool(table[SIMULATED].str.lower().isin(_YES).any())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return LogSource(path.name, digest, len(next(iter(table.values()))), simulated)


def ids(table: Table, name: str = "account_id") -> NDArray[np.bytes_]:
    """Return a column as UTF-8 bytes (n,)."""
    found = np.array([value.encode() for value in table[name].tolist()], dtype="S")
    return found if found.size else np.empty(0, dtype="S1")


def mapped(table: Table, name: str, known: dict[str, int] | dict[str, bool], lower: bool = True) -> NDArray[np.float64]:
    """Return the values that a column's codes stand for, float64 (n,); ``lower`` takes codes in any case.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an unknown code.
    """
    plain = table[name].str.lower() if lower else table[name]
    values = plain.map(known)
    wrong = np.flatnonzero(values.isna().to_numpy())
    if wrong.size:
        shown, allowed = str(plain.iloc[int(wrong[0])])[:40], ", ".join(key or "(empty)" for key in known)
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", f"{shown!r} is not known.", f"Use one of: {allowed}.")
    return np.asarray(values.to_numpy(dtype=np.float64), dtype=np.float64)


def numbers(table: Table, name: str, count: int) -> NDArray[np.float64]:
    """Return a column as float64 (n,), NaN where it is empty or the file has none.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a cell that is no number.
    """
    if name not in table:
        return np.full(count, np.nan)
    values = pd.to_numeric(table[name].replace("", None), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(values) & (table[name] != "").to_numpy())
    if wrong.size:
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", "is not a number.", "Send a number, or leave it empty.")
    return values


def whole_money(table: Table, name: str) -> NDArray[np.int64]:
    """Return a column of money as int64 (n,) minor units.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an empty cell or one that is no whole number.
    """
    values = numbers(table, name, len(table[name]))
    wrong = np.flatnonzero(np.isnan(values) | (values != np.rint(values)))
    if wrong.size:
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", "is not a whole number.", "Send minor units.")
    return values.astype(np.int64)


def days(table: Table, name: str) -> NDArray[np.datetime64]:
    """Return a column of dates, datetime64[D] (n,).

    Raises:
        CollectionsError: INVALID_ARGUMENT for a cell that is no date.
    """
    values = pd.to_datetime(table[name].str.replace(" 00:00:00", "", regex=False), format="%Y-%m-%d", errors="coerce")
    wrong = np.flatnonzero(values.isna().to_numpy())
    if wrong.size:
        shown = str(table[name].iloc[int(wrong[0])])[:40]
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", f"{shown!r} is not a date.", "Send YYYY-MM-DD.")
    return values.to_numpy().astype("datetime64[D]")
