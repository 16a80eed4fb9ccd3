"""What happened after the as-of date, from a file; for evaluation only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes
from collections_opt.datasets.files.text_tables import TextTable, ids, mapped, read_text_table, whole_money

COLUMNS = {
    "account_id": "the lender's id of the account",
    "cash_minor": "money paid in the evaluation period, a whole number of minor units",
    "cured": "whether the account cured, true or false",
    "rolled_worse": "whether it ended in a worse bucket, true or false",
}
"""Columns of an outcomes file with their meaning; all required, no empty cells."""

FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_outcomes(path: Path) -> KnownOutcomes:
    """Return the outcomes of a file with the columns of ``COLUMNS``; further columns are not read.

    Raises:
        CollectionsError: as ``read_text_table``; SCHEMA_MISMATCH naming the column that is missing or repeated;
            INVALID_ARGUMENT naming every cell at fault with its line.
    """
    try:
        table = read_text_table(path, tuple(COLUMNS), "outcomes file")
    except CollectionsError as error:
        if error.reason is not Reason.SCHEMA_MISMATCH:
            raise
        meaning = "; ".join(f"{name}: {told}" for name, told in COLUMNS.items())
        raise CollectionsError(error.reason, f"{error.message} Send {meaning}.", error.violations) from error
    return KnownOutcomes(ids(table), whole_money(table, "cash_minor"), _flag(table, "cured"), _flag(table, "rolled_worse"))


def _flag(table: TextTable, name: str) -> NDArray[np.bool_]:
    return mapped(table, name, FLAGS).astype(np.bool_)
