"""The exact passes against numpy, and the promise of the screening."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.pricing.instance import evaluate, flatten, losses_of, near_ties, sample, screen, tally
from collections_opt.solvers.verifier import lagrangian_bound
from tests.support.solving.instances import realistic, small_random, with_side_rows


def prices_for(problem, seed):
    rng = np.random.default_rng(seed)
    m, k = problem.queue_count, len(problem.side.names) if problem.side else 0
    return np.concatenate([rng.integers(0, 9 * PRICE_SCALE, m), rng.integers(0, 900 * PRICE_SCALE, k)])


@pytest.mark.parametrize("side", [False, True])
def test_bound_equals_the_independent_one(side):
    problem = with_side_rows(realistic(500, 5, 1)) if side else realistic(500, 5, 1)
    prices = prices_for(problem, 2)
    found = evaluate(flatten(problem, 2), prices)
    assert found.bound // PRICE_SCALE == lagrangian_bound(problem, prices[:5], prices[5:])
    value, used = tally(flatten(problem, 2), found.choice)
    assert (used == found.used).all()
    worked = np.flatnonzero(found.choice >= 0)
    assert value == int(problem.value[worked, found.choice[worked]].astype(np.int64).sum())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.booleans())
def test_what_a_box_decides_holds_for_every_price_in_it(seed, side):
    rng = np.random.default_rng(seed)
    problem = small_random(rng, 40, 4, side)
    instance = flatten(problem, 1)
    low = rng.integers(0, 3 * PRICE_SCALE, len(instance.limit))
    high = low + rng.integers(0, PRICE_SCALE, len(low))
    screening = screen(instance, low, high)
    decided = np.setdiff1d(np.arange(40), screening.undecided)
    choices = [evaluate(instance, rng.integers(low, high + 1)).choice[decided] for _ in range(8)]
    choices += [evaluate(instance, corner).choice[decided] for corner in (low, high)]
    assert all((choice == choices[0]).all() for choice in choices)
    kept = np.full(40, -1, dtype=np.int16)
    kept[decided] = choices[0]
    value, used = tally(instance, kept)
    assert (value, used.tolist()) == (screening.value, screening.used.tolist())


def test_near_ties_are_the_second_best_losses():
    problem = realistic(400, 4, 3)
    instance, prices = flatten(problem, 1), prices_for(problem, 4)
    losses = np.sort(losses_of(instance, prices, np.arange(400)), axis=1)[:, 1]
    reach = int(np.quantile(losses, 0.3))
    found = near_ties(instance, prices, np.full(5, reach))
    assert found.rows.tolist() == np.flatnonzero(losses <= reach).tolist()
    assert found.losses.tolist() == losses[found.rows].tolist()


def test_near_ties_of_a_queue_have_their_own_reach_and_name_the_two_choices():
    problem = realistic(400, 4, 3)
    instance, prices = flatten(problem, 1), prices_for(problem, 4)
    losses = losses_of(instance, prices, np.arange(400))
    far = int(np.quantile(np.sort(losses, axis=1)[:, 1], 0.5))
    found = near_ties(instance, prices, np.array([-1, far, -1, -1, -1]))
    assert found.rows.size
    assert (found.between == 1).any(axis=1).all()
    pairs = losses[found.rows[:, None], found.between]
    assert (pairs[:, 0] == 0).all()
    assert (pairs[:, 1] == found.losses).all()
    assert (found.losses <= far).all()


def test_samples_are_nested_ascending_and_of_the_right_size():
    instance = flatten(realistic(50_000, 2, 5), 2)
    small, large = sample(instance, 2_000, 7), sample(instance, 16_000, 7)
    assert np.isin(small, large).all()
    assert (np.diff(large) > 0).all()
    assert abs(len(small) - 2_000) < 200
    assert not np.array_equal(sample(instance, 2_000, 8), small)


def test_any_thread_count_gives_the_same_bytes_over_many_chunks():
    problem = realistic(200_000, 3, 6)
    prices = prices_for(problem, 7)
    found = [evaluate(flatten(problem, threads), prices) for threads in (1, 2, 8)]
    assert len({(one.bound, one.choice.tobytes(), one.used.tobytes()) for one in found}) == 1
