"""What every implementation of ``Solve`` owes, run on each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.assignment import UNASSIGNED, AssignmentProblem, SolveOptions, Termination
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.solvers import SOLVERS, verify
from tests.solvers.instances import problem_of, realistic, small_random, with_side_rows

pytestmark = pytest.mark.parametrize("name", SOLVERS)

OPTIONS = SolveOptions()


def sound(problem, answer):
    check = verify(problem, answer)
    assert check.findings == ()
    assert answer.bound_minor >= answer.objective_minor
    return answer


def best_by_enumeration(problem: AssignmentProblem) -> int:
    """Optimum of a tiny instance without side rows by dynamic programming over remaining capacities."""
    states = {tuple(problem.capacity_seconds.tolist()): 0}
    for values, times in zip(problem.value.tolist(), problem.seconds.tolist(), strict=True):
        after = dict(states)
        for left, worth in states.items():
            for q, (v, t) in enumerate(zip(values, times, strict=True)):
                if v > 0 and t <= left[q]:
                    key = (*left[:q], left[q] - t, *left[q + 1 :])
                    after[key] = max(after.get(key, 0), worth + v)
        states = after
    return max(states.values())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_answer_is_sound_and_bound_never_below_optimum(name, seed):
    problem = small_random(np.random.default_rng(seed), 8, 3)
    answer = sound(problem, SOLVERS[name](problem, OPTIONS))
    optimum = best_by_enumeration(problem)
    assert answer.objective_minor <= optimum <= answer.bound_minor
    assert optimum <= verify(problem, answer).bound_minor


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_side_rows_hold_or_are_reported(name, seed):
    problem = small_random(np.random.default_rng(seed), 8, 3, side=True)
    sound(problem, SOLVERS[name](problem, OPTIONS))


def test_realistic_instances(name):
    problem = realistic(300, 5, 1)
    sound(problem, SOLVERS[name](problem, OPTIONS))
    rows = with_side_rows(problem)
    sound(rows, SOLVERS[name](rows, OPTIONS))


def test_same_bytes_twice_and_for_any_thread_count(name):
    problem = realistic(400, 4, 2)
    answers = [SOLVERS[name](problem, replace(OPTIONS, threads=threads)) for threads in (1, 2, 8, 1)]
    assert len({(a.queue.tobytes(), a.prices.tobytes(), a.objective_minor, a.bound_minor) for a in answers}) == 1


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (0, 0), (1, 1)])
def test_empty_and_tiny_instances(name, shape):
    problem = problem_of(np.full(shape, 7), np.full(shape, 2), np.full(shape[1], 2))
    answer = sound(problem, SOLVERS[name](problem, OPTIONS))
    assert answer.objective_minor == (7 if shape == (1, 1) else 0)


def test_nothing_worth_working_leaves_everyone_unassigned(name):
    problem = problem_of(np.full((20, 3), -4), np.full((20, 3), 5), [100, 100, 100])
    answer = sound(problem, SOLVERS[name](problem, OPTIONS))
    assert (answer.queue == UNASSIGNED).all()
    assert answer.bound_minor == 0


def test_progress_ends_at_one_and_never_goes_back(name):
    seen = []
    SOLVERS[name](realistic(200, 3, 4), OPTIONS, seen.append)
    fractions = [report.fraction for report in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_expired_deadline_still_returns_a_sound_answer(name):
    problem = realistic(500, 4, 5)
    answer = sound(problem, SOLVERS[name](problem, replace(OPTIONS, deadline_seconds=0.0)))
    assert answer.objective_minor > 0
    assert answer.termination in {Termination.DEADLINE, Termination.HEURISTIC}


def test_sums_that_could_leave_int64_are_refused(name, monkeypatch):
    monkeypatch.setattr("collections_opt.solvers.survey.MAX_TOTAL_VALUE", 100)
    with pytest.raises(CollectionsError) as refused:
        SOLVERS[name](problem_of([[60], [60]], [[1], [1]], [1]), OPTIONS)
    assert refused.value.reason is Reason.VALUE_OVERFLOW


def test_a_cell_without_handling_time_is_refused(name):
    with pytest.raises(CollectionsError, match="handling time") as refused:
        SOLVERS[name](problem_of([[5]], [[0]], [1]), OPTIONS)
    assert refused.value.reason is Reason.INVALID_ARGUMENT


def test_shapes_that_differ_are_refused(name):
    good = problem_of([[5, 1]], [[1, 1]], [1, 1])
    for bad in (replace(good, seconds=good.seconds[:, :1]), replace(good, capacity_seconds=good.capacity_seconds[:1])):
        with pytest.raises(CollectionsError) as refused:
            SOLVERS[name](bad, OPTIONS)
        assert refused.value.reason is Reason.INVALID_ARGUMENT


def test_problem_arrays_are_left_alone(name):
    problem = realistic(200, 3, 6)
    for array in (problem.value, problem.seconds, problem.capacity_seconds):
        array.setflags(write=False)
    before = problem.value.tobytes(), problem.seconds.tobytes(), problem.capacity_seconds.tobytes()
    SOLVERS[name](problem, OPTIONS)
    assert before == (problem.value.tobytes(), problem.seconds.tobytes(), problem.capacity_seconds.tobytes())
