"""Recovered value against minutes by warm re-solves, and what is read off it: where prices hold, minutes that can be saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.answers.capacity_baseline import CapacityBaseline, warm_options
from collections_opt.application.answers.capacity_evaluation import CapacityEvaluation
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import PRICE_SCALE, Assignment, ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.ranking.capacity_curve import (
    ALL_QUEUES,
    CapacityCurve,
    CurvePoint,
    PriceRange,
    SameRecovery,
    SolveAt,
    price_range,
    same_recovery,
)
from collections_opt.core.ranking.ordering import Ordering, RawOrder, raw_order_key
from collections_opt.solvers import SOLVERS, lagrangian_bound, solve_in_order

DEFAULT_FACTORS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
"""Factors on the planned minutes when a caller names none."""

MAX_FACTORS = 40
MAX_FACTOR = 10.0


@dataclass(frozen=True)
class DrawnCurve:
    """A curve of one queue or of all, with where its price keeps (None if not asked for, or for all queues)."""

    curve: CapacityCurve
    range: PriceRange | None


@dataclass(frozen=True)
class OrderRecovery:
    """With how few minutes the optimised order recovers what another one recovers with all of them.

    Attributes:
        ordering: the raw order, None for greedy by value per minute.
        value_minor: what it recovers with the planned minutes.
        same: the share of the minutes; None if no point of the curve reaches it.
    """

    ordering: Ordering | None
    value_minor: int
    same: SameRecovery | None


class CurveDrawer:
    """Draws the curves of one baseline; every factor is solved once."""

    def __init__(self, baseline: CapacityBaseline) -> None:
        self._baseline = baseline
        self._planned = baseline.answer.problem.capacity_seconds
        self._solved: dict[tuple[str, float], CurvePoint] = {}
        self._prices: dict[tuple[str, float], NDArray[np.int64]] = {}

    def curve(self, queue_id: str, factors: Sequence[float]) -> CapacityCurve:
        """Return a curve at factors and 1; neighbours start each other, outwards from the plan."""
        wanted = sorted({1.0, *factors})
        outwards = sorted(wanted, key=lambda factor: abs(factor - 1.0))
        solved = {factor: self.point(queue_id, factor) for factor in outwards}
        return CapacityCurve(queue_id, tuple(solved[factor] for factor in wanted))

    def range(self, queue_id: str, tolerance: float) -> PriceRange:
        """Return between which factors a queue's price keeps; a price of 0 is slack, and keeps as long as it is 0."""
        here = self.point(queue_id, 1.0)
        return price_range(here.slope_minor_per_minute, tolerance, self.at(queue_id))

    def recovery_of(self, ordering: Ordering | None, curve: CapacityCurve) -> OrderRecovery:
        """Return an order beside the curve of all queues."""
        value = self._order_value(ordering)
        return OrderRecovery(ordering, value, same_recovery(curve.points, value, self.at(ALL_QUEUES)))

    def at(self, queue_id: str) -> SolveAt:
        """Return the re-solve of a curve as a function of its factor."""
        return lambda factor: self.point(queue_id, factor)

    def point(self, queue_id: str, factor: float) -> CurvePoint:
        """Return a re-solve; the factor 1 is the answer at hand."""
        key = (queue_id, factor)
        if key not in self._solved:
            capacity = self._capacity(queue_id, factor)
            answer = self._baseline.answer.assignment if factor == 1.0 else self._solve(queue_id, factor, capacity)
            self._prices[key] = answer.prices
            self._solved[key] = self._as_point(queue_id, factor, capacity, answer)
        return self._solved[key]

    def _capacity(self, queue_id: str, factor: float) -> NDArray[np.int64]:
        scaled: NDArray[np.int64] = np.floor(self._planned * factor + 1e-6).astype(np.int64)
        if queue_id == ALL_QUEUES:
            return scaled
        only = np.array([queue.queue_id == queue_id for queue in self._baseline.answer.plan.queues])
        return np.asarray(np.where(only, scaled, self._planned), dtype=np.int64)

    def _solve(self, queue_id: str, factor: float, capacity: NDArray[np.int64]) -> Assignment:
        near = [key for key in self._prices if key[0] == queue_id]
        start = self._baseline.answer.assignment.prices
        if near:
            start = self._prices[min(near, key=lambda key: abs(key[1] - factor))]
        problem = replace(self._baseline.answer.problem, capacity_seconds=capacity)
        return SOLVERS["pricing"](problem, replace(warm_options(self._baseline, start), search=False))

    def _as_point(self, queue_id: str, factor: float, capacity: NDArray[np.int64], answer: Assignment) -> CurvePoint:
        share = np.array([queue.queue_id == queue_id for queue in self._baseline.answer.plan.queues], dtype=np.float64)
        if queue_id == ALL_QUEUES:
            share = self._planned / max(int(self._planned.sum()), 1)
        mine = capacity.sum() if queue_id == ALL_QUEUES else int((share * capacity).sum())
        return CurvePoint(
            factor=factor,
            seconds=int(mine),
            value_minor=answer.objective_minor,
            bound_minor=self._bound_by_prices(capacity, answer),
            slope_minor_per_minute=float(share @ answer.prices) * 60.0 / PRICE_SCALE,
        )

    def _bound_by_prices(self, capacity: NDArray[np.int64], answer: Assignment) -> int:
        if answer.shortages:  # its bound is that of the limits relaxed by what is missing
            return answer.bound_minor
        problem = replace(self._baseline.answer.problem, capacity_seconds=capacity)
        return lagrangian_bound(problem, answer.prices, answer.side_prices)

    def _order_value(self, ordering: Ordering | None) -> int:
        valued, problem = self._baseline.valued, self._baseline.answer.problem
        if ordering is None:
            return SOLVERS["greedy"](problem, warm_options(self._baseline, problem.capacity_seconds)).objective_minor
        key = raw_order_key(ordering, valued.portfolio, valued.outcomes, valued.worth, self._baseline.seed)
        return solve_in_order(RawOrder(ordering, key, self._baseline.seed), problem).assignment.objective_minor


def same_recovery_share(found: CapacityEvaluation) -> float | None:
    """Return with what share of the changed minutes as much is recovered as before, None if the changed plan recovers less."""
    drawer = CurveDrawer(replace(found.baseline, answer=found.after))
    points = drawer.curve(ALL_QUEUES, (0.0,)).points
    same = same_recovery(points, found.before.assignment.objective_minor, drawer.at(ALL_QUEUES))
    return same.factor if same else None


def draw_curves(
    baseline: CapacityBaseline,
    factors: Sequence[float] = DEFAULT_FACTORS,
    queue_ids: Sequence[str] = (),
    price_tolerance: float = 0.0,
    compare_orderings: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> Iterator[DrawnCurve | OrderRecovery]:
    """Yield the curve of all queues, then each queue's, then each other order beside the optimised one.

    Args:
        baseline: the accounts and the answer at factor 1.
        factors: on the planned minutes.
        queue_ids: queues to draw; none means every queue that has minutes.
        price_tolerance: also find where each price keeps within this share of itself; 0 means do not.
        compare_orderings: also compare the raw orders and greedy.
        progress: told before each curve and order.

    Raises:
        CollectionsError: INVALID_ARGUMENT, LIMIT_EXCEEDED or NOT_FOUND with the field at fault, before the first curve.
    """
    queues = _checked(baseline, factors, queue_ids, price_tolerance)
    drawer = CurveDrawer(baseline)
    orders: list[Ordering | None] = [None, *(o for o in Ordering if o is not Ordering.EXPECTED_VALUE)]
    steps = len(queues) + 1 + (len(orders) if compare_orderings else 0)
    progress(SolveProgress("curve of all queues", 0.4))
    whole = drawer.curve(ALL_QUEUES, factors)
    yield DrawnCurve(whole, None)
    for number, queue_id in enumerate(queues, start=1):
        progress(SolveProgress(f"curve of {queue_id}", 0.4 + 0.6 * number / steps))
        found = drawer.range(queue_id, price_tolerance) if price_tolerance > 0 else None
        yield DrawnCurve(drawer.curve(queue_id, factors), found)
    for number, ordering in enumerate(orders if compare_orderings else [], start=len(queues) + 1):
        progress(SolveProgress(f"minutes of {ordering or 'greedy'}", 0.4 + 0.6 * number / steps))
        yield drawer.recovery_of(ordering, whole)


def _checked(baseline: CapacityBaseline, factors: Sequence[float], queue_ids: Sequence[str], price_tolerance: float) -> list[str]:
    if len(factors) > MAX_FACTORS:
        raise refuse(Reason.LIMIT_EXCEEDED, "factors", f"{len(factors)} factors.", f"Send at most {MAX_FACTORS}.")
    for index, factor in enumerate(factors):
        if not 0 <= factor <= MAX_FACTOR:
            raise refuse(
                Reason.INVALID_ARGUMENT, f"factors[{index}]", f"{factor:g} is outside 0 to {MAX_FACTOR:g}.", "1 is the plan."
            )
    if not 0 <= price_tolerance <= 1:
        raise refuse(
            Reason.INVALID_ARGUMENT, "price_tolerance", f"{price_tolerance:g} is outside 0 to 1.", "0.1 is ten per cent."
        )
    open_queues = {q.queue_id: q.capacity_seconds > 0 for q in baseline.answer.plan.queues}
    for index, queue_id in enumerate(queue_ids):
        if not open_queues.get(queue_id, False):
            known = ", ".join(name for name, has in open_queues.items() if has)
            told = f"{queue_id!r} has no minutes in the plan."
            raise refuse(Reason.NOT_FOUND, f"queue_ids[{index}]", told, f"Use one of: {known}.", queue_id)
    return list(dict.fromkeys(queue_ids)) or [name for name, has in open_queues.items() if has]
