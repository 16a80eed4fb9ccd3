"""The greedy list: order, ties, skipping, floors first."""

from __future__ import annotations

import numpy as np

from collections_opt.core.problem.assignment import SideConstraints, SolveOptions
from collections_opt.solvers import solve_exact, solve_greedy, verify
from tests.support.solving.instances import problem_of, realistic


def test_densest_first_ties_by_row_and_misfits_are_skipped():
    problem = problem_of([[30], [30], [90], [5]], [[10], [10], [60], [2]], [22])
    assert solve_greedy(problem, SolveOptions()).queue.tolist() == [0, 0, -1, 0]


def test_next_densest_queue_when_the_best_is_full():
    problem = problem_of([[90, 50], [80, 10]], [[10, 10], [10, 10]], [10, 10])
    answer = solve_greedy(problem, SolveOptions())
    assert answer.queue.tolist() == [0, 1]
    assert answer.prices.tolist() == [8 << 20, 0]


def test_floors_are_served_first_and_unmet_ones_reported():
    table = np.zeros((1, 2, 1), dtype=np.int64)
    table[0, 1, 0] = -1
    side = SideConstraints(("floor",), np.array([0, 1, 1, 0], dtype=np.int32), table, np.array([-2], dtype=np.int64))
    problem = problem_of([[90], [1], [1], [80]], [[10], [10], [10], [10]], [20], side)
    answer = solve_greedy(problem, SolveOptions())
    assert answer.queue.tolist() == [-1, 0, 0, -1]
    short = problem_of([[90], [1], [-1], [80]], [[10], [10], [10], [10]], [20], side)
    assert [(s.name, s.missing) for s in solve_greedy(short, SolveOptions()).shortages] == [("floor", 1)]


def test_greedy_is_a_reasonable_baseline_with_a_finite_bound():
    problem = realistic(3000, 6, 2)
    greedy, best = solve_greedy(problem, SolveOptions()), solve_exact(problem, SolveOptions(gap_target=1e-3))
    assert 0.8 * best.objective_minor <= greedy.objective_minor <= best.objective_minor
    assert best.objective_minor <= verify(problem, greedy).bound_minor <= 2 * best.objective_minor
