"""Which account may be worked in which queue, decided before the solver from rules that are data, never code branches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.fact_ages import too_old
from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_RULES
from collections_opt.core.rules.call_hours import NO_HOURS, CallHours, Places, call_hours
from collections_opt.core.rules.facts import blocked_by_facts, budget_left
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
class BlockReason:
    """A rule as it stands in a ranking's legend: id, version, sentence, source, and when its block lifts.

    A wait has the ``column`` of its event's day and its ``wait_days``; its block lifts on the day after them. When a block
    ``by_hours`` lifts depends on the queue: ``lifts_on``.
    """

    rule_id: str
    version: int
    description: str
    source: str
    next_eligible_days: int = 0
    column: str = ""
    wait_days: int = 0
    by_hours: bool = False


QUEUE_REASONS: tuple[BlockReason, ...] = (
    BlockReason("queue.product", 1, "The queue does not serve this product.", "capacity plan"),
    BlockReason("queue.bucket", 1, "The queue does not serve this bucket.", "capacity plan"),
    BlockReason("queue.state", 1, "The queue is not licensed in this jurisdiction.", "capacity plan"),
    BlockReason("queue.specialist", 1, "The queue works only accounts of its specialism.", "capacity plan"),
)


NO_MINUTE = BlockReason("queue.hours", 1, "The queue's windows hold no minute of this day.", "capacity plan", by_hours=True)
"""In the legend only of plans that know their windows: an archive of before has the legend that it was made with."""


NOT_SPOKEN = BlockReason("queue.language", 1, "The queue does not speak the language that the person chose.", "capacity plan")
"""In the legend only of plans that know the languages of their teams."""

TOO_OLD = BlockReason(
    "facts.too-old", 1, "Facts that a rule reads are older than the plan allows, or of no known age.", "capacity plan"
)
"""In the legend only of plans that bound the age of facts."""


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
    in_force = [rule for rule in table.rules if rule.in_force(portfolio.as_of_date)]
    in_force.sort(key=lambda rule: (_wait(rule) != 0, -_wait(rule), rule.rule_id))
    if len(in_force) > MAX_RULES:
        what = f"{len(in_force)} rules are in force on {portfolio.as_of_date}."
        raise refuse(Reason.INVALID_ARGUMENT, "rules", what, f"Keep at most {MAX_RULES}.")
    binds_persons = any(rule.scope is RuleScope.PERSON for rule in in_force) or any(queue.languages for queue in plan.queues)
    persons = persons_of(portfolio) if binds_persons else None
    blocked = np.zeros((portfolio.account_count, len(plan.queues)), dtype=np.uint8)
    attempts = np.zeros_like(blocked) if any(queue.least_attempts < queue.attempts for queue in plan.queues) else None
    old = np.zeros(blocked.shape, dtype=bool) if plan.facts_at_most_days else None
    shares = shares_of(portfolio, plan, persons, others)
    states, place = np.unique(portfolio.column("state"), return_inverse=True)
    by_facts = [(code, rule) for code, rule in enumerate(in_force, start=1) if rule.kind is not RuleKind.HOURS]
    for code, rule in by_facts:
        inside = in_jurisdiction(states, rule.jurisdictions, table.strict_places)[place]
        inside, share = shared(rule, inside, shares, persons, plan, others, table.strict_places)
        if not inside.any():
            continue
        _block_facts(blocked, code, rule, inside, portfolio, persons, plan, share)
        if attempts is not None and rule.kind is RuleKind.BUDGET:
            left = np.where(inside, share.offered(budget_left(rule, portfolio, persons)), np.inf)
            _offer(attempts, left, rule, plan)
        if old is not None:
            _mark_old(old, rule, inside, portfolio, persons, plan)
    hours, reasons = _block_hours(blocked, portfolio, (states, place), plan, in_force, table.strict_places)
    personal = {rule.column for rule in in_force if rule.scope is RuleScope.PERSON}
    for index, queue in enumerate(plan.queues):
        limits = _queue_limits(portfolio, queue, persons, personal)
        for offset, outside in enumerate(limits, start=len(in_force) + 1):
            _block(blocked, index, outside, offset)
    legend = tuple(reason_of(rule, portfolio.as_of_date) for rule in in_force) + QUEUE_REASONS + reasons
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


def _wait(rule: Rule) -> int:
    return rule.threshold if rule.kind is RuleKind.WAIT else rule.next_eligible_days


def reason_of(rule: Rule, day: date) -> BlockReason:
    """Return a rule as a reason of blocks on a day; a count of the calendar month starts anew on the first of the next."""
    column_read = ACCOUNT_SCHEMA.get(rule.column)
    lasts = _days_to_next_month(day) if column_read is not None and column_read.by_month else rule.next_eligible_days
    waits = rule.kind is RuleKind.WAIT
    days, column = (rule.threshold, rule.column) if waits else (0, "")
    by_hours = rule.kind is RuleKind.HOURS
    return BlockReason(rule.rule_id, rule.version, rule.description, rule.source, lasts, column, days, by_hours)


def _days_to_next_month(day: date) -> int:
    return ((day.replace(day=1) + timedelta(days=32)).replace(day=1) - day).days


def _block_hours(
    blocked: NDArray[np.uint8],
    portfolio: Portfolio,
    states: Places,
    plan: CapacityPlan,
    in_force: list[Rule],
    strict_places: bool,
) -> tuple[CallHours | None, tuple[BlockReason, ...]]:
    """Block cells that the law leaves no minute of the queue's windows; return when the others may be contacted."""
    codes = [code for code, rule in enumerate(in_force, start=1) if rule.kind is RuleKind.HOURS]
    hours = call_hours(portfolio, states, plan.queues, [in_force[code - 1] for code in codes], strict_places)
    if hours is None or not hours.planned.any():
        return hours, ()
    code_of = {NO_HOURS: len(in_force) + len(QUEUE_REASONS) + 1, **dict(enumerate(codes))}
    for place, code in code_of.items():
        stopped = hours.rule == place
        for index in np.flatnonzero(stopped.any(axis=0)).tolist():
            _block(blocked, index, stopped[hours.group, index], code)
    return hours, (NO_MINUTE,)


def _block_facts(
    blocked: NDArray[np.uint8],
    code: int,
    rule: Rule,
    inside: Mask,
    portfolio: Portfolio,
    persons: Persons | None,
    plan: CapacityPlan,
    share: Share,
) -> None:
    """Block the cells, uint8 (n, q), whose facts a rule forbids where it binds, bool (n,)."""
    hits: dict[float, Mask] = {}
    for index, queue in enumerate(plan.queues):
        if not rule.reaches(queue.channel, queue.specialisms, queue.automated):
            continue
        planned = queue.least_attempts if rule.kind is RuleKind.BUDGET else 0.0
        if planned not in hits:
            hits[planned] = inside & blocked_by_facts(rule, portfolio, persons, share.needed(planned))
        _block(blocked, index, hits[planned], code)


def _block(blocked: NDArray[np.uint8], queue: int, mask: Mask, code: int) -> None:
    column = blocked[:, queue]
    column[mask & (column == 0)] = code


def _mark_old(old: Mask, rule: Rule, inside: Mask, portfolio: Portfolio, persons: Persons | None, plan: CapacityPlan) -> None:
    """Mark the cells, bool (n, q), of which a rule reads facts that are too old."""
    mine = too_old(portfolio, rule.column, plan.facts_at_most_days)
    if rule.scope is RuleScope.PERSON and persons is not None:
        mine = persons.any_of(mine)
    for index, queue in enumerate(plan.queues):
        if rule.reaches(queue.channel, queue.specialisms, queue.automated):
            old[:, index] |= inside & mine


def _offer(attempts: NDArray[np.uint8], left: NDArray[np.float64], rule: Rule, plan: CapacityPlan) -> None:
    """Lower attempts of queues that a budget reaches, uint8 (n, q) with 0 for all, to the fewer that it leaves, float64 (n,)."""
    for index, queue in enumerate(plan.queues):
        if queue.least_attempts < queue.attempts and rule.reaches(queue.channel, queue.specialisms, queue.automated):
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


def _queue_limits(
    portfolio: Portfolio, queue: Queue, persons: Persons | None, personal: set[str]
) -> tuple[Mask, Mask, Mask, Mask]:
    """Where the queue's own limits exclude an account, in the order of ``QUEUE_REASONS``."""
    nowhere = np.zeros(portfolio.account_count, dtype=bool)
    products = np.array([code.encode() for code in queue.products], dtype="S") if queue.products else None
    outside_product = ~np.isin(portfolio.column("product"), products) if products is not None else nowhere
    outside_bucket = ~np.isin(bucket_of(portfolio.column("days_past_due")), queue.buckets) if queue.buckets else nowhere
    # An unknown state is not licensed: in_jurisdiction reads it as inside, so it is taken out here.
    states = portfolio.column("state")
    outside_state = ~(in_jurisdiction(states, queue.states) & (states != b"")) if queue.states else nowhere
    outside_specialism = nowhere
    if queue.specialist_only:
        served = nowhere.copy()
        for name in queue.specialisms:
            marked = portfolio.column(name)
            served |= persons.any_of(marked) if persons is not None and name in personal else marked
        outside_specialism = ~served
    return outside_product, outside_bucket, outside_state, outside_specialism
