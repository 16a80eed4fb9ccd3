"""Accounts with everything that money depends on: probabilities, eligibility, payoffs, and the increment of every cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.arms import Arms
from collections_opt.core.experiments.recorded import drawable, offered
from collections_opt.core.problem.assignment import AssignmentProblem, SideConstraints
from collections_opt.core.rules.eligibility import Eligibility
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import Payoffs
from collections_opt.core.value.valuation import expected_recovery


@dataclass(frozen=True)
class ValuedAccounts:
    """Accounts valued under one plan; n accounts, q queues.

    Attributes:
        portfolio: the accounts.
        outcomes: probabilities without contact, on the recorded grid.
        eligibility: the blocking rule of every cell.
        worth: payoffs per outcome.
        problem: increments, times and capacities; of all accounts, left alone or not.
        arms: who is in experiments, None where there are none.
    """

    portfolio: Portfolio
    outcomes: OutcomeProbabilities
    eligibility: Eligibility
    worth: Payoffs
    problem: AssignmentProblem
    arms: Arms | None = None

    @cached_property
    def offered(self) -> AssignmentProblem:
        """The problem to solve: whom an experiment leaves alone may go nowhere, and whose queue it draws there alone."""
        return offered(self.problem, self.arms)

    @cached_property
    def drawable(self) -> AssignmentProblem:
        """The problem of which an exploration reserve draws: without people whose queues an experiment draws."""
        return drawable(self.offered, self.arms)

    def bound_by(self, side: SideConstraints | None, persons: Persons | None, arms: Arms | None = None) -> ValuedAccounts:
        """Return the same with what binds accounts together: rows beside the queues, one account per person, experiments."""
        return replace(self, problem=replace(self.problem, side=side, persons=persons), arms=arms)

    def recovery_without_contact_minor(self) -> NDArray[np.int64]:
        """Return V(0), rounded, int64 (n,) minor units."""
        return np.rint(expected_recovery(self.outcomes.probability, self.worth)).astype(np.int64)
