"""Small instances: the whole linear program for the prices, then branch and bound on what reduced costs leave open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from collections_opt.core.problem.assignment import (
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    SolverIdentity,
    ignore_progress,
)
from collections_opt.solvers.answer import Incumbent, Proof, answer
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.greedy import greedy_list
from collections_opt.solvers.linear_program import maximize
from collections_opt.solvers.polish import SearchLimits, polish, reduced_costs, side_room, worth_minor
from collections_opt.solvers.pricing.instance import flatten
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.presolve import usable_capacity
from collections_opt.solvers.pricing.rounding import Goal, pool_of, round_choices
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import survey
from collections_opt.solvers.verifier import MAX_PRICE

LIMITS = SearchLimits()
IDENTITY = SolverIdentity("exact", "1", (("search_columns", str(LIMITS.columns)), ("search_nodes", str(LIMITS.nodes))))


def solve_exact(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Return a proven optimum, or the best list found within deterministic limits and its gap.

    Meant for up to about 10,000 accounts: memory is O(n q) in float64.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    deadline = Deadline(options.deadline_seconds, options.clock)
    facts = survey(problem, options.threads)
    problem = replace(problem, capacity_seconds=usable_capacity(problem.capacity_seconds, facts.divisor))
    penalty = shortage_penalty_minor(problem.side, facts)
    first = greedy_list(problem, options.threads)
    progress(SolveProgress("greedy", 0.1))
    prices, side_prices, rounded = _linear_relaxation(problem, penalty, first.prices, deadline)
    costs = reduced_costs(problem, prices, side_prices)
    people, every_price = People(flatten(problem, options.threads), problem.persons), np.concatenate([prices, side_prices])
    instance = people.at(every_price)
    pool = pool_of(instance, instance, every_price)
    goal = Goal(every_price, penalty, costs.bound // PRICE_SCALE)
    switched = round_choices(instance, goal, people.of_persons(rounded), pool.rows, pool.reach, deadline)
    lists = [first.queue, rounded, *([] if switched is None else [people.of_accounts(every_price, switched)])]
    candidates = [(worth_minor(problem, queue, penalty), queue) for queue in lists]
    worth, queue = max(((w, q) for w, q in candidates if w is not None), key=lambda pair: pair[0])
    best = Incumbent(queue, worth, costs.bound // PRICE_SCALE)
    progress(SolveProgress("linear program", 0.3, best.gap))
    if not deadline.expired():
        best = polish(problem, costs, best, penalty, LIMITS, options.gap_target, deadline)
    proof, room = Proof(prices, side_prices, costs.bound), side_room(problem, best.queue)
    result = answer(problem.side, best, proof, room, penalty, options, deadline.fired, IDENTITY)
    progress(SolveProgress("search", 1.0, result.gap))
    return result


def _linear_relaxation(
    problem: AssignmentProblem, penalty_minor: int, otherwise: NDArray[np.int64], deadline: Deadline
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Return prices and side prices on the grid, and the whole assignments of an optimal basic solution.

    Each side row has an elastic column at the shortage penalty, so the program is always feasible. Out of time
    the queues have the prices ``otherwise`` and nobody is assigned.
    """
    n, m, side = problem.account_count, problem.queue_count, problem.side
    rows, columns = np.nonzero(problem.value > 0)
    cells, sides = len(rows), len(side.names) if side else 0
    entries = [problem.seconds[rows, columns].astype(np.float64), np.ones(cells)]
    owners, owner = (n, rows) if problem.persons is None else (problem.persons.count, problem.persons.of[rows])
    row_of = [columns, m + sides + owner]
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
        shape=(m + sides + owners, cells + sides),
    )
    objective = np.concatenate([problem.value[rows, columns].astype(np.float64), np.full(sides, -float(penalty_minor))])
    solution = maximize(
        objective, np.full(cells + sides, np.inf), matrix, np.concatenate([*limit, np.ones(owners)]), deadline.left()
    )
    queue = np.full(n, UNASSIGNED, dtype=np.int16)
    if solution is None:
        return otherwise, np.zeros(sides, np.int64), queue
    whole = np.flatnonzero(solution.columns[:cells] > 1 - 1e-6)
    queue[rows[whole]] = columns[whole]
    duals = np.rint(np.clip(solution.duals[: m + sides], 0.0, None) * PRICE_SCALE)
    return (
        np.minimum(duals[:m], MAX_PRICE).astype(np.int64),
        np.minimum(duals[m:], float(penalty_minor * PRICE_SCALE)).astype(np.int64),
        queue,
    )
