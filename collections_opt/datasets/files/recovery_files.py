"""Recoveries from files: one row per charged-off account, with what was owed at default and what came back by a day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.datasets.files.text_tables import SIMULATED, TextTable, days, ids, read_text_table, source_of, whole_money

WHAT = "recoveries file"
COLUMNS = ("account_id", "charged_off_on", "exposure_at_default_minor", "net_recovered_minor", "recovered_until")


def read_sourced_recoveries(path: Path) -> tuple[RecoveredAccounts, LogSource]:
    """Return a file as recovered accounts, and where it came from.

    Columns: account_id; charged_off_on and recovered_until (YYYY-MM-DD); exposure_at_default_minor and net_recovered_minor
    (minor units; net of what recovering cost, discounted to the charge-off, may be negative).

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH naming missing columns; INVALID_ARGUMENT naming column and row, also as
            ``RecoveredAccounts``.
    """
    text = read_text_table(path, COLUMNS, WHAT)
    return _parsed(text), source_of(path, text)


def _parsed(text: TextTable) -> RecoveredAccounts:
    exposure, recovered = whole_money(text, "exposure_at_default_minor"), whole_money(text, "net_recovered_minor")
    return RecoveredAccounts(ids(text), days(text, "charged_off_on"), exposure, recovered, days(text, "recovered_until"))


def recoveries_table(recovered: RecoveredAccounts, simulated: bool = False) -> pd.DataFrame:
    """Return recovered accounts as the table that ``read_sourced_recoveries`` reads; simulated ones say so in every row."""
    table = pd.DataFrame(
        {
            "account_id": [value.decode() for value in recovered.account_id.tolist()],
            "charged_off_on": np.datetime_as_string(recovered.charged_off_on, unit="D"),
            "exposure_at_default_minor": recovered.exposure_minor,
            "net_recovered_minor": recovered.recovered_minor,
            "recovered_until": np.datetime_as_string(recovered.recovered_until, unit="D"),
        }
    )
    return table.assign(**{SIMULATED: 1}) if simulated else table
