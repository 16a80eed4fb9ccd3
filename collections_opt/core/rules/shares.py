"""A person's budget where several accounts of the person may be worked: shared among them, each as if all were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope

Mask = NDArray[np.bool_]


def shares_of(
    portfolio: Portfolio, plan: CapacityPlan, persons: Persons | None, others: NDArray[np.int64] | None
) -> NDArray[np.int64] | int:
    """Return among how many accounts a person's budget is shared, int64 (n,): one where each person is contacted once."""
    if not plan.several_contacts_per_person:
        return 1
    mine = np.ones(portfolio.account_count, dtype=np.int64) if persons is None else persons.account_count[persons.of]
    return mine if others is None else mine + others


def shared(
    rule: Rule, inside: Mask, shares: NDArray[np.int64] | int, persons: Persons | None, plan: CapacityPlan
) -> tuple[Mask, NDArray[np.int64] | int]:
    """Return where a rule binds, bool (n,), and its ``shares_of``.

    A budget that a person's accounts share binds all of them if it binds one: what is planned for the others counts.
    """
    if rule.scope is RuleScope.ACCOUNT:
        return inside, 1
    if persons is None or rule.kind is not RuleKind.BUDGET or not plan.several_contacts_per_person:
        return inside, shares
    return persons.any_of(inside), shares
