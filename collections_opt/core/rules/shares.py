"""A person's budget where several accounts of the person may be worked: shared among them, each as if all were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.others import OtherAccounts
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """How much of a budget an account may take; each a number for all accounts, or an array (n,).

    Attributes:
        of: among how many accounts what is left is shared.
        planned: attempts that are planned for other accounts and count as made.
        most: attempts that an account may be offered at most.
    """

    of: NDArray[np.int64] | int = 1
    planned: Floats | float = 0.0
    most: Floats | float = np.inf

    def needed(self, attempts: float) -> Floats:
        """Return what must be left of the budget for a queue that makes so many attempts on each account."""
        return np.asarray(self.planned + np.float64(attempts) * self.of, dtype=np.float64)

    def offered(self, left: Floats) -> Floats:
        """Return the attempts that may be offered of what a budget leaves, float64 (n,)."""
        return np.minimum(np.floor((left - self.planned) / self.of), self.most)


def shares_of(
    portfolio: Portfolio, plan: CapacityPlan, persons: Persons | None, others: OtherAccounts | None
) -> NDArray[np.int64] | int:
    """Return among how many accounts a person's budget is shared, int64 (n,): one where each person is contacted once."""
    if not plan.several_contacts_per_person:
        return 1
    if others is not None:
        return others.share
    return np.ones(portfolio.account_count, dtype=np.int64) if persons is None else persons.account_count[persons.of]


def shared(
    rule: Rule,
    inside: Mask,
    shares: NDArray[np.int64] | int,
    persons: Persons | None,
    plan: CapacityPlan,
    others: OtherAccounts | None = None,
    strict_places: bool = True,
) -> tuple[Mask, Share]:
    """Return where a rule binds, bool (n,), and what of it an account may take.

    A budget that a person's accounts share binds all of them if it binds one: what is planned for the others counts.
    """
    if rule.scope is RuleScope.ACCOUNT:
        return inside, Share()
    if rule.kind is not RuleKind.BUDGET or not plan.several_contacts_per_person:
        return inside, Share(shares)
    if others is not None:
        inside = inside | others.inside(rule, strict_places)
    inside = inside if persons is None else persons.any_of(inside)
    return inside, Share(shares) if others is None else Share(shares, others.attempts(rule, plan), others.most)
