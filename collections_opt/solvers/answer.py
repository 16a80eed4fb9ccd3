"""From the best list found to the answer: shortages stated, bound relaxed by them, and why the solver stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import (
    PRICE_SCALE,
    Assignment,
    SideConstraints,
    SolveOptions,
    SolverIdentity,
    Termination,
)
from collections_opt.solvers.side_rows import shortages

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Incumbent:
    """The best list so far and its proof.

    Attributes:
        queue: int16 (n,) queue per account.
        worth_minor: its value minus the penalty times what its side rows are short of.
        bound_minor: no list is worth more.
        searched: True when the bound rests on a search and not on the prices alone.
    """

    queue: NDArray[np.int16]
    worth_minor: int
    bound_minor: int
    searched: bool = False

    @property
    def gap(self) -> float:
        """Relative gap proven so far; 0 when the bound is 0."""
        return (self.bound_minor - self.worth_minor) / self.bound_minor if self.bound_minor > 0 else 0.0


@dataclass(frozen=True)
class Proof:
    """Prices on the grid, (m,) and (k,), and their exact bound in ``1 / PRICE_SCALE`` minor units."""

    prices: Ints
    side_prices: Ints
    bound: int


def answer(
    side: SideConstraints | None,
    best: Incumbent,
    proof: Proof,
    side_room: Ints,
    penalty_minor: int,
    options: SolveOptions,
    deadline_fired: bool,
    identity: SolverIdentity,
) -> Assignment:
    """Return the answer for the best list.

    A list that is short in some side rows is an answer to the problem whose limits are relaxed by exactly that; its bound
    rises by the price of each unit short, or by the penalty where a search gave the bound.
    """
    missing = np.maximum(-side_room, 0)
    penalty = penalty_minor * int(missing.sum())
    objective = best.worth_minor + penalty
    relief = sum(int(p) * int(s) for p, s in zip(proof.side_prices, missing, strict=True))
    by_prices, by_search = (proof.bound + relief) // PRICE_SCALE, best.bound_minor + penalty
    searched = best.searched and by_search < by_prices
    bound = max(by_search if searched else by_prices, objective)
    gap = (bound - objective) / bound if bound > 0 else 0.0
    if deadline_fired:
        termination = Termination.DEADLINE
    elif bound == objective:
        termination = Termination.OPTIMAL
    else:
        termination = Termination.GAP_REACHED if gap <= options.gap_target else Termination.LIMIT
    return Assignment(
        queue=best.queue,
        prices=proof.prices,
        side_prices=proof.side_prices,
        objective_minor=objective,
        bound_minor=bound,
        termination=termination,
        solver=identity,
        bound_by_search=searched,
        shortages=shortages(side, side_room, proof.side_prices),
    )
