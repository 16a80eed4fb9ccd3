"""Which account may be worked in which queue, decided before the solver from rules that are data, never code branches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.portfolio import Portfolio
from collections_opt.core.queues import CapacityPlan, Queue
from collections_opt.core.schema import ACCOUNT_SCHEMA, ColumnKind

Mask = NDArray[np.bool_]


class RuleKind(StrEnum):
    """How a rule reads its column."""

    FLAG = "FLAG"
    """Blocks where the flag is set."""
    COUNT_ABOVE = "COUNT_ABOVE"
    """Blocks where one more contact would exceed ``threshold``: count >= threshold."""
    WAIT_DAYS = "WAIT_DAYS"
    """Blocks while days since the event, its day being day 1, are at most ``threshold``."""
    NOT_POSITIVE = "NOT_POSITIVE"
    """Blocks where the amount is zero or less."""


@dataclass(frozen=True)
class Rule:
    """One row of the rule table.

    Attributes:
        rule_id: stable id recorded with every block.
        version: version of the rule's wording or numbers.
        kind: how ``column`` is read.
        column: schema column.
        effective_from: first as-of date it applies to.
        effective_to: last as-of date, or None while in force.
        threshold: count or days, by kind.
        jurisdictions: state codes or countries it applies to; empty means everywhere.
        channels: channels it blocks; empty means all.
        specialism: queues with this specialism may work the account all the same; empty means none may.
        next_eligible_days: days until the block may lift; 0 means it lifts only when the data change.
        source: where the rule comes from.
        description: one plain sentence for people.
    """

    rule_id: str
    version: int
    kind: RuleKind
    column: str
    effective_from: date
    effective_to: date | None = None
    threshold: int = 0
    jurisdictions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    specialism: str = ""
    next_eligible_days: int = 0
    source: str = ""
    description: str = ""


@dataclass(frozen=True)
class RuleTable:
    """The dated rules in force, with the version recorded with every ranking."""

    version: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class BlockReason:
    """A rule as it stands in a ranking's legend: id, version, sentence, source, and whether the queue's own limits set it."""

    rule_id: str
    version: int
    description: str
    source: str
    next_eligible_days: int = 0


QUEUE_REASONS: tuple[BlockReason, ...] = (
    BlockReason("queue.product", 1, "The queue does not serve this product.", "capacity plan"),
    BlockReason("queue.bucket", 1, "The queue does not serve this bucket.", "capacity plan"),
    BlockReason("queue.state", 1, "The queue is not licensed in this jurisdiction.", "capacity plan"),
    BlockReason("queue.specialist", 1, "The queue works only accounts of its specialism.", "capacity plan"),
)


@dataclass(frozen=True)
class Eligibility:
    """The blocking rule of every cell.

    Attributes:
        blocked_by: uint8 (n, q); 0 is eligible, k blocks by ``legend[k - 1]``.
        legend: the reasons.
        version: version of the rule table.
    """

    blocked_by: NDArray[np.uint8]
    legend: tuple[BlockReason, ...]
    version: str

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


def evaluate(portfolio: Portfolio, plan: CapacityPlan, table: RuleTable) -> Eligibility:
    """Apply the rules in force on the as-of date; where several block a cell the strictest is recorded.

    Strictest is: lifts only when the data change, then the longest wait; ties by rule id.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a rule names a column that its kind cannot read.
    """
    in_force = [rule for rule in table.rules if _in_force(rule, portfolio.as_of_date)]
    in_force.sort(key=lambda rule: (rule.next_eligible_days != 0, -rule.next_eligible_days, rule.rule_id))
    blocked = np.zeros((portfolio.account_count, len(plan.queues)), dtype=np.uint8)
    states = portfolio.column("state")
    for code, rule in enumerate(in_force, start=1):
        hit = _hits(rule, portfolio) & in_jurisdiction(states, rule.jurisdictions)
        if hit.any():
            for index, queue in enumerate(plan.queues):
                if _rule_reaches(rule, queue):
                    _block(blocked, index, hit, code)
    for index, queue in enumerate(plan.queues):
        for offset, outside in enumerate(_queue_limits(portfolio, queue), start=len(in_force) + 1):
            _block(blocked, index, outside, offset)
    blocked.flags.writeable = False
    reasons = tuple(BlockReason(r.rule_id, r.version, r.description, r.source, r.next_eligible_days) for r in in_force)
    return Eligibility(blocked, reasons + QUEUE_REASONS, table.version)


def next_eligible_date(reason: BlockReason, as_of_date: date) -> date | None:
    """Return the first date the block may lift by itself, or None if it lifts only when the data change."""
    return as_of_date + timedelta(days=reason.next_eligible_days) if reason.next_eligible_days else None


def _block(blocked: NDArray[np.uint8], queue: int, mask: Mask, code: int) -> None:
    column = blocked[:, queue]
    column[mask & (column == 0)] = code


def _in_force(rule: Rule, as_of_date: date) -> bool:
    return rule.effective_from <= as_of_date and (rule.effective_to is None or as_of_date <= rule.effective_to)


def _rule_reaches(rule: Rule, queue: Queue) -> bool:
    on_channel = not rule.channels or queue.channel in rule.channels
    return on_channel and not (rule.specialism and rule.specialism in queue.specialisms)


def in_jurisdiction(states: NDArray[np.bytes_], jurisdictions: tuple[str, ...]) -> Mask:
    """Return which accounts a rule of some jurisdictions may bind, bool (n,).

    An account of unknown state counts as inside: the rule may apply, and only the strict reading is safe.
    """
    if not jurisdictions:
        return np.ones(states.shape, dtype=bool)
    inside = states == b""
    for code in jurisdictions:
        wanted = code.encode()
        inside |= (states == wanted) | np.char.startswith(states, wanted + b"-")
    return np.asarray(inside, dtype=bool)


def _hits(rule: Rule, portfolio: Portfolio) -> Mask:
    column = ACCOUNT_SCHEMA.get(rule.column)
    wanted = {RuleKind.FLAG: (ColumnKind.FLAG,), RuleKind.NOT_POSITIVE: (ColumnKind.MONEY,)}
    if column is None or column.kind not in wanted.get(rule.kind, (ColumnKind.COUNT,)):
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"rules[{rule.rule_id}].column",
            f"{rule.column!r} cannot be read as {rule.kind}.",
            "Name another.",
        )
    values, present = portfolio.column(rule.column), portfolio.is_present(rule.column)
    tests: dict[RuleKind, Mask] = {
        RuleKind.FLAG: values == 1,
        RuleKind.COUNT_ABOVE: values >= rule.threshold,
        RuleKind.WAIT_DAYS: values <= rule.threshold,
        RuleKind.NOT_POSITIVE: values <= 0,
    }
    return present & tests[rule.kind]


def _queue_limits(portfolio: Portfolio, queue: Queue) -> tuple[Mask, Mask, Mask, Mask]:
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
            served |= portfolio.column(name)
        outside_specialism = ~served
    return outside_product, outside_bucket, outside_state, outside_specialism
