"""Which account may be worked in which queue, decided before the solver from rules that are data, never code branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.fact_ages import too_old
from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import among, distinct
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.rules.call_hours import FREE, NO_HOURS, CallHours, Places
from collections_opt.core.rules.facts import blocked_by_facts, budget_left
from collections_opt.core.rules.of_day import (
    NO_MINUTE,
    NOT_SPOKEN,
    QUEUE_REASONS,
    TOO_OLD,
    BlockReason,
    RuleOfFacts,
    RulesOfDay,
    reason_of,
    rules_of_day,
)
from collections_opt.core.rules.others import OtherAccounts
from collections_opt.core.rules.places import in_jurisdiction
from collections_opt.core.rules.shares import Share, shared, shares_of
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleTable

__all__ = [
    "LAST_BUCKET",
    "QUEUE_REASONS",
    "BlockReason",
    "Eligibility",
    "Rule",
    "RuleKind",
    "RuleScope",
    "RuleTable",
    "bucket_of",
    "evaluate",
    "in_jurisdiction",
    "lifts_on",
    "next_eligible_date",
    "reason_of",
]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Eligibility:
    """The blocking rule of every cell.

    Attributes:
        blocked_by: uint8 (n, q); 0 is eligible, k blocks by ``legend[k - 1]``.
        legend: the reasons.
        version: version of the rule table.
        attempts: uint8 (n, q) attempts that a queue whose attempts may shrink is left by budgets; 0 where it makes all of them,
            or may not work the account. None where no queue's attempts may shrink.
        hours: when each cell may be contacted; None where no rule in force and no queue speaks of hours.
    """

    blocked_by: NDArray[np.uint8]
    legend: tuple[BlockReason, ...]
    version: str
    attempts: NDArray[np.uint8] | None = None
    hours: CallHours | None = None

    def offered(self, rows: slice, queue: int) -> NDArray[np.uint8] | None:
        """Return a queue's column of ``attempts`` for some rows, uint8 (m,); None where no attempts may shrink."""
        return None if self.attempts is None else self.attempts[rows, queue]

    def call_window(self, row: int, queue: int) -> tuple[int, int] | None:
        """Return the minutes of the day in which an account may be contacted, by the queue's clocks; None where not known."""
        return None if self.hours is None or self.blocked_by[row, queue] else self.hours.window(row, queue)

    def allowed(self, rows: slice | NDArray[np.int64]) -> Mask:
        """Return where accounts may be worked, bool (m, q)."""
        return np.asarray(self.blocked_by[rows] == 0, dtype=bool)

    @property
    def any_allowed(self) -> Mask:
        """True for accounts that at least one queue may work, bool (n,)."""
        return np.asarray((self.blocked_by == 0).any(axis=1), dtype=bool)

    def reason(self, row: int, queue: int) -> BlockReason | None:
        """Return the rule that blocks a cell, or None."""
        code = int(self.blocked_by[row, queue])
        return self.legend[code - 1] if code else None


LAST_BUCKET = 6
"""Holds everyone 180 or more days past due."""


def bucket_of(days_past_due: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket: 0 for 1-29 days past due, 1 for 30-59, ... capped at 6 (180 and more)."""
    return np.minimum(days_past_due // 30, LAST_BUCKET)


def evaluate(portfolio: Portfolio, plan: CapacityPlan, table: RuleTable, others: OtherAccounts | None = None) -> Eligibility:
    """Apply the rules in force on the as-of date; where several block a cell the strictest is recorded.

    Strictest is: lifts only when the data change, then the longest wait; ties by rule id. Where the plan allows several contacts
    per person, a budget of persons counts what is planned for each of a person's accounts.

    Args:
        portfolio: n accounts.
        plan: the queues.
        table: the rules.
        others: accounts that the persons have beside these; None where there are none.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a rule names a column that its kind cannot read, or too many are in force.
    """
    found = rules_of_day(plan, table, portfolio.as_of_date)
    persons = persons_of(portfolio) if found.binds_persons else None
    blocked = np.zeros((portfolio.account_count, len(plan.queues)), dtype=np.uint8)
    attempts = np.zeros_like(blocked) if any(queue.least_attempts < queue.attempts for queue in plan.queues) else None
    old = np.zeros(blocked.shape, dtype=bool) if plan.facts_at_most_days else None
    shares = shares_of(portfolio, plan, persons, others)
    states, place = distinct(portfolio.column("state"))
    binding, everyone = found.binding(states), np.ones(portfolio.account_count, dtype=bool)
    for each in found.by_facts:
        rule = each.rule
        inside = everyone if each.everywhere else binding[each.code - 1][place]
        inside, share = shared(rule, inside, shares, persons, plan, others, table.strict_places)
        if not inside.any():
            continue
        _block_facts(blocked, each, inside, portfolio, persons, plan, share)
        if attempts is not None and rule.kind is RuleKind.BUDGET:
            left = np.where(inside, share.offered(budget_left(rule, portfolio, persons)), np.inf)
            _offer(attempts, left, each, plan)
        if old is not None:
            _mark_old(old, each, inside, portfolio, persons, plan)
    hours, reasons = _block_hours(blocked, portfolio, (states, place), binding, found)
    _block_queue_limits(blocked, len(found.rules) + 1, portfolio, plan, persons, found.personal)
    legend = found.legend + QUEUE_REASONS + reasons
    legend += _block_unspoken(blocked, len(legend) + 1, portfolio, persons, plan)
    if old is not None:
        legend += (TOO_OLD,)
        blocked[old & (blocked == 0)] = len(legend)
    return decided(Eligibility(blocked, legend, table.version, attempts, hours))


def decided(found: Eligibility) -> Eligibility:
    """Return eligibility read-only, with no attempts offered where a rule blocks."""
    if found.attempts is not None:
        found.attempts[found.blocked_by != 0] = 0
        found.attempts.flags.writeable = False
    found.blocked_by.flags.writeable = False
    return found


def next_eligible_date(reason: BlockReason, portfolio: Portfolio, row: int) -> date | None:
    """Return the first date on which the block of an account lifts by itself, or None if it lifts only when the data change.

    A wait lifts on the day after its last, counted from the event's day, which is day 1. Of a budget only the count is known and
    not its days: the date is that on which all of it has passed.
    """
    if reason.wait_days:
        if not portfolio.is_present(reason.column)[row]:
            return None
        return portfolio.as_of_date + timedelta(days=reason.wait_days + 1 - int(portfolio.column(reason.column)[row]))
    return portfolio.as_of_date + timedelta(days=reason.next_eligible_days) if reason.next_eligible_days else None


def lifts_on(found: Eligibility, portfolio: Portfolio, row: int, queue: int) -> date | None:
    """Return the first date on which the block of a cell lifts by itself, None if data or plan must change, or nothing blocks it.

    As ``next_eligible_date``; a block by hours lifts on the first day on which they meet the queue's windows.
    """
    reason = found.reason(row, queue)
    if reason is None:
        return None
    if reason.by_hours and found.hours is not None:
        return found.hours.next_day(row, queue, portfolio.as_of_date)
    return next_eligible_date(reason, portfolio, row)


def _block_hours(
    blocked: NDArray[np.uint8], portfolio: Portfolio, states: Places, binding: Mask, found: RulesOfDay
) -> tuple[CallHours | None, tuple[BlockReason, ...]]:
    """Block cells that the law leaves no minute of the queue's windows; return when the others may be contacted."""
    at = [code - 1 for code in found.hours]
    hours = found.hours_at(portfolio.time_zone).of(portfolio, states, binding[at])
    if hours is None or not hours.planned.any():
        return hours, ()
    if bool((hours.rule == FREE).all()):
        return hours, (NO_MINUTE,)
    code_of = {NO_HOURS: len(found.rules) + len(QUEUE_REASONS) + 1, **dict(enumerate(found.hours))}
    for place, code in code_of.items():
        stopped = hours.rule == place
        for index in np.flatnonzero(stopped.any(axis=0)).tolist():
            _block(blocked, index, stopped[hours.group, index], code)
    return hours, (NO_MINUTE,)


def _block_facts(
    blocked: NDArray[np.uint8],
    each: RuleOfFacts,
    inside: Mask,
    portfolio: Portfolio,
    persons: Persons | None,
    plan: CapacityPlan,
    share: Share,
) -> None:
    """Block the cells, uint8 (n, q), whose facts a rule forbids where it binds, bool (n,)."""
    hits: dict[float, Mask | None] = {}
    budget = each.rule.kind is RuleKind.BUDGET
    for index in each.reached:
        planned = plan.queues[index].least_attempts if budget else 0.0
        if planned not in hits:
            needed = share.needed(planned) if budget else 0.0
            hit = inside & blocked_by_facts(each.rule, portfolio, persons, needed)
            hits[planned] = hit if hit.any() else None
        mask = hits[planned]
        if mask is not None:
            _block(blocked, index, mask, each.code)


def _block(blocked: NDArray[np.uint8], queue: int, mask: Mask, code: int) -> None:
    column = blocked[:, queue]
    column[mask & (column == 0)] = code


def _mark_old(
    old: Mask, each: RuleOfFacts, inside: Mask, portfolio: Portfolio, persons: Persons | None, plan: CapacityPlan
) -> None:
    """Mark the cells, bool (n, q), of which a rule reads facts that are too old."""
    mine = too_old(portfolio, each.rule.column, plan.facts_at_most_days)
    if each.rule.scope is RuleScope.PERSON and persons is not None:
        mine = persons.any_of(mine)
    for index in each.reached:
        old[:, index] |= inside & mine


def _offer(attempts: NDArray[np.uint8], left: NDArray[np.float64], each: RuleOfFacts, plan: CapacityPlan) -> None:
    """Lower attempts of queues that a budget reaches, uint8 (n, q) with 0 for all, to the fewer that it leaves, float64 (n,)."""
    for index in each.reached:
        queue = plan.queues[index]
        if queue.least_attempts < queue.attempts:
            column = attempts[:, index]
            fewer = (left >= 1) & (left < np.where(column == 0, queue.attempts, column))
            column[fewer] = left[fewer].astype(np.uint8)


def _block_unspoken(
    blocked: NDArray[np.uint8], code: int, portfolio: Portfolio, persons: Persons | None, plan: CapacityPlan
) -> tuple[BlockReason, ...]:
    """Block queues, of those that say what they speak, where the person chose, on any debt, another language; an unknown is none.

    Returns what is added to the legend.
    """
    if not any(queue.languages for queue in plan.queues):
        return ()
    chosen = portfolio.column("language")
    for index, queue in enumerate(plan.queues):
        if queue.languages:
            outside = (chosen != b"") & ~np.isin(chosen, np.array([each.encode() for each in queue.languages]))
            _block(blocked, index, outside if persons is None else persons.any_of(outside), code)
    return (NOT_SPOKEN,)


def _block_queue_limits(
    blocked: NDArray[np.uint8],
    first_code: int,
    portfolio: Portfolio,
    plan: CapacityPlan,
    persons: Persons | None,
    personal: frozenset[str],
) -> None:
    """Block where a queue's own limits exclude an account, with codes in the order of ``QUEUE_REASONS``."""
    outside: dict[tuple[int, object], Mask] = {}
    bucket = bucket_of(portfolio.column("days_past_due"))

    def of_queue(queue: Queue) -> Iterator[tuple[int, object, Callable[[], Mask]]]:
        if queue.products:
            codes = np.array([code.encode() for code in queue.products], dtype="S")
            yield 0, queue.products, lambda: ~among(portfolio.column("product"), codes)
        if queue.buckets:
            yield 1, queue.buckets, lambda: ~among(bucket, np.array(queue.buckets))
        if queue.states:  # an unknown state is not licensed: in_jurisdiction reads it as inside, so it is taken out here
            states = portfolio.column("state")
            yield 2, queue.states, lambda: ~(in_jurisdiction(states, queue.states) & (states != b""))
        if queue.specialist_only:
            yield 3, queue.specialisms, lambda: ~_served(portfolio, queue.specialisms, persons, personal)

    for index, queue in enumerate(plan.queues):
        for place, limit, find in of_queue(queue):
            if (place, limit) not in outside:
                outside[place, limit] = find()
            if outside[place, limit].any():
                _block(blocked, index, outside[place, limit], first_code + place)


def _served(portfolio: Portfolio, specialisms: tuple[str, ...], persons: Persons | None, personal: frozenset[str]) -> Mask:
    """Return the accounts of some specialisms, bool (n,)."""
    served = np.zeros(portfolio.account_count, dtype=bool)
    for name in specialisms:
        marked = portfolio.column(name)
        served |= persons.any_of(marked) if persons is not None and name in personal else marked
    return served
