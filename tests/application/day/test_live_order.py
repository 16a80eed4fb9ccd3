"""The order of a queue kept as accounts move is the order made anew from where everybody stands."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.application.day.desk.live_order import LiveOrders, Stands

QUEUES = 3


def made_anew(queue, priority, stands, at):
    """Return the rows of a queue: who stands nowhere else by place, moved ones before equals; then those given back before."""
    rows = []
    for row, (put, place) in enumerate(zip(queue, priority, strict=True)):
        now = stands.get(row, Stands(int(put), 2 * int(place), 0))
        if now.queue == at:
            rows.append((now.returned, now.rank, row))
    return [row for *_, row in sorted(rows)]


@st.composite
def lives(draw):
    """Return where a ranking put accounts, and where each of some then stands, step by step."""
    size = draw(st.integers(1, 40))
    queue = np.array(draw(st.lists(st.integers(-1, QUEUES - 1), min_size=size, max_size=size)), dtype=np.int16)
    priority = np.zeros(size, dtype=np.int32)
    for each in range(QUEUES):
        rows = np.flatnonzero(queue == each)
        priority[rows] = np.random.default_rng(size).permutation(rows.size) + 1
    step = st.tuples(
        st.integers(0, size - 1), st.integers(-1, QUEUES - 1), st.integers(1, size + 2), st.integers(0, 2), st.sampled_from("mrb")
    )
    return queue, priority, draw(st.lists(step, max_size=60)), draw(st.integers(1, 7))


@given(lives())
def test_the_kept_order_is_the_one_made_anew(life):
    queue, priority, steps, looked_every = life
    stands: dict[int, Stands] = {}
    orders = LiveOrders(queue, priority, stands.get)
    for number, (row, to, place, returned, what) in enumerate(steps):
        if what == "m":
            stands[row] = Stands(to, 2 * place - 1, returned)
        elif what == "r":
            stands[row] = Stands(int(queue[row]), 2 * int(priority[row]), returned + 1)
        else:
            stands.pop(row, None)
        orders.changed(row)
        if number % looked_every:
            continue
        for at in range(QUEUES):
            expected, order = made_anew(queue, priority, stands, at), orders.of(at)
            assert order.rows().tolist() == expected
            assert order.size == len(expected)
            for start in range(0, len(expected) + 2, 3):
                assert order.rows(start, start + 4).tolist() == expected[start : start + 4]


@given(lives())
def test_a_queue_that_is_looked_at_late_is_the_same(life):
    queue, priority, steps, _ = life
    stands: dict[int, Stands] = {}
    orders = LiveOrders(queue, priority, stands.get)
    orders.of(0)
    for row, to, place, returned, _ in steps:
        stands[row] = Stands(to, 2 * place - 1, returned)
        orders.changed(row)
    orders.of(0)
    for at in range(QUEUES):
        assert orders.of(at).rows().tolist() == made_anew(queue, priority, stands, at)


def test_more_returns_than_a_key_holds_stand_last():
    queue, priority = np.zeros(3, dtype=np.int16), np.array([1, 2, 3], dtype=np.int32)
    stands = {0: Stands(0, 2, 10**6), 1: Stands(0, 4, 1)}
    orders = LiveOrders(queue, priority, stands.get)
    for row in stands:
        orders.changed(row)
    assert orders.of(0).rows().tolist() == [2, 1, 0]
