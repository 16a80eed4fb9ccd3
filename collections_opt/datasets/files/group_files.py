"""Group files of customers: who belongs to which protected group. Read for the fair-treatment report and for nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.fair_treatment import UNKNOWN_GROUP
from collections_opt.datasets.credit_card import load_accounts

ACCOUNT_COLUMN = "account_id"
MAX_GROUPS = 50
"""Values of one attribute; more is an id or a date in the wrong column."""


def read_groups(path: Path, account_id: NDArray[np.bytes_]) -> dict[str, NDArray[np.str_]]:
    """Return every attribute of a CSV or Parquet file, aligned with accounts; those not in the file are a group of their own.

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH without ``account_id`` or an attribute; INVALID_ARGUMENT for an account named
            twice or an attribute with more than 50 values.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "cannot be read.", "Name an existing group file.")
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str, keep_default_na=False)
    return align_groups(table, account_id)


def align_groups(table: pd.DataFrame, account_id: NDArray[np.bytes_]) -> dict[str, NDArray[np.str_]]:
    """Return the attributes of a table, as ``read_groups``."""
    if ACCOUNT_COLUMN not in table.columns or len(table.columns) < 2:
        raise refuse(
            Reason.SCHEMA_MISMATCH, ACCOUNT_COLUMN, "or an attribute is missing.", "Send account_id and a column per attribute."
        )
    ids = table[ACCOUNT_COLUMN].astype(str)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        raise refuse(Reason.INVALID_ARGUMENT, ACCOUNT_COLUMN, f"{twice!r} is there twice.", "Send one row per account.")
    wanted = pd.Index([value.decode() for value in account_id.tolist()])
    result = {}
    for name in table.columns.drop(ACCOUNT_COLUMN):
        values = pd.Series(table[name].astype(str).to_numpy(), index=ids).reindex(wanted).fillna(UNKNOWN_GROUP)
        if values.nunique() > MAX_GROUPS:
            raise refuse(
                Reason.INVALID_ARGUMENT,
                str(name),
                f"has {values.nunique()} values; at most {MAX_GROUPS}.",
                "Send groups, not values.",
            )
        result[str(name)] = values.to_numpy(dtype=np.str_)
    return result


def bundled_groups() -> pd.DataFrame:
    """Return the groups of the bundled credit-card accounts: SEX, EDUCATION, MARRIAGE and AGE in bands. Evaluation only."""
    accounts = load_accounts()
    names = {
        "SEX": {1: "male", 2: "female"},
        "EDUCATION": {1: "graduate school", 2: "university", 3: "high school"},
        "MARRIAGE": {1: "married", 2: "single"},
    }
    table = {ACCOUNT_COLUMN: accounts["ID"].map("UCI-{:06d}".format)}
    table |= {column: accounts[column].map(known).fillna("other") for column, known in names.items()}
    bands = pd.cut(accounts["AGE"], [0, 24, 34, 44, 54, 200], labels=["to 24", "25 to 34", "35 to 44", "45 to 54", "55 and over"])
    return pd.DataFrame({**table, "AGE": bands.astype(str)})
