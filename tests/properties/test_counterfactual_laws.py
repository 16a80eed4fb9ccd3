"""Every counterfactual flips the decision when it is applied, and one unit less does not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, SolveOptions
from collections_opt.core.ranking.counterfactuals import IMPOSSIBLE, counterfactuals
from collections_opt.core.ranking.placement import margins, place
from collections_opt.solvers import SOLVERS
from tests.support.solving.instances import realistic, small_random, with_persons


def chosen(problem, prices, side_prices, row):
    return int(place(problem, prices, side_prices).queue[row])


def with_increment(problem, row, queue, increment):
    value = problem.value.copy()
    value[row, queue] = increment
    return replace(problem, value=value)


def with_price(prices, queue, price):
    result = prices.copy()
    result[queue] = price
    return result


def check_flips(problem, prices, side_prices, found):
    """Return how many counterfactuals were applied."""
    applied = 0
    for row in range(problem.account_count):
        for queue in range(problem.queue_count):
            if problem.value[row, queue] == INELIGIBLE:
                assert (found.least_increment_minor[row, queue], found.highest_price[row, queue]) == (0, IMPOSSIBLE)
                continue
            least, highest = int(found.least_increment_minor[row, queue]), int(found.highest_price[row, queue])
            assert chosen(with_increment(problem, row, queue, least), prices, side_prices, row) == queue
            assert chosen(with_increment(problem, row, queue, least - 1), prices, side_prices, row) != queue
            if highest != IMPOSSIBLE:
                assert chosen(problem, with_price(prices, queue, highest), side_prices, row) == queue
            assert chosen(problem, with_price(prices, queue, highest + 1), side_prices, row) != queue
            applied += 1
    return applied


def instance(seed, kind, side=False, persons=False):
    rng = np.random.default_rng(seed)
    problem = realistic(6, 3, seed) if kind == "realistic" else small_random(rng, 6, 3, side=side)
    return with_persons(problem, seed, 0.6) if persons else problem, rng


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["realistic", "ties"]), st.booleans(), st.booleans())
def test_counterfactuals_flip_at_any_prices(seed, kind, side, persons):
    problem, rng = instance(seed, kind, side, persons)
    whole = rng.integers(0, 4, problem.queue_count) * PRICE_SCALE
    prices = np.where(rng.random(problem.queue_count) < 0.5, whole, rng.integers(0, 4 * PRICE_SCALE, problem.queue_count))
    side_prices = rng.integers(0, 3 * PRICE_SCALE, len(problem.side.names) if problem.side else 0)
    found = counterfactuals(problem, margins(problem, prices, side_prices), prices)
    check_flips(problem, prices, side_prices, found)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(SOLVERS)))
def test_counterfactuals_flip_at_the_prices_of_an_answer(seed, name):
    problem = small_random(np.random.default_rng(seed), 8, 3)
    problem = with_persons(problem, seed) if seed % 2 else problem
    prices = SOLVERS[name](problem, SolveOptions()).prices
    none = np.zeros(0, np.int64)
    check_flips(problem, prices, none, counterfactuals(problem, margins(problem, prices, none), prices))


@pytest.mark.parametrize("planted", ["least_increment_minor", "highest_price"])
@pytest.mark.parametrize("by", [-1, 1])
def test_the_harness_catches_a_counterfactual_that_is_off_by_one(planted, by):
    problem, prices, none = realistic(30, 3, 1), np.array([1, 2, 3]) * PRICE_SCALE, np.zeros(0, np.int64)
    found = counterfactuals(problem, margins(problem, prices, none), prices)
    assert check_flips(problem, prices, none, found) > 30
    off = replace(
        found, **{planted: np.where(problem.value == INELIGIBLE, getattr(found, planted), getattr(found, planted) + by)}
    )
    with pytest.raises(AssertionError):
        check_flips(problem, prices, none, off)
