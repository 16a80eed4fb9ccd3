"""Small instances: the whole linear program for the prices, then branch and bound on what reduced costs leave open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from collections_opt.core.assignment import (
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    SolverIdentity,
    Termination,
    ignore_progress,
)
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.greedy import greedy_list, shortages
from collections_opt.solvers.linear_program import maximize
from collections_opt.solvers.polish import (
    Incumbent,
    SearchLimits,
    polish,
    reduced_costs,
    side_room,
    worth_minor,
)
from collections_opt.solvers.survey import Survey, survey
from collections_opt.solvers.verifier import MAX_PRICE, lagrangian_bound

LIMITS = SearchLimits()
IDENTITY = SolverIdentity("exact", "1", (("search_columns", str(LIMITS.columns)), ("search_nodes", str(LIMITS.nodes))))

_MAX_SIDE_CHARGE = 1 << 38
"""Largest sum of side prices times coefficients, in minor units: its scaled value stays inside int64."""


def solve_exact(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Return a proven optimum, or the best list found within deterministic limits and its gap.

    Meant for up to about 10,000 accounts: memory is O(n q) in float64.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    deadline = Deadline(options.deadline_seconds)
    facts = survey(problem, options.threads)
    penalty = shortage_penalty_minor(problem, facts)
    first = greedy_list(problem, options.threads)
    progress(SolveProgress("greedy", 0.1))
    prices, side_prices, rounded = _linear_relaxation(problem, penalty)
    costs = reduced_costs(problem, prices, side_prices)
    bound = costs.bound // PRICE_SCALE
    candidates = [(worth_minor(problem, queue, penalty), queue) for queue in (first.queue, rounded)]
    worth, queue = max(((w, q) for w, q in candidates if w is not None), key=lambda pair: pair[0])
    best = Incumbent(queue, worth, bound)
    progress(SolveProgress("linear program", 0.3, _gap(best)))
    if not deadline.expired():
        best = polish(problem, costs, best, penalty, LIMITS, options.gap_target, deadline)
    result = finish(problem, best, prices, side_prices, penalty, options, deadline, IDENTITY)
    progress(SolveProgress("search", 1.0, result.gap))
    return result


def finish(
    problem: AssignmentProblem,
    best: Incumbent,
    prices: NDArray[np.int64],
    side_prices: NDArray[np.int64],
    penalty_minor: int,
    options: SolveOptions,
    deadline: Deadline,
    identity: SolverIdentity,
) -> Assignment:
    """Turn the best list into an answer: shortages stated, and the bound that of the limits relaxed by them."""
    room = side_room(problem, best.queue)
    missing = np.maximum(-room, 0)
    objective = best.worth_minor + penalty_minor * int(missing.sum())
    searched = best.searched
    if missing.any() and problem.side is not None:
        relaxed = lagrangian_bound(problem, prices, side_prices, problem.side.limit + missing)
        by_search = best.bound_minor + penalty_minor * int(missing.sum())
        bound, searched = min(relaxed, by_search), by_search < relaxed
    else:
        bound = best.bound_minor
    bound = max(bound, objective)
    gap = (bound - objective) / bound if bound > 0 else 0.0
    if deadline.fired:
        termination = Termination.DEADLINE
    elif bound == objective:
        termination = Termination.OPTIMAL
    else:
        termination = Termination.GAP_REACHED if gap <= options.gap_target else Termination.LIMIT
    stated = tuple(side_prices) if missing.any() else ()
    return Assignment(
        queue=best.queue,
        prices=prices,
        side_prices=side_prices,
        objective_minor=objective,
        bound_minor=bound,
        termination=termination,
        solver=identity,
        bound_by_search=searched,
        shortages=shortages(problem.side, room, np.array(stated)) if stated else (),
    )


def shortage_penalty_minor(problem: AssignmentProblem, facts: Survey) -> int:
    """Return the worth of one unit short in a side row: twice what working the dearest account could displace.

    No price of a row that can be met needs to be higher, up to the limit that keeps the arithmetic exact; a price that
    ends there says that the row cannot be met.
    """
    side = problem.side
    if side is None:
        return 0
    displaced = facts.max_value + int(np.ceil(facts.max_density.max(initial=0.0))) * facts.max_seconds
    reach = max(1, int(np.abs(side.table).max(initial=0)) * len(side.names))
    return max(1, min(2 * displaced, _MAX_SIDE_CHARGE // reach))


def _gap(best: Incumbent) -> float:
    return (best.bound_minor - best.worth_minor) / best.bound_minor if best.bound_minor > 0 else 0.0


def _linear_relaxation(
    problem: AssignmentProblem, penalty_minor: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Return prices and side prices on the grid, and the whole assignments of an optimal basic solution.

    Each side row has an elastic column at the shortage penalty, so the program is always feasible.
    """
    n, m, side = problem.account_count, problem.queue_count, problem.side
    rows, columns = np.nonzero(problem.value > 0)
    cells, sides = len(rows), len(side.names) if side else 0
    entries = [problem.seconds[rows, columns].astype(np.float64), np.ones(cells)]
    row_of = [columns, m + sides + rows]
    column_of = [np.arange(cells), np.arange(cells)]
    limit = [problem.capacity_seconds.astype(np.float64)]
    if side is not None:
        weights = side.table[:, side.group[rows], columns].astype(np.float64)
        k, cell = np.nonzero(weights)
        entries += [weights[k, cell], np.full(sides, -1.0)]
        row_of += [m + k, m + np.arange(sides)]
        column_of += [cell, cells + np.arange(sides)]
        limit.append(side.limit.astype(np.float64))
    matrix = csr_matrix(
        (np.concatenate(entries), (np.concatenate(row_of), np.concatenate(column_of))),
        shape=(m + sides + n, cells + sides),
    )
    objective = np.concatenate([problem.value[rows, columns].astype(np.float64), np.full(sides, -float(penalty_minor))])
    solution = maximize(objective, np.full(cells + sides, np.inf), matrix, np.concatenate([*limit, np.ones(n)]))
    queue = np.full(n, UNASSIGNED, dtype=np.int16)
    if solution is None:
        return np.zeros(m, np.int64), np.zeros(sides, np.int64), queue
    whole = np.flatnonzero(solution.columns[:cells] > 1 - 1e-6)
    queue[rows[whole]] = columns[whole]
    duals = np.rint(np.clip(solution.duals[: m + sides], 0.0, None) * PRICE_SCALE)
    return (
        np.minimum(duals[:m], MAX_PRICE).astype(np.int64),
        np.minimum(duals[m:], float(penalty_minor * PRICE_SCALE)).astype(np.int64),
        queue,
    )
