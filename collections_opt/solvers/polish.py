"""Finish a small instance: branch and bound on the cells that reduced costs cannot exclude.

With prices giving the bound D and a list worth P, a cell whose reduced cost is more than D - P below its account's best can
be in no better list (reduced-cost fixing). What remains is a small integer program; an optimum of it is an optimum of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt.python import mathopt

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED, AssignmentProblem
from collections_opt.solvers.answer import Incumbent
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.native_output import native_output_to_stderr
from collections_opt.solvers.side_rows import may_be_short

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SearchLimits:
    """Deterministic limits: integer columns and branch-and-bound nodes of the last, proving search."""

    columns: int = 2_000
    nodes: int = 250


@dataclass(frozen=True)
class ReducedCosts:
    """What prices say about each cell, in ``1 / PRICE_SCALE`` minor units.

    Attributes:
        loss: int64 (n, q + 1) how far a choice is below its person's best one; the last column is "not worked", which each
            person may be once: it stands in the row of his first account.
        bound: the Lagrangian bound.
    """

    loss: Ints
    bound: int


def reduced_costs(problem: AssignmentProblem, prices: Ints, side_prices: Ints) -> ReducedCosts:
    """Return the loss of every cell of a small instance and the exact bound; unworkable cells lose int64's max."""
    value = problem.value.astype(np.int64)
    gain = value * PRICE_SCALE - prices * problem.seconds
    total = sum(int(p) * int(c) for p, c in zip(prices, problem.capacity_seconds, strict=True))
    if problem.side is not None:
        gain -= np.tensordot(side_prices, problem.side.table, axes=1)[problem.side.group]
        total += sum(int(p) * int(b) for p, b in zip(side_prices, problem.side.limit, strict=True))
    workable = value > 0
    best = np.where(workable, gain, 0).max(axis=1, initial=0)
    none, persons, never = best, problem.persons, np.iinfo(np.int64).max
    if persons is not None:
        most = np.maximum.reduceat(best[persons.order], persons.start[:-1])
        best, none = most[persons.of], np.full(len(best), never)
        none[persons.order[persons.start[:-1]]] = most
        total += sum(map(int, most))
    else:
        total += sum(map(int, best))
    loss = np.where(workable, best[:, None] - gain, never)
    return ReducedCosts(np.column_stack([loss, none]), total)


def polish(
    problem: AssignmentProblem,
    costs: ReducedCosts,
    start: Incumbent,
    penalty_minor: int,
    limits: SearchLimits,
    gap_target: float,
    deadline: Deadline,
) -> Incumbent:
    """Improve a list by searches over ever more cells, smallest losses first; the last one may prove it optimal.

    Args:
        problem: a small instance.
        costs: from :func:`reduced_costs`.
        start: a list that respects capacities; ``bound_minor`` is that of the prices.
        penalty_minor: worth of one unit short in a side row.
        limits: deterministic limits.
        gap_target: stop at this relative gap.
        deadline: wall-clock guard.
    """
    best = start
    choices = np.sort(costs.loss, axis=None)
    owners = problem.account_count if problem.persons is None else problem.persons.count
    small = _SearchTask(problem, costs, penalty_minor, limits.nodes // 5, deadline)
    for target in (limits.columns // 20, limits.columns // 5):
        if _good_enough(best, gap_target) or deadline.expired():
            return best
        reach = int(choices[min(owners + target, choices.size - 1)])
        if reach < costs.bound - best.worth_minor * PRICE_SCALE:
            best = small.run(best, reach)
    reach = costs.bound - (best.worth_minor + 1) * PRICE_SCALE
    open_cells = int(np.searchsorted(choices, reach, "right")) - owners
    if _good_enough(best, gap_target) or open_cells > limits.columns or deadline.expired():
        return best
    return replace(small, nodes=limits.nodes, proving=True).run(best, reach)


def _good_enough(best: Incumbent, gap_target: float) -> bool:
    return best.bound_minor - best.worth_minor <= gap_target * max(best.bound_minor, 0)


@dataclass(frozen=True)
class _SearchTask:
    """Search the lists that use only choices losing at most ``reach``; a proving search also tightens the bound."""

    problem: AssignmentProblem
    costs: ReducedCosts
    penalty_minor: int
    nodes: int
    deadline: Deadline
    proving: bool = False

    def run(self, best: Incumbent, reach: int) -> Incumbent:
        allowed, persons = self.costs.loss <= reach, self.problem.persons
        options = allowed.sum(axis=1)
        if persons is not None:
            options = np.add.reduceat(options[persons.order], persons.start[:-1])[persons.of]
        nothing_better = replace(best, bound_minor=best.worth_minor, searched=True) if self.proving else best
        if not options.all():
            return nothing_better
        fixed = options == 1
        base = np.where(fixed & allowed.any(axis=1), np.argmax(allowed, axis=1), UNASSIGNED).astype(np.int16)
        base[base == self.problem.queue_count] = UNASSIGNED
        outcome = _branch_and_bound(self, base, allowed & ~fixed[:, None])
        if outcome is None:
            return nothing_better
        chosen, bound = outcome
        worth = worth_minor(self.problem, chosen, self.penalty_minor)
        if worth is not None and worth > best.worth_minor:
            best = replace(best, queue=chosen, worth_minor=worth)
        if self.proving and bound < best.bound_minor:
            best = replace(best, bound_minor=max(bound, best.worth_minor), searched=True)
        return best


def worth_minor(problem: AssignmentProblem, queue: NDArray[np.int16], penalty_minor: int) -> int | None:
    """Return value minus penalties of a list, or None if it breaks a hard limit or uses an unworkable cell."""
    worked = np.flatnonzero(queue != UNASSIGNED)
    chosen = queue[worked].astype(np.int64)
    used = np.bincount(chosen, problem.seconds[worked, chosen], minlength=problem.queue_count).astype(np.int64)
    value = problem.value[worked, chosen].astype(np.int64)
    if (used > problem.capacity_seconds).any() or (value <= 0).any():
        return None
    if problem.persons is not None and np.bincount(problem.persons.of[worked], minlength=1).max() > 1:
        return None
    missing = np.maximum(-side_room(problem, queue), 0)
    if problem.side is not None and missing[~may_be_short(problem.side.table, problem.side.limit)].any():
        return None
    return int(value.sum()) - penalty_minor * int(missing.sum())


def side_room(problem: AssignmentProblem, queue: NDArray[np.int16]) -> Ints:
    """Return int64 (k,) what is left of each side row's limit; negative means short. Empty without side rows."""
    side = problem.side
    if side is None:
        return np.zeros(0, dtype=np.int64)
    worked = np.flatnonzero(queue != UNASSIGNED)
    counts = np.zeros(side.table.shape[1:], dtype=np.int64)
    np.add.at(counts, (side.group[worked], queue[worked]), 1)
    return np.asarray(side.limit - (side.table * counts).sum(axis=(1, 2)), dtype=np.int64)


def _branch_and_bound(
    task: _SearchTask, base: NDArray[np.int16], free: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], int] | None:
    """Run HiGHS on the free cells beside the fixed ``base``; return (list, upper bound on worth), or None if there is no list."""
    problem = task.problem
    rows, columns = np.nonzero(free[:, :-1])
    owner, unworked = rows, free[:, -1]
    if problem.persons is not None:
        by_person = np.argsort(problem.persons.of[rows], kind="stable")
        rows, columns = rows[by_person], columns[by_person]
        owner, unworked = problem.persons.of[rows].astype(np.int64), unworked[problem.persons.order[problem.persons.start[:-1]]]
    fixed = np.flatnonzero(base != UNASSIGNED)
    left = problem.capacity_seconds.copy()
    np.subtract.at(left, base[fixed], problem.seconds[fixed, base[fixed]].astype(np.int64))
    fixed_value = int(problem.value[fixed, base[fixed]].astype(np.int64).sum())
    value, seconds = problem.value[rows, columns].tolist(), problem.seconds[rows, columns].tolist()
    model = mathopt.Model()
    picks = [model.add_binary_variable() for _ in value]
    for i, start, stop in _runs(owner):
        least = 0.0 if unworked[i] else 1.0
        model.add_linear_constraint(lb=least, ub=1.0, expr=mathopt.fast_sum(picks[start:stop]))
    for q in range(problem.queue_count):
        load = mathopt.fast_sum(seconds[j] * picks[j] for j in np.flatnonzero(columns == q))
        model.add_linear_constraint(load <= int(left[q]))
    objective = mathopt.fast_sum(v * x for v, x in zip(value, picks, strict=True))
    if problem.side is not None:
        room, elastic = side_room(problem, base), may_be_short(problem.side.table, problem.side.limit)
        for k, coefficients in enumerate(problem.side.table):
            short = model.add_variable(lb=0.0, ub=np.inf if elastic[k] else 0.0)
            weight = coefficients[problem.side.group[rows], columns].tolist()
            load = mathopt.fast_sum(a * x for a, x in zip(weight, picks, strict=True) if a)
            model.add_linear_constraint(load - short <= int(room[k]))
            objective -= task.penalty_minor * short
    model.maximize(objective)
    parameters = mathopt.SolveParameters(
        random_seed=1,
        node_limit=task.nodes,
        relative_gap_tolerance=0.0,
        absolute_gap_tolerance=0.5,
        time_limit=task.deadline.left(),
    )
    with native_output_to_stderr():
        result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=parameters)
    task.deadline.expired()
    if result.termination.reason is mathopt.TerminationReason.INFEASIBLE:
        return None
    dual = result.termination.objective_bounds.dual_bound
    bound = fixed_value + int(np.floor(dual + 1e-3)) if np.isfinite(dual) else np.iinfo(np.int64).max
    if picks and result.has_primal_feasible_solution():
        picked = np.array(result.variable_values(picks)) > 0.5
        base[rows[picked]] = columns[picked]
    return base, int(bound)


def _runs(rows: Ints) -> list[tuple[int, int, int]]:
    """Return (row, start, stop) of each run of equal entries of a sorted array."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    stops = np.append(starts[1:], len(rows))
    return list(zip(rows[starts].tolist(), starts.tolist(), stops.tolist(), strict=True)) if len(rows) else []
