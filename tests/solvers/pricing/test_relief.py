"""A list brought back within its limits breaks none that can be kept, at any prices, and serves floors before others."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.pricing.instance import evaluate, flatten, tally
from collections_opt.solvers.pricing.relief import trimmed
from tests.support.solving.instances import realistic, small_random, with_side_rows


def trimmed_at(problem, prices):
    instance = flatten(problem, 1)
    queue = trimmed(instance, prices, evaluate(instance, prices).choice)
    return instance, queue, tally(instance, queue)[1]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_hard_limits_hold_and_only_workable_cells_are_used(seed, side):
    rng = np.random.default_rng(seed)
    problem = small_random(rng, int(rng.integers(0, 20)), 3, side)
    prices = rng.integers(0, 4 * PRICE_SCALE, 5 if side else 3)
    instance, queue, used = trimmed_at(problem, prices)
    assert (used <= instance.limit)[~instance.elastic].all()
    worked = np.flatnonzero(queue != UNASSIGNED)
    assert (problem.value[worked, queue[worked]] > 0).all()


def test_floors_are_met_even_at_prices_that_do_not_know_of_them():
    problem = with_side_rows(realistic(4_000, 6, 16))
    instance, _, used = trimmed_at(problem, np.concatenate([np.full(6, 3 * PRICE_SCALE), np.zeros(6, np.int64)]))
    assert (used <= instance.limit).all()
