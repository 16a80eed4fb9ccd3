"""The exact solver against enumeration, with side rows, and byte for byte."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import SolveOptions, Termination
from collections_opt.solvers import solve_exact, solve_pricing, verify
from tests.support.solving.instances import realistic, small_random


def best_with_fewest_missing(problem) -> tuple[int, int]:
    """(fewest units missing in the floor, best value at that) over all lists that respect capacities and the cap."""
    n, m = problem.value.shape
    best = (10**9, 0)
    for queues in product(range(-1, m), repeat=n):
        cells = [(i, q) for i, q in enumerate(queues) if q >= 0]
        if any(problem.value[i, q] <= 0 for i, q in cells):
            continue
        used = np.zeros(m, dtype=np.int64)
        for i, q in cells:
            used[q] += problem.seconds[i, q]
        room = problem.side.limit - sum(
            (problem.side.table[:, problem.side.group[i], q] for i, q in cells), np.zeros(2, dtype=np.int64)
        )
        if (used <= problem.capacity_seconds).all() and room[0] >= 0:
            best = min(best, (max(0, -int(room[1])), -sum(int(problem.value[c]) for c in cells)))
    return best[0], -best[1]


@pytest.mark.parametrize("solve", [solve_exact, solve_pricing])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_side_rows_against_enumeration(solve, seed):
    problem = small_random(np.random.default_rng(seed), 5, 2, side=True)
    missing, value = best_with_fewest_missing(problem)
    answer = solve(problem, SolveOptions())
    assert verify(problem, answer).ok
    assert sum(shortage.missing for shortage in answer.shortages) == missing
    assert answer.objective_minor == value
    assert answer.termination is Termination.OPTIMAL


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), accounts=st.integers(1, 60), queues=st.integers(1, 5))
def test_small_instances_are_solved_to_proof(seed, accounts, queues):
    problem = small_random(np.random.default_rng(seed), accounts, queues)
    answer = solve_exact(problem, SolveOptions())
    assert answer.termination is Termination.OPTIMAL
    assert solve_pricing(problem, SolveOptions()).objective_minor == answer.objective_minor


def test_the_size_of_a_bundled_portfolio():
    problem = realistic(4209, 5, 1)
    answer = solve_exact(problem, SolveOptions())
    assert verify(problem, answer).ok
    assert answer.gap <= 2e-5
    again = solve_exact(problem, SolveOptions(threads=1))
    assert (answer.queue.tobytes(), answer.bound_minor) == (again.queue.tobytes(), again.bound_minor)


def test_gap_target_stops_early_and_says_so():
    answer = solve_exact(realistic(2000, 5, 3), SolveOptions(gap_target=1e-2))
    assert answer.termination is Termination.GAP_REACHED
    assert not answer.bound_by_search
