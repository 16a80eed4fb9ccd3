"""The harness of two plans on small worlds: nobody is leased by both, the intervals hold the truth, and every fault is seen."""

import numpy as np
import pytest

from collections_opt.core.experiments import arms
from collections_opt.core.value import valued_accounts
from harness.experiments.leases import planted
from harness.experiments.two_plans import AS_READ, PLANTS, coverage, shared_days


def test_two_plans_lease_nobody_twice_and_leave_nobody_out():
    made = shared_days(1_500, 6_000)
    assert made.leases >= 6_000
    assert (made.by_both, made.by_neither, made.moved) == (0, 0, 0)


@pytest.mark.parametrize(
    ("where", "name", "fault"),
    [
        (valued_accounts, "offered", lambda problem, _arms: problem),
        (arms, "_arm_of", lambda _design, drawn, _plan: np.where(drawn, 1, 4).astype(np.uint8)),
        (arms, "held_out", lambda _salt, share, person: np.random.default_rng(len(person)).random(len(person)) < share / 1e9),
    ],
)
def test_planted_faults_of_the_draw_are_seen(where, name, fault):
    with planted(where, name, fault):
        made = shared_days(600, 1_500)
    assert made.by_both or made.by_neither or made.moved


def test_the_intervals_hold_the_truth_and_planted_readings_do_not():
    truth, found = coverage(302, 60)
    assert truth > 0
    assert found[AS_READ][0] >= 0.87
    assert found[AS_READ][1] >= 0.95
    assert found[PLANTS[0]][0] < found[AS_READ][0]
    assert max(found[PLANTS[1]][:2]) < 0.1
    assert found[PLANTS[2]][0] < 0.7
