"""What every implementation of ``Solve`` owes, run on each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import UNASSIGNED, AssignmentProblem, SolveOptions, Termination
from collections_opt.solvers import SOLVERS, verify
from tests.support.solving.instances import problem_of, realistic, small_random, with_persons, with_side_rows

OPTIONS = SolveOptions()


@pytest.fixture(scope="module", params=SOLVERS)
def name(request):
    """Return the name of each solver."""
    return request.param


@pytest.fixture(scope="module", params=[name for name in SOLVERS if name != "default"])
def own_name(request):
    """Return the name of each solver that solves itself: default hands over to one of them (``tests/solvers/test_default``)."""
    return request.param


def sound(problem, answer):
    check = verify(problem, answer)
    assert check.findings == ()
    assert answer.bound_minor >= answer.objective_minor
    return answer


def best_by_enumeration(problem: AssignmentProblem) -> int:
    """Optimum of a tiny instance without side rows by dynamic programming over persons and remaining capacities."""
    states = {tuple(problem.capacity_seconds.tolist()): 0}
    everyone = np.arange(problem.account_count)
    owner = everyone if problem.persons is None else problem.persons.of
    for person in np.unique(owner):
        rows = np.flatnonzero(owner == person)
        after = dict(states)
        for left, worth in states.items():
            cells = ((q, int(problem.value[i, q]), int(problem.seconds[i, q])) for i in rows for q in range(len(left)))
            for q, v, t in cells:
                if v > 0 and t <= left[q]:
                    key = (*left[:q], left[q] - t, *left[q + 1 :])
                    after[key] = max(after.get(key, 0), worth + v)
        states = after
    return max(states.values())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), persons=st.sampled_from([None, 0.4, 0.8]))
def test_answer_is_sound_and_bound_never_below_optimum(name, seed, persons):
    problem = small_random(np.random.default_rng(seed), 8, 3)
    problem = with_persons(problem, seed, persons) if persons else problem
    answer = sound(problem, SOLVERS[name](problem, OPTIONS))
    optimum = best_by_enumeration(problem)
    assert answer.objective_minor <= optimum <= answer.bound_minor
    assert optimum <= verify(problem, answer).bound_minor


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_side_rows_hold_or_are_reported(name, seed):
    problem = small_random(np.random.default_rng(seed), 8, 3, side=True)
    sound(problem, SOLVERS[name](problem, OPTIONS))


def test_realistic_instances(own_name):
    problem = realistic(300, 5, 1)
    sound(problem, SOLVERS[own_name](problem, OPTIONS))
    rows = with_side_rows(problem)
    sound(rows, SOLVERS[own_name](rows, OPTIONS))
    for each in (problem, rows):
        owned = with_persons(each)
        answer = sound(owned, SOLVERS[own_name](owned, OPTIONS))
        assert np.bincount(owned.persons.of[answer.queue != UNASSIGNED]).max() == 1


def test_same_bytes_twice_and_for_any_thread_count(own_name):
    for problem, counts in ((realistic(400, 4, 2), (1, 2, 8, 1)), (with_persons(realistic(60, 3, 2)), (1, 8))):
        answers = [SOLVERS[own_name](problem, replace(OPTIONS, threads=threads)) for threads in counts]
        assert len({(a.queue.tobytes(), a.prices.tobytes(), a.objective_minor, a.bound_minor) for a in answers}) == 1


def test_persons_of_one_account_each_change_no_byte(name):
    problem = with_side_rows(realistic(300, 3, 3))
    each = Persons(np.arange(300, dtype=np.int32), np.arange(300, dtype=np.int32), np.arange(301, dtype=np.int64))
    first, second = (SOLVERS[name](one, OPTIONS) for one in (problem, replace(problem, persons=each)))
    assert first.queue.tobytes() == second.queue.tobytes()
    assert (first.objective_minor, first.bound_minor, first.shortages) == (
        second.objective_minor,
        second.bound_minor,
        second.shortages,
    )
    assert first.prices.tobytes() == second.prices.tobytes()


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
    persons = with_persons(problem_of([[5, 1]] * 2, [[1, 1]] * 2, [1, 1]), 0, 0.5).persons
    bads = ({"seconds": good.seconds[:, :1]}, {"capacity_seconds": good.capacity_seconds[:1]}, {"persons": persons})
    for bad in (replace(good, **each) for each in bads):
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
