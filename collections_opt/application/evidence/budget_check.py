"""Recorded contacts against the caps in force, by code that shares nothing with what decided them."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.evidence.findings import Check
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleStatus

_NAME = "caps"


def budget_check(opened: OpenedRanking) -> Check:
    """Return whether contacts made and attempts offered stay within every budget, for every account that is worked."""
    entries, plan = opened.entries, opened.plan
    attempts = np.zeros(entries.queue.size, dtype=np.uint8) if entries.attempts is None else entries.attempts
    wrong = _wrong_offers(entries, attempts, plan)
    if wrong:
        return Check(_NAME, False, wrong)
    portfolio = opened.portfolio
    states = portfolio.column("state")
    for rule in opened.rules.rules:
        if rule.kind is not RuleKind.BUDGET or not _binds_on(rule, portfolio.as_of_date):
            continue
        known = portfolio.is_present(rule.column) & _young_enough(portfolio, rule.column, plan)
        made = np.where(known, portfolio.column(rule.column), np.inf)
        if rule.scope is RuleScope.PERSON:
            made = _of_persons(portfolio.column("customer_id"), made)
        planned = _planned(rule, entries, attempts, plan)
        worked = planned > 0
        if rule.scope is RuleScope.PERSON:
            planned = _of_persons(portfolio.column("customer_id"), planned)
        bound = _in(states, rule.jurisdictions, opened.rules.strict_places)
        over = np.flatnonzero(worked & bound & (made + planned > rule.threshold))
        if over.size:
            account = entries.account_id[over[0]].decode()
            return Check(_NAME, False, f"{over.size} account(s) are worked over {rule.rule_id}; the first is {account}.")
    fewer = int(((entries.queue >= 0) & (attempts > 0)).sum())
    offered = f" {fewer} account(s) are offered fewer attempts than their queue makes." if fewer else ""
    return Check(_NAME, True, f"Contacts made and attempts offered stay within every cap.{offered}")


def _planned(rule: Rule, entries: Entries, attempts: NDArray[np.uint8], plan: CapacityPlan) -> NDArray[np.float64]:
    """Return the attempts that the list makes on each account and that a rule counts, float64 (n,)."""
    of_queue = np.array([queue.attempts if _reaches(rule, queue) else 0.0 for queue in plan.queues])
    all_of_them = np.where(entries.queue >= 0, of_queue[entries.queue], 0.0)
    return np.where((attempts > 0) & (all_of_them > 0), attempts, all_of_them)


def _wrong_offers(entries: Entries, attempts: NDArray[np.uint8], plan: CapacityPlan) -> str:
    for index, queue in enumerate(plan.queues):
        offered = attempts[entries.queue == index]
        may = queue.attempts_may_shrink
        if (offered > 0).any() and not (may and (offered < queue.attempts).all()):
            return f"{queue.queue_id} offers other attempts than its plan allows"
    return ""


def _young_enough(portfolio: Portfolio, column: str, plan: CapacityPlan) -> NDArray[np.bool_]:
    """Return where counts of contacts are not older than the plan's bound."""
    bounds, age = plan.facts_at_most_days, "contact_facts_days_old"
    bound = bounds[column] if column in bounds else bounds.get("contacts")
    if bound is None or age not in portfolio.columns:
        return np.ones(portfolio.account_count, dtype=bool)
    return np.asarray(portfolio.present[age] & (portfolio.columns[age] <= bound), dtype=bool)


def _binds_on(rule: Rule, day: date) -> bool:
    return rule.status is not RuleStatus.PROPOSED and rule.effective_from <= day <= (rule.effective_to or date.max)


def _reaches(rule: Rule, queue: Queue) -> bool:
    exempt = bool(rule.specialism) and rule.specialism in queue.specialisms
    return (not rule.channels or queue.channel in rule.channels) and not exempt


def _of_persons(customer_id: NDArray[np.bytes_], made: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the contacts about all debts of each account's person; an account without customer id is its own person."""
    _, person = np.unique(customer_id, return_inverse=True)
    total = np.zeros(int(person.max(initial=-1)) + 1)
    np.add.at(total, person, made)
    return np.where(customer_id == b"", made, total[person])


def _in(states: NDArray[np.bytes_], codes: tuple[str, ...], strict: bool) -> NDArray[np.bool_]:
    """Return where an account may be in one of the places; a place within a place, and, read strictly, one around it, count."""
    places = [place.decode().split("-") for place in np.unique(states).tolist()]
    inside = []
    for place in places:
        parts = [] if place == [""] else place
        within = any(parts[: len(code)] == code for code in (each.split("-") for each in codes))
        around = any(code[: len(parts)] == parts for code in (each.split("-") for each in codes))
        inside.append(not codes or not parts or within or (strict and around))
    return np.isin(states, np.unique(states)[np.array(inside, dtype=bool)])
