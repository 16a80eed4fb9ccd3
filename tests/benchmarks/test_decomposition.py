"""No list comes nearer to the bound of prices than the decomposition says, and on queues of their own it says it exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import INELIGIBLE, AssignmentProblem, SolveOptions
from collections_opt.solvers import lagrangian_bound, solve_exact
from harness.benchmarks.support import decomposition
from harness.benchmarks.support.decomposition import least_gap
from tests.support.solving.instances import problem_of, realistic


def distance(problem: AssignmentProblem, prices) -> tuple[float, float]:
    """Return the gap that no list goes below, and that of the best list, both to the bound of the prices."""
    bound = lagrangian_bound(problem, prices)
    best = solve_exact(problem, SolveOptions())
    assert best.bound_minor == best.objective_minor
    return least_gap(problem, prices, bound), (bound - best.objective_minor) / bound


def primes(n: int, m: int, seed: int) -> AssignmentProblem:
    """Handling times without a common divisor, so that capacities are as they are for the decomposition too."""
    base = realistic(n, m, seed)
    seconds = base.seconds.astype(np.int64) // 30 * 2 + 1
    return problem_of(base.value, seconds, seconds.mean(axis=0) * n / m * 0.3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.7, 1.3))
def test_no_list_comes_nearer(seed, factor):
    problem = primes(24, 3, seed)
    prices = (solve_exact(problem, SolveOptions()).prices * factor).astype(np.int64)
    least, best = distance(problem, prices)
    assert least <= best + 1e-12


def test_queues_that_share_no_account_are_bounded_exactly():
    base = primes(60, 3, 5)
    value = np.where(np.arange(60)[:, None] % 3 == np.arange(3), np.maximum(base.value, 50), INELIGIBLE)
    problem = problem_of(value, base.seconds, base.capacity_seconds)
    prices = solve_exact(problem, SolveOptions()).prices
    least, best = distance(problem, prices)
    assert best > 0
    assert least == pytest.approx(best, abs=3 / lagrangian_bound(problem, prices))


def test_losses_that_both_queues_bear_in_full_are_caught(monkeypatch):
    """Planted: every queue is charged all of a loss, so that a switch between two queues counts twice."""
    honest = decomposition._switches
    monkeypatch.setattr(decomposition, "_switches", lambda i, p, _weights, most: honest(i, p, None, most))
    caught = 0
    for seed in range(40):
        problem = primes(24, 3, seed)
        least, best = distance(problem, solve_exact(problem, SolveOptions()).prices)
        caught += least > best + 1e-12
    assert caught
