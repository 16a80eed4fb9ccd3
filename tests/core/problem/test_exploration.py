"""The exploration reserve: its size, its propensities, and what is left for the optimiser."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED
from collections_opt.core.problem.exploration import PROPENSITY_SCALE, draw, propensities_nano, withdraw
from tests.support.solving.instances import realistic, with_side_rows

N, Q = 4000, 3


def test_draws_take_about_the_reserve_from_eligible_accounts_only():
    problem = realistic(N, Q, 1)
    used = np.array([draw(problem, 0.05, seed).used_seconds for seed in range(40)])
    assert used.mean(axis=0) / problem.capacity_seconds == pytest.approx([0.05] * Q, rel=0.15)
    found = draw(problem, 0.05, 7)
    drawn = np.flatnonzero(found.drawn)
    assert (problem.value[drawn, found.queue[drawn]] != INELIGIBLE).all()
    assert (problem.value[drawn, found.queue[drawn]] <= 0).any()


def test_how_often_an_account_is_drawn_is_the_recorded_rate():
    problem = realistic(200, Q, 2)
    runs = [draw(problem, 0.3, seed) for seed in range(400)]
    eligible = problem.value != INELIGIBLE
    for q in range(Q):
        share = np.mean([(run.queue[eligible[:, q]] == q).mean() for run in runs])
        assert share == pytest.approx(runs[0].rate_nano[q] / PROPENSITY_SCALE, rel=0.1)


def test_same_seed_same_draws_and_another_seed_other_draws():
    problem = realistic(N, Q, 1)
    assert (draw(problem, 0.05, 3).queue == draw(problem, 0.05, 3).queue).all()
    assert (draw(problem, 0.05, 3).queue != draw(problem, 0.05, 4).queue).any()


def test_propensities_of_all_actions_sum_to_one():
    problem = realistic(500, Q, 4)
    found = draw(problem, 0.2, 1)
    otherwise = np.random.default_rng(5).integers(-1, Q, 500).astype(np.int16)
    actions = [np.full(500, q, dtype=np.int16) for q in range(-1, Q)]
    total = sum(propensities_nano(problem, found, otherwise, action) for action in actions)
    assert (total == PROPENSITY_SCALE).all()


def test_a_reserve_larger_than_the_book_stays_within_a_half_and_within_capacity():
    problem = realistic(20, Q, 6)
    found = draw(problem, 0.5, 1)
    assert found.rate_nano.sum() <= PROPENSITY_SCALE // 2
    assert (found.used_seconds <= problem.capacity_seconds).all()


def test_what_is_left_has_less_capacity_no_drawn_account_and_tighter_rows():
    problem = with_side_rows(realistic(N, Q, 7))
    found = draw(problem, 0.1, 2)
    rest = withdraw(problem, found)
    assert (rest.capacity_seconds == problem.capacity_seconds - found.used_seconds).all()
    assert (rest.value[found.drawn] == INELIGIBLE).all()
    assert (rest.value[~found.drawn] == problem.value[~found.drawn]).all()
    in_first = int((found.queue == 0).sum())
    assert rest.side.limit[4] == problem.side.limit[4] - in_first
    assert (problem.value[found.drawn] != INELIGIBLE).any()


def test_a_queue_without_eligible_accounts_or_minutes_draws_nobody():
    problem = realistic(300, Q, 8)
    value, capacity = problem.value.copy(), problem.capacity_seconds.copy()
    value[:, 1], capacity[2] = INELIGIBLE, 0
    found = draw(type(problem)(value, problem.seconds, capacity), 0.3, 1)
    assert not np.isin(found.queue, [1, 2]).any()
    assert (found.queue != UNASSIGNED).any()
