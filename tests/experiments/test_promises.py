"""The harness of experiments on small worlds: nobody left alone is leased, and every planted fault is seen."""

import numpy as np
import pytest

from harness.experiments.costs import cost_runs
from harness.experiments.leases import PLANTS, judged_days, planted_days
from harness.experiments.trials import covered, decided_early, drawn, true_effect


def test_nobody_left_alone_is_leased_and_nobody_changes_the_arm():
    made = judged_days(2_000, 6_000)
    assert made.leases >= 6_000
    assert made.left_alone > 0
    assert (made.wrong, made.moved) == (0, 0)


@pytest.mark.parametrize("fault", PLANTS)
def test_planted_faults_are_seen(fault):
    made = planted_days(fault, 2_000, 6_000)
    assert made.wrong > 0


def test_intervals_keep_their_promise_and_looking_daily_at_the_fixed_one_does_not():
    generator = np.random.default_rng(4)
    held = covered(drawn(generator, 120, 0.3), true_effect(generator, 0.3, 400_000))
    shares = {name: float(each.mean()) for name, each in held.items()}
    assert shares["fixed, at the end"] >= 0.88
    assert shares["anytime-valid, at every look"] >= 0.93
    assert shares["planted: fixed, at every look"] < 0.88
    assert decided_early(drawn(generator, 120)).mean() <= 0.07


def test_cost_lies_where_it_was_predicted():
    made = cost_runs(20_000, 6, 4, 0.05)
    assert made.within >= 0.5
    assert made.solved.mean() <= made.most
