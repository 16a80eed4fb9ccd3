"""What came back of a simulated month's defaults, as a lender would know it years later."""

from __future__ import annotations

import numpy as np

from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.value.outcomes import DEFAULT
from collections_opt.datasets.simulated_lender.lender import LenderMonth

DAYS_TO_DEFAULT, WORKOUT_DAYS = 30, 3 * 365
"""The world decides by the month, and its recoveries are those of the whole workout."""


def recovered_accounts(month: LenderMonth) -> RecoveredAccounts:
    """Return the accounts that defaulted in the month after a month end, with what was owed and what came back."""
    rows = month.snapshot.outcome == DEFAULT
    raw = month.snapshot.raw
    defaulted = np.datetime64(raw.as_of_date, "D") + np.full(int(rows.sum()), DAYS_TO_DEFAULT)
    return RecoveredAccounts(
        month.log.account_id[rows],
        defaulted,
        np.asarray(raw.columns["balance_minor"][rows], dtype=np.int64),
        month.recovery_minor[rows],
        defaulted + WORKOUT_DAYS,
    )
