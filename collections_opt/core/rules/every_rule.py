"""What every rule that binds an account says of one contact: a gate tells all, where a ranking keeps the strictest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.fact_ages import too_old
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.rules.facts import blocked_by_facts, budget_left
from collections_opt.core.rules.places import in_jurisdiction
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleStatus, RuleTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RuleStanding:
    """What one rule says of a contact with each of n accounts.

    Attributes:
        rule: the rule; one that is only proposed stands too, and blocks nothing.
        inside: bool (n,) accounts that it binds where they are.
        blocks: bool (n,) accounts whose facts it forbids to contact, where it binds.
        old: bool (n,) accounts of which it reads facts that are older than the plan allows.
        left: float64 (n,) contacts that a budget leaves before this one; None of other rules.
    """

    rule: Rule
    inside: Mask
    blocks: Mask
    old: Mask
    left: NDArray[np.float64] | None

    @property
    def is_proposed(self) -> bool:
        """Whether it is kept to be tried, and blocks nothing."""
        return self.rule.status is RuleStatus.PROPOSED


def every_rule(portfolio: Portfolio, queue: Queue, plan: CapacityPlan, table: RuleTable) -> Iterator[RuleStanding]:
    """Yield what each rule of a day that reaches a queue says of its contacts; rules of hours have a clock of their own.

    The queue's own limits are left out. Where each person is contacted once, every block of ``evaluate`` by a rule is
    among these.

    Args:
        portfolio: n accounts, with all accounts of each person.
        queue: who would make the contact.
        plan: how old facts may be.
        table: the rules.

    Raises:
        CollectionsError: as ``blocked_by_facts``.
    """
    persons = persons_of(portfolio)
    states = portfolio.column("state")
    for rule in table.rules:
        dated = replace(rule, status=RuleStatus.UNSTATED) if rule.status is RuleStatus.PROPOSED else rule
        if rule.kind is RuleKind.HOURS or not dated.in_force(portfolio.as_of_date):
            continue
        if not rule.reaches(queue.channel, queue.specialisms, queue.automated):
            continue
        inside = in_jurisdiction(states, rule.jurisdictions, table.strict_places)
        bound = persons if rule.scope is RuleScope.PERSON else None
        if rule.kind is RuleKind.BUDGET and bound is not None:  # contacts about a person count where any of their debts is bound
            inside = bound.any_of(inside)
        if not inside.any():
            continue
        planned = queue.least_attempts if rule.kind is RuleKind.BUDGET else 0.0
        blocks = inside & blocked_by_facts(rule, portfolio, persons, planned)
        old = too_old(portfolio, rule.column, plan.facts_at_most_days)
        left = budget_left(rule, portfolio, persons) if rule.kind is RuleKind.BUDGET else None
        yield RuleStanding(rule, inside, blocks, inside & (old if bound is None else bound.any_of(old)), left)
