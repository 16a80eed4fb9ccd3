"""What happened to accounts after the as-of date, by account id; evaluation only, never an input of scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import RealisedOutcomes

_SHOWN = 3


@dataclass(frozen=True)
class KnownOutcomes:
    """Outcomes in any order of accounts, one row per account.

    Attributes:
        account_id: UTF-8 bytes (k,), unique.
        cash_minor: int64 (k,) money paid.
        cured: bool (k,).
        rolled_worse: bool (k,).
    """

    account_id: NDArray[np.bytes_]
    cash_minor: NDArray[np.int64]
    cured: NDArray[np.bool_]
    rolled_worse: NDArray[np.bool_]

    def aligned(self, account_id: NDArray[np.bytes_]) -> RealisedOutcomes:
        """Return the outcomes of the accounts given, in their order; outcomes of other accounts are left out.

        Raises:
            CollectionsError: INVALID_ARGUMENT naming accounts that occur twice, or that have no outcome.
        """
        order = np.argsort(self.account_id, kind="stable")
        known = self.account_id[order]
        repeated = known[1:][known[1:] == known[:-1]]
        if repeated.size:
            raise refuse(
                Reason.INVALID_ARGUMENT, "account_id", f"occurs twice: {_names(repeated)}.", "Send one outcome per account."
            )
        found = np.minimum(np.searchsorted(known, account_id), max(known.size - 1, 0))
        lacking = account_id[known[found] != account_id] if known.size else account_id
        if lacking.size:
            problem = f"{lacking.size:,} account(s) have no outcome: {_names(lacking)}."
            raise refuse(Reason.INVALID_ARGUMENT, "account_id", problem, "Send an outcome for every account ranked.")
        rows = order[found]
        return RealisedOutcomes(self.cash_minor[rows], self.cured[rows], self.rolled_worse[rows])


def _names(account_id: NDArray[np.bytes_]) -> str:
    shown = ", ".join(one.decode("utf-8", "replace") for one in account_id[:_SHOWN].tolist())
    return shown + (", ..." if account_id.size > _SHOWN else "")
