"""Group files of customers: who belongs to which protected group. Read for reports on fairness and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.accounts.matching import IdMatch, match_ids
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.fair_treatment import UNKNOWN_GROUP
from collections_opt.datasets.credit_card import load_accounts
from collections_opt.datasets.files.cells.ids import encoded
from collections_opt.datasets.files.text_tables import ids, read_text_table

ACCOUNT_COLUMN = "account_id"
MAX_GROUPS = 50
"""Values of one attribute; more is an id or a date in the wrong column."""


@dataclass(frozen=True)
class AlignedGroups:
    """Groups of accounts, and how many of the accounts the file knows.

    Attributes:
        held: by attribute, str (n,) the group of every account.
        match: accounts found; the others are a group of their own.
    """

    held: dict[str, NDArray[np.str_]]
    match: IdMatch


@dataclass(frozen=True)
class GroupTable:
    """Groups by account: bytes (k,) ids, and by attribute str (k,) the group of each."""

    account_id: NDArray[np.bytes_]
    attributes: Mapping[str, NDArray[np.str_]]


def read_groups(path: Path, account_id: NDArray[np.bytes_]) -> AlignedGroups:
    """Return every attribute of a file, aligned with accounts (n,); those not in the file are a group of their own.

    Raises:
        CollectionsError: as ``read_text_table`` and ``match_ids``; SCHEMA_MISMATCH without ``account_id`` or an attribute, or for
            ids that came as floats; INVALID_ARGUMENT for an account named twice or an attribute with more than 50 values.
    """
    table = read_group_table(path)
    return align_groups(table.account_id, table.attributes, account_id, path.name)


def read_group_table(path: Path) -> GroupTable:
    """Return a group file as it stands.

    Raises:
        CollectionsError: as ``read_text_table``.
    """
    table = read_text_table(path, (ACCOUNT_COLUMN,), "group file")
    attributes = [name for name in table.columns if name != ACCOUNT_COLUMN]
    return GroupTable(ids(table), {name: np.array(table.texts(name).to_pylist(), dtype=np.str_) for name in attributes})


def align_groups(
    known: NDArray[np.bytes_], attributes: Mapping[str, NDArray[np.str_]], account_id: NDArray[np.bytes_], what: str
) -> AlignedGroups:
    """Return the attributes of known accounts (k,) aligned with accounts (n,), as ``read_groups``."""
    if not attributes:
        raise refuse(Reason.SCHEMA_MISMATCH, ACCOUNT_COLUMN, "stands alone.", "Send account_id and a column per attribute.")
    order = np.argsort(known, kind="stable")
    ordered = known[order]
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        shown = twice[0].decode("utf-8", "replace")
        raise refuse(Reason.INVALID_ARGUMENT, ACCOUNT_COLUMN, f"{shown!r} is there twice.", "Send one row per account.")
    match = match_ids(account_id, known, what)
    place = np.minimum(np.searchsorted(ordered, account_id), max(known.size - 1, 0))
    found = ordered[place] == account_id if known.size else np.zeros(account_id.size, dtype=bool)
    held: dict[str, NDArray[np.str_]] = {}
    for name, values in attributes.items():
        count = np.unique(values).size
        if count > MAX_GROUPS:
            problem = f"has {count} values; at most {MAX_GROUPS}."
            raise refuse(Reason.INVALID_ARGUMENT, name, problem, "Send groups, not values.")
        filled = np.full(account_id.size, UNKNOWN_GROUP, dtype=object)
        filled[found] = values[order[place[found]]]
        held[name] = filled.astype(np.str_)
    return AlignedGroups(held, match)


def bundled_groups(account_id: NDArray[np.bytes_]) -> AlignedGroups:
    """Return the groups of the bundled credit-card accounts: SEX, EDUCATION, MARRIAGE and AGE in bands. Evaluation only.

    Raises:
        CollectionsError: as ``align_groups``.
    """
    accounts = load_accounts()
    names = {
        "SEX": {1: "male", 2: "female"},
        "EDUCATION": {1: "graduate school", 2: "university", 3: "high school"},
        "MARRIAGE": {1: "married", 2: "single"},
    }
    known = encoded(accounts["ID"].map("UCI-{:06d}".format))
    table = {column: accounts[column].map(codes).fillna("other").to_numpy(dtype=np.str_) for column, codes in names.items()}
    bands = pd.cut(accounts["AGE"], [0, 24, 34, 44, 54, 200], labels=["to 24", "25 to 34", "35 to 44", "45 to 54", "55 and over"])
    table["AGE"] = bands.astype(str).to_numpy(dtype=np.str_)
    return align_groups(known, table, account_id, "the bundled groups")
