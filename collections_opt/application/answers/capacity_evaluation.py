"""What another capacity would do: one re-solve, started from the prices at hand, beside what those prices predict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.answers.capacity_baseline import CapacityBaseline, warm_options
from collections_opt.core.desk.capacity_changes import same_cells
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.problem.assignment import (
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    Solve,
    SolveOptions,
    SolveProgress,
    ignore_progress,
)
from collections_opt.core.progress import within
from collections_opt.core.ranking.what_if import (
    Moves,
    PlannedAnswer,
    carried_prices,
    moves,
    predicted_change_minor,
    renumbered,
)
from collections_opt.solvers import SOLVERS, PriceIntervals, lagrangian_bound, price_intervals, verify

GAP_ENOUGH = 1e-4
"""A re-solve that is proven so near to the best is not searched further: what a change of minutes is worth is far more."""

SEARCHED_ACCOUNTS = 1_000
"""Up to here lists are too short to come so near without the search."""


@dataclass(frozen=True)
class CapacityEvaluation:
    """Two capacities side by side on the same accounts.

    Attributes:
        baseline: the accounts and the answer before.
        after: the answer re-solved.
        intervals: between what its prices may lie and still be optimal.
        moves: the accounts that move.
        predicted_minor: float64 (q,) per queue of the plan after, what the price before says its change of minutes is worth;
            NaN where it says nothing: the queue is new, or values accounts differently.
        highest_change_minor: no assignment at the changed minutes gains more: the bound of the prices before, less the value.
    """

    baseline: CapacityBaseline
    after: PlannedAnswer
    intervals: PriceIntervals
    moves: Moves
    predicted_minor: NDArray[np.float64]
    highest_change_minor: int

    @property
    def before(self) -> PlannedAnswer:
        """The answer started from."""
        return self.baseline.answer

    @property
    def change_minor(self) -> int:
        """Value after minus value before."""
        return self.after.assignment.objective_minor - self.before.assignment.objective_minor


def evaluate_capacity(
    baseline: CapacityBaseline, plan: CapacityPlan, solver: str = "", progress: ProgressCallback = ignore_progress
) -> CapacityEvaluation:
    """Return what a plan would do to money, minutes, prices and accounts; a plan with the same minutes changes nothing.

    Args:
        baseline: what to start from.
        plan: the other plan.
        solver: name of a solver; "" takes the baseline's.
        progress: told of each stage.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field of the plan at fault, CURRENCY_MISMATCH; INTEGRITY_FAILURE when
            the independent verifier refuses the re-solve.
    """
    check_plan(plan)
    if plan.currency_code != baseline.answer.plan.currency_code:
        raise refuse(
            Reason.CURRENCY_MISMATCH,
            "capacity_plan.currency_code",
            f"the plan is in {plan.currency_code}, the accounts are in {baseline.answer.plan.currency_code}.",
            "Give costs in the accounts' currency.",
        )
    progress(SolveProgress("value", 0.4))
    return compared(baseline, plan, baseline.problem_under(plan), solver, progress)


def _solved(solve: Solve, problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback) -> Assignment:
    """Return a re-solve: without the last search, seconds of it, where that leaves next to nothing to be found."""
    if problem.account_count > SEARCHED_ACCOUNTS:
        quick = solve(problem, replace(options, search=False), within(progress, 0.5, 0.9))
        if quick.gap <= GAP_ENOUGH:
            return quick
    return solve(problem, options, within(progress, 0.5, 0.9))


def compared(
    baseline: CapacityBaseline, plan: CapacityPlan, problem: AssignmentProblem, solver: str, progress: ProgressCallback
) -> CapacityEvaluation:
    """Return a baseline's answer beside the re-solve of another problem of its accounts, from 0.4 of the progress on.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the independent verifier refuses the re-solve.
    """
    before = baseline.answer
    same_accounts = problem.value is before.problem.value and problem.persons is before.problem.persons
    unchanged = same_accounts and np.array_equal(problem.capacity_seconds, before.problem.capacity_seconds)
    prices = carried_prices(before.assignment.prices, before.plan, plan)
    if unchanged:
        assignment, intervals = before.assignment, baseline.intervals
    else:
        assignment = _solved(SOLVERS[solver or baseline.solver], problem, warm_options(baseline, prices), progress)
        progress(SolveProgress("price intervals", 0.9, assignment.gap))
        intervals = price_intervals(problem, assignment, warm_options(baseline, assignment.prices))
        findings = verify(problem, assignment).findings
        if findings:
            raise CollectionsError(Reason.INTEGRITY_FAILURE, "The independent verifier refused the re-solve: " + str(findings[0]))
    after = PlannedAnswer(plan, problem, assignment)
    progress(SolveProgress("compare", 0.95, assignment.gap))
    return CapacityEvaluation(
        baseline=baseline,
        after=after,
        intervals=intervals,
        moves=moves(before, after),
        predicted_minor=_predicted(before, after),
        highest_change_minor=_bound_before(before, after, prices) - before.assignment.objective_minor,
    )


def _bound_before(before: PlannedAnswer, after: PlannedAnswer, prices: NDArray[np.int64]) -> int:
    """Return what the prices before prove for the plan after; limits are relaxed by what either answer is short of."""
    side, side_prices = after.problem.side, before.assignment.side_prices
    if side is None:
        return lagrangian_bound(after.problem, prices)
    short = dict.fromkeys(side.names, 0)
    for shortage in (*before.assignment.shortages, *after.assignment.shortages):
        short[shortage.name] = max(short[shortage.name], shortage.missing)
    limits = side.limit + np.array([short[name] for name in side.names], dtype=np.int64)
    return lagrangian_bound(after.problem, prices, side_prices, limits)


def _predicted(before: PlannedAnswer, after: PlannedAnswer) -> NDArray[np.float64]:
    places = renumbered(after.plan, before.plan)
    result = np.full(places.size, np.nan)
    for index, place in enumerate(places.tolist()):
        if place >= 0 and same_cells(before.plan.queues[place], after.plan.queues[index]):
            old, new = before.problem.capacity_seconds[[place]], after.problem.capacity_seconds[[index]]
            result[index] = predicted_change_minor(before.assignment.prices[[place]], old, new)[0]
    return result
