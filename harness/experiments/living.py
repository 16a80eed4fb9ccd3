"""A simulated lender that lives as it is worked: each month is seen, worked by somebody's decisions, and comes about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.contact_log import NO_QUEUE
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS
from collections_opt.datasets.simulated_lender.lender import join_months
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes, revealed, stay_values


@dataclass(frozen=True)
class Came:
    """What came of a month, by its rows: right_party bool (n,), outcome int64 (n,), cash int64 (n,) minor units."""

    right_party: NDArray[np.bool_]
    outcome: NDArray[np.int64]
    cash: NDArray[np.int64]


class LivingLender:
    """A lender whose months come about by decisions from outside; its random numbers are the same whoever decides."""

    def __init__(self, lender: SimulatedLender) -> None:
        self._lender = lender
        self._lives = [lender.life(block) for block in range(-(-lender.account_count // BLOCK_ACCOUNTS))]

    def portfolio(self) -> RawPortfolio:
        """Return the late accounts of the month as the lender's records have them."""
        return join_months([self._lender.described(life.late(), block) for block, life in enumerate(self._lives)]).snapshot.raw

    def truth(self, plan: CapacityPlan) -> PotentialOutcomes:
        """Return what each late account would do under every action, by the rows of ``portfolio``."""
        values = stay_values(self._lender.parameters, self._lender.form, 0)
        parts = [revealed(self._lender, life.late(), plan, values) for life in self._lives]
        names = PotentialOutcomes.__dataclass_fields__
        return PotentialOutcomes(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def would_reach(self, queue: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return whom a contact by int16 (n,) queue of each would reach, by the rows of ``portfolio``; nobody without a queue."""
        seen = [life.late() for life in self._lives]
        rate = np.concatenate([one.behaviour.right_party_rate for one in seen])
        luck = np.concatenate([one.draws.uniform[4] for one in seen])
        return (queue >= 0) & (luck < rate[np.arange(queue.size), np.maximum(queue, 0)])

    def settle(self, queue: NDArray[np.int16], contacted: NDArray[np.bool_]) -> Came:
        """Let the month come about: int16 (n,) queue and bool (n,) contacted, by the rows of ``portfolio``."""
        ends = np.cumsum([0, *(life.late().rows.size for life in self._lives)])
        decided = np.where(contacted, queue, NO_QUEUE).astype(np.int16)
        done = [
            life.settle(decided[start:stop], contacted[start:stop])
            for life, start, stop in zip(self._lives, ends[:-1], ends[1:], strict=True)
        ]
        return Came(
            np.concatenate([one.right_party for one in done]),
            np.concatenate([one.outcome for one in done]).astype(np.int64),
            np.concatenate([one.cash for one in done]).astype(np.int64),
        )
