"""What a lender's contact log holds: whom the desk meant to work, whether it did, by what chance, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import frozen
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NO_QUEUE = -1
"""Queue of an account-month that no queue was meant to work."""


@dataclass(frozen=True)
class LogSource:
    """Where a log came from, for whoever reads figures that rest on it.

    Attributes:
        name: of the file.
        digest: SHA-256 of its bytes, hex.
        row_count: rows.
        simulated: whether the file says that a simulated lender wrote it.
    """

    name: str
    digest: str
    row_count: int
    simulated: bool


@dataclass(frozen=True)
class ContactLog:
    """One row per account-month; columns aligned by row.

    Where a randomised holdout drew, both draws' chances are recorded: ``queue_propensity`` that this queue was drawn,
    ``propensity`` that the account was then contacted. Where the desk chose, both are NaN, and differences between contacted and
    uncontacted accounts are not effects: hard cases get more calls.

    Attributes:
        queue_ids: ids of the queues that ``queue`` indexes.
        account_id: bytes (n,).
        queue: int16 (n,) queue meant to work the account, ``NO_QUEUE`` for none.
        contacted: bool (n,) the queue made its attempts; False among randomised rows is the holdout.
        right_party: bool (n,) the person was reached; False where not contacted.
        propensity: float64 (n,) recorded chance of being contacted by this queue, NaN where it was not randomised.
        queue_propensity: float64 (n,) recorded chance that this queue was drawn, NaN where it was not randomised.
        outcome: int64 (n,) CURE, DEFAULT or STAY by the horizon.
        cash_minor: int64 (n,) money paid by the horizon.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming the column and the first row at fault.
    """

    queue_ids: tuple[str, ...]
    account_id: NDArray[np.bytes_]
    queue: NDArray[np.int16]
    contacted: Mask
    right_party: Mask
    propensity: Floats
    queue_propensity: Floats
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in self.columns:
            object.__setattr__(self, name, frozen(getattr(self, name)))
            if getattr(self, name).shape != self.account_id.shape:
                raise refuse(Reason.INVALID_ARGUMENT, name, "has another number of rows than account_id.", "Send whole rows.")
        randomised = self.randomised
        for name, wrong, remedy in (
            ("queue", (self.queue < NO_QUEUE) | (self.queue >= len(self.queue_ids)), "Index queue_ids, or -1 for none."),
            ("contacted", self.contacted & (self.queue == NO_QUEUE), "Name the queue that contacted."),
            ("right_party", self.right_party & ~self.contacted, "A person is reached by a contact only."),
            (
                "propensity",
                ~((self.propensity > 0) & (self.propensity < 1)) & randomised,
                "Send a chance inside (0, 1), or none.",
            ),
            (
                "queue_propensity",
                ~((self.queue_propensity > 0) & (self.queue_propensity <= 1)) & randomised,
                "Send the chance of the queue drawn with every recorded propensity.",
            ),
            ("queue", randomised & (self.queue == NO_QUEUE), "A randomised row names the queue that was drawn."),
            ("outcome", ~np.isin(self.outcome, (CURE, DEFAULT, STAY)), "Send 0 cure, 1 default, 2 stay."),
            ("cash_minor", self.cash_minor < 0, "Send money paid, in minor units."),
        ):
            rows = np.flatnonzero(wrong)
            if rows.size:
                raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{rows[0]}]", f"{rows.size} row(s) are at fault.", remedy)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the row columns."""
        return tuple(name for name in self.__dataclass_fields__ if name != "queue_ids")

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return int(self.account_id.shape[0])

    @property
    def randomised(self) -> Mask:
        """Where a holdout drew and recorded its chance, bool (n,)."""
        return ~np.isnan(self.propensity)

    def take(self, rows: NDArray[np.int64] | Mask | slice) -> ContactLog:
        """Return some rows."""
        return ContactLog(self.queue_ids, **{name: getattr(self, name)[rows] for name in self.columns})


def join_logs(logs: Sequence[ContactLog]) -> ContactLog:
    """Return logs of the same queues one after another.

    Raises:
        CollectionsError: INVALID_ARGUMENT when they name different queues or there is none.
    """
    if not logs or any(log.queue_ids != logs[0].queue_ids for log in logs):
        raise refuse(Reason.INVALID_ARGUMENT, "queue_ids", "the logs name different queues.", "Map them to one list of queues.")
    return ContactLog(
        logs[0].queue_ids, **{name: np.concatenate([getattr(log, name) for log in logs]) for name in logs[0].columns}
    )
