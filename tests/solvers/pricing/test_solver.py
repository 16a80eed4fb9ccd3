"""The large-scale solver on every named hard case and against independent oracles."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from ortools.graph.python import min_cost_flow
from scipy.sparse import csr_matrix

from collections_opt.core.problem.assignment import UNASSIGNED, AssignmentProblem, SolveOptions, Termination
from collections_opt.solvers import solve_pricing, verify
from collections_opt.solvers.linear_program import maximize
from collections_opt.solvers.pricing import solver as pricing_solver
from tests.support.solving.instances import (
    HARD_CASES,
    all_negative,
    equal_times,
    everything_slack,
    identical_queues,
    problem_of,
    realistic,
    unmeetable_floor,
    with_side_rows,
)

OPTIONS = SolveOptions(gap_target=1e-5)

GAPS = {
    "mass_ties": 1e-6,
    "equal_times": 0.0,
    "copies": 1e-5,
    "closed_and_empty_queues": 2e-5,
    "everything_slack": 0.0,
    "all_negative": 0.0,
    "identical_queues": 5e-5,
    "near_identical_queues": 5e-5,
    "many_queues": 2e-2,
    "one_whale": 1e-5,
    "unmeetable_floor": 1e-4,
    "side_rows": 1e-4,
}


def sound(problem: AssignmentProblem, options: SolveOptions = OPTIONS):
    answer = solve_pricing(problem, options)
    assert verify(problem, answer).findings == ()
    return answer


@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_case_is_sound_and_nearly_optimal(name):
    assert sound(HARD_CASES[name]()).gap <= GAPS[name]


def test_everything_slack_gives_everyone_the_best_queue_at_price_zero():
    problem = everything_slack()
    answer = sound(problem)
    assert answer.termination is Termination.OPTIMAL
    assert not answer.prices.any()
    assert answer.objective_minor == int(np.maximum(problem.value, 0).max(axis=1).astype(np.int64).sum())


def test_all_negative_assigns_nobody():
    assert (sound(all_negative()).queue == UNASSIGNED).all()


def test_unmeetable_floor_is_reported_at_its_price_and_nothing_is_hidden():
    problem = unmeetable_floor()
    answer = sound(problem)
    group = np.flatnonzero(problem.side.group == 1)
    workable = int((problem.value[group] > 0).any(axis=1).sum())
    (shortage,) = answer.shortages
    assert shortage.missing == 2 * len(group) - workable
    assert shortage.price_minor > problem.value.max()


def full_linear_program(problem: AssignmentProblem) -> float:
    rows, queues = np.nonzero(problem.value > 0)
    n, m = problem.value.shape
    cells = np.arange(len(rows))
    matrix = csr_matrix(
        (
            np.concatenate([problem.seconds[rows, queues], np.ones(len(rows))]),
            (np.concatenate([queues, m + rows]), np.tile(cells, 2)),
        ),
        shape=(m + n, len(rows)),
        dtype=np.float64,
    )
    limit = np.concatenate([problem.capacity_seconds, np.ones(n)]).astype(np.float64)
    return maximize(problem.value[rows, queues].astype(np.float64), np.full(len(rows), np.inf), matrix, limit).objective


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("load", [0.05, 0.3, 0.6])
def test_prices_are_those_of_the_whole_linear_program(seed, load):
    problem = realistic(12_000, 5, seed, load)
    answer = sound(problem)
    assert answer.bound_minor == pytest.approx(full_linear_program(problem), rel=1e-7)
    assert not answer.bound_by_search
    assert answer.gap <= 2e-4


def test_equal_times_reach_the_optimum_of_min_cost_flow():
    problem = equal_times(3000, 4)
    flow = min_cost_flow.SimpleMinCostFlow()
    n, m = problem.value.shape
    rows, queues = np.nonzero(problem.value > 0)
    slots = problem.capacity_seconds // problem.seconds[0]
    accounts = np.arange(n)
    tails = np.concatenate([np.zeros(n, np.int64), 1 + rows, 1 + n + np.arange(m), 1 + accounts])
    heads = np.concatenate([1 + accounts, 1 + n + queues, np.full(m, 1 + n + m), np.full(n, 1 + n + m)])
    capacity = np.concatenate([np.ones(n + len(rows), np.int64), slots, np.ones(n, np.int64)])
    cost = np.concatenate([np.zeros(n, np.int64), -problem.value[rows, queues].astype(np.int64), np.zeros(m + n, np.int64)])
    flow.add_arcs_with_capacity_and_unit_cost(tails, heads, capacity, cost)
    flow.set_node_supply(0, n)
    flow.set_node_supply(1 + n + m, -n)
    assert flow.solve() == flow.OPTIMAL
    assert sound(problem).objective_minor == -flow.optimal_cost()


def test_larger_side_rows_hold():
    problem = with_side_rows(realistic(150_000, 6, 4))
    answer = sound(problem)
    assert answer.gap <= 1e-5
    assert answer.side_prices.any()
    assert not answer.shortages


def digest(answer) -> str:
    parts = answer.queue.tobytes() + answer.prices.tobytes() + answer.side_prices.tobytes()
    return hashlib.sha256(parts + str((answer.objective_minor, answer.bound_minor)).encode()).hexdigest()


def test_same_bytes_for_any_thread_count_and_in_another_process():
    problem = with_side_rows(realistic(150_000, 4, 8))
    first = digest(solve_pricing(problem, SolveOptions(threads=1)))
    assert first == digest(solve_pricing(problem, SolveOptions(threads=2)))
    code = (
        "from tests.solvers.pricing.test_solver import *\n"
        "print(digest(solve_pricing(with_side_rows(realistic(150_000, 4, 8)), SolveOptions(threads=8))))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == first


def test_shuffled_rows_change_neither_bound_nor_prices():
    """Samples are drawn by row, so the path differs: the optimal prices and the bound must not."""
    problem = realistic(30_000, 5, 9)
    order = np.random.default_rng(1).permutation(30_000)
    shuffled = problem_of(problem.value[order], problem.seconds[order], problem.capacity_seconds)
    first, second = sound(problem), sound(shuffled)
    assert second.bound_minor == pytest.approx(first.bound_minor, abs=1)
    assert second.prices == pytest.approx(first.prices, rel=1e-4)
    assert second.objective_minor == pytest.approx(first.objective_minor, rel=1e-4)


def test_yesterdays_prices_lead_to_the_same_bound():
    problem = realistic(150_000, 5, 10)
    cold = sound(problem)
    warm = sound(problem, replace(OPTIONS, warm_prices=(cold.prices * 1.1).astype(np.int64)))
    assert warm.bound_minor == pytest.approx(cold.bound_minor, abs=2)
    nonsense = sound(problem, replace(OPTIONS, warm_prices=np.full(5, 1 << 43, dtype=np.int64)))
    assert nonsense.gap <= 1e-4


@pytest.mark.parametrize("stage", range(3))
def test_a_deadline_at_any_moment_still_returns_a_sound_answer(stage, monkeypatch):
    """The guard fires when it is asked for the n-th time; what has been found by then is completed."""
    asked = []

    class Guard(pricing_solver.Deadline):
        def expired(self) -> bool:
            asked.append(1)
            self.fired = self.fired or len(asked) > stage
            return self.fired

    monkeypatch.setattr(pricing_solver, "Deadline", Guard)
    answer = sound(with_side_rows(realistic(20_000, 5, 11)) if stage % 2 else realistic(20_000, 5, 11))
    assert answer.termination is Termination.DEADLINE
    assert not answer.replayable
    assert answer.objective_minor > 0
    assert answer.gap < 0.6


@pytest.mark.parametrize(
    "problem",
    [realistic(150_000, 4, 12), with_side_rows(realistic(30_000, 5, 12)), identical_queues(20_000, 8), unmeetable_floor(1_500)],
    ids=["plain", "side rows", "alike queues", "unmeetable floor"],
)
def test_progress_shows_after_every_box_step_a_gap_that_only_shrinks(problem):
    seen = []
    answer = solve_pricing(problem, OPTIONS, seen.append)
    assert [report.fraction for report in seen] == sorted(report.fraction for report in seen)
    steps = [report for report in seen if report.stage.startswith("box step")]
    assert steps
    assert all(report.gap is not None for report in steps)
    gaps = [report.gap for report in seen if report.gap is not None]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > gaps[-1]
    assert gaps[-1] == pytest.approx(answer.gap)


def test_a_listener_changes_no_byte_of_the_answer():
    problem = with_side_rows(realistic(30_000, 5, 12))
    assert digest(solve_pricing(problem, OPTIONS)) == digest(solve_pricing(problem, OPTIONS, lambda _: None))


def test_alike_queues_have_one_price():
    prices = sound(identical_queues(20_000, 8)).prices
    assert len(set(prices[::2].tolist())) == len(set(prices[1::2].tolist())) == 1


def test_whole_handling_times_tighten_the_bound():
    problem = problem_of(np.full((10, 1), 100), np.full((10, 1), 300), [899])
    answer = sound(problem)
    assert (answer.objective_minor, answer.bound_minor) == (200, 200)
