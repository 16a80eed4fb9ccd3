"""What accounts are valued by, and the one way to value them: a ranking, a check of it and every question about it agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import AssignmentProblem
from collections_opt.core.rules.eligibility import Eligibility, RuleTable, evaluate
from collections_opt.core.value.effects import ContactEffects
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import NOTHING_LEARNED, LearnedValues, ValueParameters, payoffs
from collections_opt.core.value.valuation import value_matrix
from collections_opt.core.value.valued_accounts import ValuedAccounts


@dataclass(frozen=True)
class ValueBasis:
    """What accounts are valued by.

    Attributes:
        plan: queues, their times and costs.
        rules: eligibility rules.
        parameters: value model.
        learned: what models say in place of plan and parameters.
    """

    plan: CapacityPlan
    rules: RuleTable
    parameters: ValueParameters
    learned: LearnedValues = NOTHING_LEARNED

    def under(self, plan: CapacityPlan | None = None, rules: RuleTable | None = None) -> ValueBasis:
        """Return the same under another plan or other rules."""
        return replace(self, plan=plan or self.plan, rules=rules or self.rules)

    def knowing(self, effects: ContactEffects) -> ValueBasis:
        """Return the same for accounts whose effects under its plan are at hand already."""
        return replace(self, learned=replace(self.learned, effects_of=lambda _portfolio, _plan: effects))


def value_accounts(
    portfolio: Portfolio, outcomes: OutcomeProbabilities, basis: ValueBasis, eligibility: Eligibility | None = None
) -> ValuedAccounts:
    """Value scored accounts; the same inputs give the same cells as in a ranking.

    Args:
        portfolio: n accounts.
        outcomes: their probabilities without contact, on the recorded grid.
        basis: what they are valued by; q queues.
        eligibility: given where more is known of persons than these accounts say; None judges the accounts by themselves.

    Raises:
        CollectionsError: VALUE_OVERFLOW, as ``value_matrix``.
    """
    plan = basis.plan
    eligibility = evaluate(portfolio, plan, basis.rules) if eligibility is None else eligibility
    worth = payoffs(portfolio, basis.parameters, basis.learned)
    matrix = value_matrix(outcomes, basis.learned.effects_of(portfolio, plan), eligibility, plan, worth, basis.parameters)
    problem = AssignmentProblem(matrix.increment, matrix.seconds, plan.capacity_seconds)
    return ValuedAccounts(portfolio, outcomes, eligibility, worth, problem)
