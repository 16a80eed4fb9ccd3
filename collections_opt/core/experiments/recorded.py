"""Experiments as a ranking names them, and what follows for whoever is in them: what is offered, and with which chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.arms import Arms, arms_of
from collections_opt.core.experiments.design import SHARE_SCALE, ExperimentDesign
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem
from collections_opt.core.problem.exploration import Exploration, propensities_nano


@dataclass(frozen=True)
class RunningExperiments:
    """The experiments that a ranking of a portfolio is part of, in the order of their ids."""

    portfolio_id: str
    designs: tuple[ExperimentDesign, ...]

    def arms(self, portfolio: Portfolio) -> Arms | None:
        """Return the arms of the portfolio's accounts, None without an experiment."""
        return arms_of(portfolio, self.portfolio_id, self.designs)


NO_EXPERIMENTS = RunningExperiments("", ())


def offered(problem: AssignmentProblem, arms: Arms | None) -> AssignmentProblem:
    """Return the problem in which who is left alone may go nowhere; the minutes stay, for others."""
    if arms is None or not arms.held_out.any():
        return problem
    value = problem.value.copy()
    value[np.flatnonzero(arms.held_out)] = INELIGIBLE
    return replace(problem, value=value)


def with_draws(
    plain: NDArray[np.int64],
    arms: Arms,
    problem: AssignmentProblem,
    exploration: Exploration | None,
    decided: Sequence[NDArray[np.int16]],
) -> NDArray[np.int64]:
    """Return int64 (n,) in 1e-9: the chance of each account's decision over the draws of experiments too.

    With a chance h a person is left alone; else the policy decides as ``plain`` says. Who is left alone would have been with that
    chance in either case, so not being contacted has the chance h + (1 - h) P(not contacted | not left alone).

    Args:
        plain: chance of each decision given the arm.
        arms: of the accounts.
        problem: the whole one, before anybody was left out.
        exploration: accounts drawn for contact, None without a reserve.
        decided: int16 (n,) the queue taken, and the queue that prices choose for whoever is not drawn.
    """
    taken, intended = decided
    nobody = np.full(taken.size, UNASSIGNED, dtype=np.int16)
    if exploration is None:
        alone = np.where(intended == UNASSIGNED, SHARE_SCALE, 0).astype(np.int64)
    else:
        alone = propensities_nano(problem, exploration, intended, nobody)
    chance = arms.chance_nano
    given = np.where(arms.held_out, alone, plain)
    shared = (SHARE_SCALE - chance) * given // SHARE_SCALE
    return np.where(arms.experiment == 0, plain, shared + np.where(taken == UNASSIGNED, chance, 0)).astype(np.int64)
