"""What leaving people alone costs, solved with and without them, beside what the prices of the whole problem predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collections_opt.core.experiments.arms import Arm, Arms
from collections_opt.core.experiments.power import WorkedPersons, expected_cost
from collections_opt.core.experiments.recorded import offered
from collections_opt.core.problem.assignment import UNASSIGNED, SolveOptions
from collections_opt.core.ranking.ordering import surplus_minor
from collections_opt.solvers import SOLVERS
from tests.support.solving.instances import realistic


@dataclass(frozen=True)
class CostRuns:
    """Costs of draws: predicted before any, and solved for each; minor units.

    Attributes:
        least, low, high, most: as ``ExpectedCost``.
        solved: float64 (r,) objective without anybody left alone, less that with each draw's people left alone.
    """

    least: int
    low: int
    high: int
    most: int
    solved: np.ndarray

    @property
    def within(self) -> float:
        """Share of draws whose solved cost lies between the lower end of the interval and the upper end of the most."""
        return float(((self.solved >= self.low) & (self.solved <= self.high)).mean())


def cost_runs(accounts: int, queues: int, draws: int, share: float, seed: int = 5) -> CostRuns:
    """Draw who is left alone again and again, and solve what is left each time from the prices at hand."""
    problem = realistic(accounts, queues, seed)
    whole = SOLVERS["pricing"](problem, SolveOptions())
    everyone = np.arange(accounts)
    margin = surplus_minor(problem, whole.prices, slice(None))
    margin = np.where(problem.value > 0, margin, -np.inf)
    best = margin.argmax(axis=1)
    worked = np.flatnonzero(margin[everyone, best] > 0)
    assert abs(worked.size - (whole.queue != UNASSIGNED).sum()) <= 2 * queues + 20
    surplus = np.rint(margin[worked, best[worked]]).astype(np.int64)
    increment = problem.value[worked, best[worked]].astype(np.int64)
    told = expected_cost(WorkedPersons(surplus, increment), share, worked.size)
    generator = np.random.default_rng(seed + 1)
    options = SolveOptions(warm_prices=whole.prices)
    solved = np.empty(draws)
    for at in range(draws):
        arm = np.where(generator.random(accounts) < share, int(Arm.HELD_OUT), int(Arm.CONTACT)).astype(np.uint8)
        nobody, none = np.zeros(0, dtype=np.int64), np.zeros((0, queues), dtype=np.uint64)
        arms = Arms(np.ones(accounts, np.uint8), arm, np.array([round(share * 1e9)]), np.zeros(1, dtype=bool), nobody, none)
        solved[at] = whole.objective_minor - SOLVERS["pricing"](offered(problem, arms), options).objective_minor
    return CostRuns(told.least_minor, told.low_minor, told.high_minor, told.most_minor, solved)
