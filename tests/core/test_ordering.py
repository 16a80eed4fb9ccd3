"""Raw orders fill the same capacity; places in a queue follow the key and then the account id."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem
from collections_opt.core.ordering import fill_in_order, priority_in_queue


def problem_of(value, seconds, capacity):
    return AssignmentProblem(
        np.array(value, dtype=np.int32), np.array(seconds, dtype=np.uint16), np.array(capacity, dtype=np.int64)
    )


def fill_by_hand(key, problem):
    """Serial dictatorship in plain Python: the best open queue; a queue closes at the first account that does not fit."""
    left, is_open = problem.capacity_seconds.tolist(), [True] * problem.queue_count
    result = [UNASSIGNED] * problem.account_count
    for row in np.argsort(-np.asarray(key), kind="stable"):
        while True:
            usable = [q for q in range(problem.queue_count) if is_open[q] and problem.value[row, q] != INELIGIBLE]
            if not usable:
                break
            best = max(usable, key=lambda q: (problem.value[row, q], -q))
            if problem.seconds[row, best] <= left[best]:
                left[best] -= int(problem.seconds[row, best])
                result[row] = best
                break
            is_open[best] = False
    return result


cells = st.one_of(st.just(INELIGIBLE), st.integers(-5, 20))


@given(st.integers(0, 12), st.integers(1, 4), st.data())
def test_filling_equals_the_loop_it_replaces(count, queues, data):
    value = data.draw(st.lists(st.lists(cells, min_size=queues, max_size=queues), min_size=count, max_size=count))
    seconds = data.draw(st.lists(st.lists(st.integers(1, 9), min_size=queues, max_size=queues), min_size=count, max_size=count))
    capacity = data.draw(st.lists(st.integers(0, 25), min_size=queues, max_size=queues))
    key = np.array(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), dtype=np.float64)
    problem = AssignmentProblem(
        np.array(value, dtype=np.int32).reshape(count, queues),
        np.array(seconds, dtype=np.uint16).reshape(count, queues),
        np.array(capacity, dtype=np.int64),
    )
    assert fill_in_order(key, problem).tolist() == fill_by_hand(key, problem)


def test_raw_orders_work_accounts_that_cost_more_than_they_earn():
    problem = problem_of([[-5], [10]], [[1], [1]], [1])
    assert fill_in_order(np.array([2.0, 1.0]), problem).tolist() == [0, UNASSIGNED]


def test_priority_is_one_based_per_queue_with_ties_by_row():
    queue = np.array([1, 0, 1, UNASSIGNED, 0], dtype=np.int16)
    key = np.array([2.0, 1.0, 3.0, 9.0, 1.0])
    assert priority_in_queue(queue, key).tolist() == [2, 1, 1, 0, 2]
