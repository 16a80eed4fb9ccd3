"""Accounts with everything that money depends on: probabilities, eligibility, payoffs, and the increment of every cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import AssignmentProblem
from collections_opt.core.rules.eligibility import Eligibility, RuleTable, evaluate
from collections_opt.core.value.effects import ContactEffects, PlannedEffects
from collections_opt.core.value.losses import LossesOf
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import Payoffs, ValueParameters, payoffs
from collections_opt.core.value.valuation import expected_recovery, value_matrix


@dataclass(frozen=True)
class ValuedAccounts:
    """Accounts valued under one plan; n accounts, q queues.

    Attributes:
        portfolio: the accounts.
        outcomes: probabilities without contact, on the recorded grid.
        eligibility: the blocking rule of every cell.
        worth: payoffs per outcome.
        problem: increments, times and capacities.
    """

    portfolio: Portfolio
    outcomes: OutcomeProbabilities
    eligibility: Eligibility
    worth: Payoffs
    problem: AssignmentProblem

    def recovery_without_contact_minor(self) -> NDArray[np.int64]:
        """Return V(0), rounded, int64 (n,) minor units."""
        return np.rint(expected_recovery(self.outcomes.probability, self.worth)).astype(np.int64)


def value_accounts(
    portfolio: Portfolio,
    outcomes: OutcomeProbabilities,
    plan: CapacityPlan,
    rules: RuleTable,
    parameters: ValueParameters,
    effects_of: Callable[[Portfolio, CapacityPlan], ContactEffects] = PlannedEffects,
    losses_of: LossesOf | None = None,
    eligibility: Eligibility | None = None,
) -> ValuedAccounts:
    """Value scored accounts; the same inputs give the same cells as in a ranking. ``losses_of`` is as in ``rank``.

    ``eligibility`` is given where more is known of persons than these accounts say; None judges the accounts by themselves.

    Raises:
        CollectionsError: VALUE_OVERFLOW, as ``value_matrix``.
    """
    eligibility = evaluate(portfolio, plan, rules) if eligibility is None else eligibility
    worth = payoffs(portfolio, parameters, losses_of)
    matrix = value_matrix(outcomes, effects_of(portfolio, plan), eligibility, plan, worth, parameters)
    problem = AssignmentProblem(matrix.increment, matrix.seconds, plan.capacity_seconds)
    return ValuedAccounts(portfolio, outcomes, eligibility, worth, problem)
