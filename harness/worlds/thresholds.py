"""A simulated lender whose desk works a queue from a threshold on: logs with a known effect, as often as wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes, potential_outcomes
from collections_opt.scoring.effect.rows import EffectPeriod

CONTACTED_ABOVE, CONTACTED_BELOW = 0.9, 0.02
JITTER = 0.3
"""Standard deviation of the logarithm of the noise on the running column: books have other balances than the pool."""


@dataclass(frozen=True)
class Pool:
    """A month of a world with its truth, from which lenders' books are drawn with replacement."""

    portfolio: Portfolio
    truth: PotentialOutcomes
    plan: CapacityPlan

    def effect_at(self, queue: int, column: str, value: float, outcome: int) -> float:
        """Return the true mean change of an outcome's chance by contact, of books' accounts right at a threshold."""
        weight = np.exp(-0.5 * ((np.log(value) - np.log(self.portfolio.column(column))) / JITTER) ** 2)
        return float(np.average((self.truth.contacted[:, queue] - self.truth.alone)[:, outcome], weights=weight))


def pool(seed: int, book: int, plan: CapacityPlan) -> Pool:
    """Return a pool of a world's first month."""
    lender = SimulatedLender(seed, book)
    lived = lender.month(0)
    portfolio = admit(lived.snapshot.raw).portfolio
    rows = lived.snapshot.rows_of(portfolio)
    whole = potential_outcomes(lender, 0, plan)
    taken = PotentialOutcomes(**{name: getattr(whole, name)[rows] for name in PotentialOutcomes.__dataclass_fields__})
    return Pool(portfolio, taken, plan)


def thresholded(made: Pool, seed: int, count: int, queue: int, column: str, value: float) -> EffectPeriod:
    """Return a book of ``count`` accounts worked by a queue from the threshold on, by nobody below; scored by the truth."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, made.portfolio.account_count, count)
    ids = np.array([f"T-{seed}-{number:07d}" for number in range(count)], dtype="S")
    columns = {name: cells[drawn] for name, cells in made.portfolio.columns.items()} | {"account_id": ids}
    columns[column] = np.rint(columns[column] * np.exp(JITTER * rng.normal(size=count))).astype(np.int64)
    shown = made.portfolio
    present = {name: mask[drawn] for name, mask in shown.present.items()}
    portfolio = Portfolio(shown.as_of_date, shown.time_zone, shown.currency_code, columns, present)
    above = columns[column] >= value
    contacted = rng.random(count) < np.where(above, CONTACTED_ABOVE, CONTACTED_BELOW)
    alone, under = made.truth.alone[drawn], made.truth.contacted[drawn, queue]
    chance = np.where(contacted[:, np.newaxis], under, alone)
    outcome = (rng.random(count)[:, np.newaxis] > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1)
    reached = contacted & (rng.random(count) < made.truth.right_party_rate[drawn, queue])
    nobody = np.full(count, np.nan)
    log = ContactLog(
        tuple(q.queue_id for q in made.plan.queues),
        ids,
        np.where(above | contacted, queue, NO_QUEUE).astype(np.int16),
        contacted,
        reached,
        nobody,
        nobody,
        outcome.astype(np.int64),
        np.zeros(count, dtype=np.int64),
    )
    scores = OutcomeProbabilities(alone, "world", "none")
    return EffectPeriod(portfolio, scores, log)
