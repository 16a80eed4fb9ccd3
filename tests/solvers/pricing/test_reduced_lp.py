"""The reduced program: its value is the least bound of any prices in the box, merged or not."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.pricing.instance import evaluate, flatten, screen, tally
from collections_opt.solvers.pricing.reduced_lp import Box, open_choices, solve_reduced
from tests.support.solving.instances import copies, realistic, with_side_rows


def boxed(problem, centre, half):
    m, k = problem.queue_count, len(problem.side.names) if problem.side else 0
    middle = np.concatenate([np.full(m, int(centre * PRICE_SCALE)), np.full(k, 200 * PRICE_SCALE)])
    reach = np.concatenate([np.full(m, int(half * PRICE_SCALE)), np.full(k, 200 * PRICE_SCALE)])
    return Box(np.maximum(middle - reach, 0), middle, middle + reach)


@pytest.mark.parametrize("problem", [realistic(800, 4, 1), with_side_rows(realistic(800, 4, 1))], ids=["plain", "side rows"])
def test_value_is_attained_by_its_prices_and_below_every_other_bound_in_the_box(problem):
    instance, box = flatten(problem, 1), boxed(problem, 4.0, 2.0)
    solution = solve_reduced(instance, screen(instance, box.low, box.high), box)
    attained = evaluate(instance, np.rint(solution.prices * PRICE_SCALE).astype(np.int64)).bound / PRICE_SCALE
    assert attained == pytest.approx(solution.bound, rel=1e-9)
    rng = np.random.default_rng(3)
    for _ in range(20):
        prices = rng.integers(box.low, box.high + 1)
        assert evaluate(instance, prices).bound / PRICE_SCALE >= solution.bound * (1 - 1e-12)


def test_merging_identical_accounts_changes_nothing():
    problem = copies(60, 30, 3)
    instance, box = flatten(problem, 1), boxed(problem, 4.0, 2.0)
    screening = screen(instance, box.low, box.high)
    plain, merged = (solve_reduced(instance, screening, box, merge) for merge in (False, True))
    assert merged.bound == pytest.approx(plain.bound, rel=1e-9)
    assert len(merged.accounts.base) < len(plain.accounts.base) / 10
    assert sorted(merged.accounts.members) == screening.undecided.tolist()


def test_whole_choices_respect_the_limits_but_for_split_and_bought():
    problem = copies(60, 30, 3)
    instance, box = flatten(problem, 1), boxed(problem, 4.0, 3.9)
    solution = solve_reduced(instance, screen(instance, box.low, box.high), box, merge=True)
    choice = evaluate(instance, box.centre).choice
    rows, choices, split = open_choices(solution)
    choice[rows] = choices
    choice[split] = -1
    over = tally(instance, choice)[1] - instance.limit
    assert (over[~solution.bought] <= 0).all()
    assert len(split) <= 2 * problem.queue_count
