"""A capacity what-if and its curves in figures for people; money in minor units, time in minutes."""

from __future__ import annotations

from dataclasses import dataclass

from collections_opt.core.ranking.ordering import Ordering


@dataclass(frozen=True)
class PriceBand:
    """Between what a price per minute may lie and still be optimal; ``complete`` is False where it may be wider."""

    low: float
    high: float
    complete: bool


@dataclass(frozen=True)
class QueueState:
    """One queue under one plan; ``price`` is its shadow price per minute."""

    agents: float
    capacity_minutes: float
    used_minutes: float
    worked_count: int
    increment_minor: int
    price: float
    band: PriceBand


@dataclass(frozen=True)
class QueueWhatIf:
    """One queue under both plans (None where a plan has no such queue), and what its price predicts for the change."""

    queue_id: str
    before: QueueState | None
    after: QueueState | None
    predicted_minor: float | None


@dataclass(frozen=True)
class PlanState:
    """How good the answer of one plan is; ``expected_minor`` is what to expect of its objective, None where not known."""

    objective_minor: int
    bound_minor: int
    gap: float
    worked_count: int
    capacity_minutes: float
    used_minutes: float
    expected_minor: int | None = None


@dataclass(frozen=True)
class AccountMove:
    """Accounts (or one, by id) that go from one queue to another; an empty id means not worked."""

    from_queue_id: str
    to_queue_id: str
    before_minor: int
    after_minor: int
    account_count: int = 1
    account_id: str = ""


@dataclass(frozen=True)
class WhatIfSummary:
    """Two capacities side by side on the same accounts.

    Attributes:
        ranking_id: the ranking started from, "" for a portfolio.
        currency_code: of all money.
        before, after: the two answers.
        change_minor: increment after minus before.
        predicted_minor: what the prices before say.
        highest_minor: no assignment at the changed minutes gains more.
        queues: of both plans.
        entering_count, leaving_count, changing_count: accounts that move, by how.
        flows: how many from where to where, most first.
        moved: the most valuable accounts that move.
        same_share: share of the changed minutes with which as much is recovered as before, None if not known.
    """

    ranking_id: str
    currency_code: str
    before: PlanState
    after: PlanState
    change_minor: int
    predicted_minor: float
    highest_minor: int
    queues: tuple[QueueWhatIf, ...]
    entering_count: int
    leaving_count: int
    changing_count: int
    flows: tuple[AccountMove, ...]
    moved: tuple[AccountMove, ...]
    same_share: float | None = None


@dataclass(frozen=True)
class RuleEffectFigures:
    """How many accounts a rule blocks in some queue at least, before and after."""

    rule_id: str
    version: int
    description: str
    before: int
    after: int


@dataclass(frozen=True)
class RuleWhatIfSummary:
    """Two sets of rules side by side on the same accounts, under one plan.

    Attributes:
        compared: money, minutes and accounts that move.
        effects: rules that block another number of accounts, the greatest change first.
        barred_before, barred_after: accounts that no queue may work.
        version_before, version_after: what the rules are called.
    """

    compared: WhatIfSummary
    effects: tuple[RuleEffectFigures, ...]
    barred_before: int
    barred_after: int
    version_before: str
    version_after: str


@dataclass(frozen=True)
class CurvePointFigures:
    """One re-solve of a curve, and what the prices at the plan predict for it."""

    factor: float
    minutes: float
    objective_minor: int
    bound_minor: int
    price: float
    predicted_minor: float
    expected_minor: int | None = None


@dataclass(frozen=True)
class MinutesRange:
    """The minutes between which a price keeps; an open end was the last one tried."""

    low: float
    high: float
    low_open: bool
    high_open: bool


@dataclass(frozen=True)
class CurveFigures:
    """Recovered value against the minutes of one queue ("" for all), points by rising minutes, factor 1 among them."""

    queue_id: str
    points: tuple[CurvePointFigures, ...]
    band: PriceBand | None
    range: MinutesRange | None

    @property
    def planned(self) -> CurvePointFigures:
        """The point of the plan."""
        return next(point for point in self.points if point.factor == 1.0)

    def at(self, factor: float) -> CurvePointFigures | None:
        """Return the point at a factor, None if it was not solved."""
        return next((point for point in self.points if point.factor == factor), None)


@dataclass(frozen=True)
class RecoveryFigures:
    """What share of the planned minutes the optimised order needs to recover what another order does with all of them.

    Attributes:
        ordering: the other order, None for greedy by value per minute.
        objective_minor: what it recovers.
        share: of the minutes, None if no re-solve reached it.
        impossible_share: largest share solved with which nothing reaches it.
    """

    ordering: Ordering | None
    objective_minor: int
    share: float | None
    impossible_share: float


@dataclass(frozen=True)
class CapacityCurves:
    """All curves of one what-if: the whole, each queue, and the other orders beside the optimised one."""

    whole: CurveFigures
    queues: tuple[CurveFigures, ...]
    recoveries: tuple[RecoveryFigures, ...]
