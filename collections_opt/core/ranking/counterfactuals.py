"""What would change where prices put an account: the smallest increment and the highest price at which a queue takes it.

Exact integers, so that a counterfactual flips the decision of ``placement.place`` and one unit less does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, AssignmentProblem
from collections_opt.core.problem.person_choice import NEVER, Standing, candidate_cells, rivals
from collections_opt.core.problem.person_prices import IMPOSSIBLE, highest_prices

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Counterfactuals:
    """Per account and queue, everything else as it is; m accounts, q queues, 0 and ``IMPOSSIBLE`` where ineligible.

    Attributes:
        least_increment_minor: int64 (m, q) smallest D with which prices put the account there.
        highest_price: int64 (m, q) highest price of the queue at which they do, in ``1 / PRICE_SCALE`` minor units per
            second; ``IMPOSSIBLE`` if none does.
    """

    least_increment_minor: Ints
    highest_price: Ints


def counterfactuals(problem: AssignmentProblem, margin: Ints, prices: Ints, standing: Standing | None = None) -> Counterfactuals:
    """Return what would put each account into each queue, or, for the queue it is in, what just keeps it there.

    Args:
        problem: increments and times.
        margin: int64 (m, q) of ``placement.margins``.
        prices: int64 (q,) prices that the margins were made with.
        standing: what a ranking decided, None if it decided nothing.
    """
    eligible = problem.value != INELIGIBLE
    own = _needed_margin(problem, margin)
    cells = candidate_cells(problem.value > 0, margin, standing)
    kept = np.zeros(len(margin), dtype=bool) if standing is None else standing.kept
    beside = None if standing is None else standing.beside.margin
    best = cells.max(axis=1, initial=NEVER)
    needed = np.maximum(own, rivals(problem.persons, best, best != NEVER, kept, beside).needed[:, np.newaxis])
    surplus = np.where(eligible, margin - needed, 0)
    value, seconds = problem.value.astype(np.int64), np.maximum(problem.seconds.astype(np.int64), 1)
    least = np.maximum(value - surplus // PRICE_SCALE, 1)
    if problem.persons is None and (beside is None or (beside == NEVER).all()):
        highest = np.maximum(prices + surplus // seconds, IMPOSSIBLE)
    else:
        highest = highest_prices(problem, margin, prices, own, cells, standing)
    return Counterfactuals(np.where(eligible, least, 0), np.where(problem.value > 0, highest, IMPOSSIBLE))


def _needed_margin(problem: AssignmentProblem, margin: Ints) -> Ints:
    """Return the least margin with which each queue would be chosen, int64 (m, q): positive, above the queues before it and
    not below the ones after it, as ties go to the first."""
    rivals = np.where(problem.value > 0, margin, NEVER)
    count = problem.queue_count
    needed = np.ones_like(margin)
    running = np.full(problem.account_count, NEVER, dtype=np.int64)
    for index in range(count):
        needed[:, index] = np.maximum(needed[:, index], np.where(running == NEVER, 1, running + 1))
        running = np.maximum(running, rivals[:, index])
    running = np.full(problem.account_count, NEVER, dtype=np.int64)
    for index in reversed(range(count)):
        needed[:, index] = np.maximum(needed[:, index], running)
        running = np.maximum(running, rivals[:, index])
    return needed
