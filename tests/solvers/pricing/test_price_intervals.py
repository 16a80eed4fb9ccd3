"""Price intervals against the whole dual program, and on instances whose optimal prices are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, SolveOptions
from collections_opt.solvers import price_intervals, solve_exact, solve_pricing
from collections_opt.solvers.verifier import usable_capacity
from tests.support.solving.instances import (
    equal_times,
    identical_queues,
    problem_of,
    realistic,
    small_random,
    with_persons,
    with_side_rows,
)

OPTIONS = SolveOptions(gap_target=1e-4)


def extremes(problem) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest optimal price of each limit from the dual of the whole program, account by account."""
    m, side = problem.queue_count, problem.side
    n = problem.account_count if problem.persons is None else problem.persons.count
    rows, queues = np.nonzero(problem.value > 0)
    limits = [usable_capacity(problem)] + ([side.limit] if side else [])
    count = sum(map(len, limits))
    weights = lil_matrix((len(rows), count + n))
    cells = np.arange(len(rows))
    weights[cells, queues] = -problem.seconds[rows, queues].astype(float)
    weights[cells, count + (rows if problem.persons is None else problem.persons.of[rows])] = -1.0
    for k in range(count - m):
        weights[cells, m + k] = -side.table[k, side.group[rows], queues].astype(float)
    cost = np.concatenate([*limits, np.ones(n)]).astype(float)
    needs = -problem.value[rows, queues].astype(float)
    best = linprog(cost, weights.tocsr(), needs).fun
    weights.resize((len(rows) + 1, count + n))
    weights[len(rows)] = cost
    needs = np.append(needs, best + 1e-9 * max(1.0, abs(best)))
    ends = [[], []]
    for limit in range(count):
        goal = np.zeros(count + n)
        goal[limit] = 1.0
        for end, sign in zip(ends, (1, -1), strict=True):
            found = linprog(sign * goal, weights.tocsr(), needs)
            end.append(sign * found.fun if found.status == 0 else np.inf)
    return np.array(ends[0]), np.array(ends[1])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.booleans(), persons=st.booleans())
def test_ends_are_those_of_the_whole_dual_program(seed, side, persons):
    problem = small_random(np.random.default_rng(seed), 30, 3, side)
    problem = with_persons(problem, seed) if persons else problem
    answer = solve_exact(problem, OPTIONS)
    found = price_intervals(problem, answer, OPTIONS)
    low, high = extremes(problem)
    known = found.complete & (answer.shortages == ())
    ours = [np.concatenate(ends) / PRICE_SCALE for ends in ((found.low, found.side_low), (found.high, found.side_high))]
    assert ours[0][known] == pytest.approx(low[known], abs=1e-4)
    assert ours[1][known] == pytest.approx(high[known], abs=1e-4)


def test_one_account_too_many_leaves_the_price_between_two_densities():
    problem = problem_of([[900], [500], [200]], [[100], [100], [100]], [200])
    found = price_intervals(problem, solve_exact(problem, OPTIONS), OPTIONS)
    assert (found.low / PRICE_SCALE, found.high / PRICE_SCALE) == (pytest.approx([2]), pytest.approx([5]))
    assert found.complete.all()


@pytest.mark.parametrize(
    "make",
    [
        equal_times,
        identical_queues,
        lambda: with_side_rows(realistic(4000, 6, 16)),
        lambda: with_persons(realistic(4000, 6, 16)),
        lambda: with_persons(equal_times()),
    ],
)
def test_intervals_hold_the_answers_prices_and_their_bound(make):
    problem = make()
    answer = solve_pricing(problem, OPTIONS)
    found = price_intervals(problem, answer, OPTIONS)
    assert found.complete.all()
    assert ((found.low <= answer.prices) & (answer.prices <= found.high)).all()
    assert ((found.side_low <= answer.side_prices) & (answer.side_prices <= found.side_high)).all()


def test_a_closed_queue_has_no_upper_end():
    problem = problem_of([[900, 5]] * 40, [[100, 100]] * 40, [0, 1000])
    found = price_intervals(problem, solve_pricing(problem, OPTIONS), OPTIONS)
    assert not found.complete[0]
    assert found.high[0] > 30 * PRICE_SCALE


def test_nothing_workable_has_price_zero():
    problem = problem_of(np.full((5, 2), INELIGIBLE), np.ones((5, 2)), [10, 10])
    found = price_intervals(problem, solve_exact(problem, OPTIONS), OPTIONS)
    assert not found.high.any()
