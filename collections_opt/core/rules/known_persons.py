"""Where accounts may be worked by what is known of their persons, also from accounts that are not among those judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.eligibility import Eligibility, decided, evaluate
from collections_opt.core.rules.of_day import NOT_SPOKEN, TOO_OLD
from collections_opt.core.rules.others import OtherAccounts
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.rules.tables import RuleScope, RuleTable


def judge(
    accounts: Portfolio, known: PersonsFacts, plan: CapacityPlan, table: RuleTable, others: OtherAccounts | None = None
) -> Eligibility:
    """Return where accounts may be worked, by their own facts and by what is known of their persons' other accounts.

    Where a plan allows several contacts of a person, ``others`` says what is planned for the person's other accounts; without it
    each of them takes a share of the person's budgets.

    Raises:
        CollectionsError: as ``evaluate``.
    """
    if plan.several_contacts_per_person and others is None:
        others = known.beside(accounts)
    found = evaluate(accounts, plan, table, others)
    all_known = known.bind(accounts, table, bool(plan.facts_at_most_days))
    if all_known is accounts:
        return found
    return bound_by_persons(found, all_known, plan, table, others)


def bound_by_persons(
    found: Eligibility, known: Portfolio, plan: CapacityPlan, table: RuleTable, others: OtherAccounts | None = None
) -> Eligibility:
    """Return eligibility that rules about persons narrow further, by facts of accounts that are not among those judged.

    Args:
        found: of n accounts, by their own facts.
        known: the same accounts, with what rules about persons read of all accounts of each person.
        plan: the queues.
        table: the rules.
        others: as ``evaluate``.
    """
    about = tuple(rule for rule in table.rules if rule.scope is RuleScope.PERSON and rule.in_force(known.as_of_date))
    judged = evaluate(known, plan, replace(table, rules=about), others)
    places = {reason.rule_id: code for code, reason in enumerate(found.legend, start=1)}
    code_of = np.zeros(len(judged.legend) + 1, dtype=np.uint8)
    for code, reason in enumerate(judged.legend, start=1):
        if code <= len(about) or reason in (NOT_SPOKEN, TOO_OLD):
            code_of[code] = places[reason.rule_id]
    blocked = np.where(found.blocked_by == 0, code_of[judged.blocked_by], found.blocked_by).astype(np.uint8)
    attempts = found.attempts
    if attempts is not None and judged.attempts is not None:
        fewer = (judged.attempts != 0) & ((attempts == 0) | (judged.attempts < attempts))
        attempts = np.where(fewer, judged.attempts, attempts)
    return decided(replace(found, blocked_by=blocked, attempts=attempts))
