"""A month of delinquent accounts with what happened next: what models train on and rankings are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.evaluation.comparison import RealisedOutcomes
from collections_opt.core.value.outcomes import CURE


@dataclass(frozen=True)
class Snapshot:
    """Delinquent accounts at one month's statement and, apart from them, what happened next.

    Attributes:
        raw: the columns, in file order.
        outcome: int64 (n,), CURE, DEFAULT or STAY, by the end of the next month.
        cash_minor: int64 (n,) paid in the next month.
        rolled_worse: bool (n,), later by more months than at the snapshot.
    """

    raw: RawPortfolio
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64]
    rolled_worse: NDArray[np.bool_]

    def rows_of(self, portfolio: Portfolio) -> NDArray[np.int64]:
        """Return the snapshot's row of every account of a portfolio, int64 (n,).

        Raises:
            KeyError: when the portfolio holds an account that the snapshot does not.
        """
        ids = np.array(self.raw.columns["account_id"].tolist(), dtype="S")
        order = np.argsort(ids)
        found = np.searchsorted(ids[order], portfolio.column("account_id"))
        rows = np.asarray(order[np.minimum(found, ids.size - 1)], dtype=np.int64)
        if not np.array_equal(ids[rows], portfolio.column("account_id")):
            raise KeyError("the portfolio holds accounts that are not in the snapshot")
        return rows

    def realised_for(self, portfolio: Portfolio) -> RealisedOutcomes:
        """Return what happened, aligned with a portfolio's rows.

        Raises:
            KeyError: when the portfolio holds an account that the snapshot does not.
        """
        rows = self.rows_of(portfolio)
        return RealisedOutcomes(self.cash_minor[rows], self.outcome[rows] == CURE, self.rolled_worse[rows])
