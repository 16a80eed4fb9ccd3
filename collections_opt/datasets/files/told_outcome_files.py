"""What became of a portfolio's accounts, from a file of a lender's own systems."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from collections_opt.core.outcomes.terms import Outcome, ToldOutcomes
from collections_opt.datasets.files.text_tables import days, ids, mapped, read_text_table, whole_money

COLUMNS = ("account_id", "outcome", "outcome_date")
CASH = "cash_minor"
"""Column of money paid by the horizon; a file need not have it."""

TOLD = {outcome.name: int(outcome) for outcome in Outcome if outcome is not Outcome.NOT_SEEN}


def read_told_outcomes(path: Path) -> ToldOutcomes:
    """Return the rows of a file (.csv or .parquet) with the columns of ``COLUMNS`` and perhaps ``CASH``; others are not read.

    Raises:
        CollectionsError: as ``read_text_table``; INVALID_ARGUMENT naming every cell at fault with its line.
    """
    table = read_text_table(path, COLUMNS, "outcomes file")
    outcome = mapped(table, "outcome", TOLD, lower=False).astype(np.int64)
    day = days(table, "outcome_date").astype("datetime64[D]").astype(np.int64)
    cash = whole_money(table, CASH) if CASH in table else np.full(outcome.size, -1, dtype=np.int64)
    return ToldOutcomes(ids(table), outcome, day, cash)
