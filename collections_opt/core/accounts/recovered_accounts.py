"""What came back of charged-off accounts: one row each, beside portfolios that describe them before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import frozen
from collections_opt.core.errors import Reason, refuse

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class RecoveredAccounts:
    """Charged-off accounts, n rows.

    Attributes:
        account_id: bytes (n,), each once.
        charged_off_on: datetime64[D] (n,) the default.
        exposure_minor: int64 (n,) exposure at default, above 0.
        recovered_minor: int64 (n,) money recovered from the default to ``recovered_until``, net of what recovering cost but not
            of labour (which the ranking prices), discounted to the default; may be negative.
        recovered_until: datetime64[D] (n,) the day up to which it counts.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming the column and the first row at fault.
    """

    account_id: NDArray[np.bytes_]
    charged_off_on: Days
    exposure_minor: NDArray[np.int64]
    recovered_minor: NDArray[np.int64]
    recovered_until: Days

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        _, first = np.unique(self.account_id, return_index=True)
        repeated = np.ones(self.row_count, dtype=bool)
        repeated[first] = False
        for name, wrong, remedy in (
            ("account_id", repeated, "Send each account once."),
            ("exposure_at_default_minor", self.exposure_minor <= 0, "Send what was owed at the default, in minor units."),
            ("recovered_until", self.recovered_until < self.charged_off_on, "Count recoveries from the default on."),
        ):
            rows = np.flatnonzero(wrong)
            if rows.size:
                raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{rows[0]}]", f"{rows.size} row(s) are at fault.", remedy)

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return int(self.account_id.shape[0])

    @property
    def workout_days(self) -> NDArray[np.int64]:
        """Days over which recoveries count, int64 (n,)."""
        return (self.recovered_until - self.charged_off_on).astype(np.int64)
