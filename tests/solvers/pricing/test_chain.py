"""The chain program against enumeration, and what it must leave alone."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.solvers.pricing.chain import NEVER, settle_queues


def settle(loss, seconds, choice, slack, prices, table=None, room=(), guard=0):
    m = len(slack)
    table = np.zeros((0, 1, m), dtype=np.int64) if table is None else table
    choice, slack = np.array(choice, dtype=np.int64), np.array(slack, dtype=np.int64)
    settle_queues(
        np.arange(m), np.array(loss), np.array(seconds), choice, slack, np.array(prices), 10**6,
        np.zeros(len(choice), dtype=np.int64), table, np.array(room, dtype=np.int64), guard,
    )  # fmt: skip
    return choice, slack


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_one_queue_is_filled_at_the_least_loss(seed):
    rng = np.random.default_rng(seed)
    n, price = 7, int(rng.integers(1, 6))
    seconds = rng.integers(1, 9, (n, 1))
    gain = rng.integers(-20, 20, n)
    loss = np.column_stack([np.maximum(-gain, 0), np.maximum(gain, 0)])
    start = np.where(gain > 0, 0, 1)
    slack = int(rng.integers(-10, 15))

    def total(choice):
        left = slack + sum(int(seconds[i, 0]) * (int(choice[i]) - int(start[i])) for i in range(n))
        return NEVER if left < 0 else sum(int(loss[i, choice[i]]) for i in range(n)) + price * left

    choice, left = settle(loss, seconds, start, [slack], [price])
    best = min(total(c) for c in product((0, 1), repeat=n))
    assert total(choice) == best or best == NEVER
    if best < NEVER:
        assert left[0] == slack + int((seconds[:, 0] * (choice - start)).sum())


def test_never_an_unworkable_cell():
    choice, _ = settle([[NEVER, 0], [3, 0]], [[5], [5]], [1, 1], [10], [100])
    assert choice.tolist() == [1, 0]


def test_tight_side_rows_are_left_alone():
    table = np.ones((1, 1, 1), dtype=np.int64)
    switched, _ = settle([[0, 0]], [[5]], [1], [5], [10], table, [3], guard=1)
    assert switched.tolist() == [0]
    kept, _ = settle([[0, 0]], [[5]], [1], [5], [10], table, [3], guard=4)
    assert kept.tolist() == [1]
