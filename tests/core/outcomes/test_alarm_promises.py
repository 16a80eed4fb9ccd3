"""Alarms keep what they promise, on fewer desks than ``python -m harness.monitors`` simulates; a planted bug is caught."""

import numpy as np

from collections_opt.core.outcomes.alarms import FALSE_RATE, MONTHS, found_within
from harness.monitors.__main__ import CLEAN_BEFORE, interval
from harness.monitors.desks import SHARE, THRESHOLDS, Desk, alarms

DESKS = 150


def false_alarms(desk, bars=THRESHOLDS):
    raised = alarms(desk, DESKS, [1.0] * MONTHS, np.random.default_rng(1), bars)
    return int(raised.any(axis=0).sum())


def test_clean_months_raise_few_alarms_and_alarms_that_are_not_divided_over_cells_are_caught():
    assert interval(false_alarms(Desk(500)), DESKS)[0] <= FALSE_RATE
    assert interval(false_alarms(Desk(2_000, seen=0.8)), DESKS)[0] <= FALSE_RATE
    assert interval(false_alarms(Desk(500), np.full(THRESHOLDS.size, 1 / FALSE_RATE)), DESKS)[0] > FALSE_RATE


def test_a_shift_of_a_fifth_is_found_within_two_months_at_the_size_that_promises_it():
    desk = Desk(6_000)
    assert found_within(desk.variance, 2, float(SHARE[0])) <= 1.2
    raised = alarms(desk, DESKS, [1.0] * CLEAN_BEFORE + [1.2] * 2, np.random.default_rng(2))
    assert interval(int(raised[CLEAN_BEFORE:].any(axis=0).sum()), DESKS)[1] >= 0.9
    assert raised[CLEAN_BEFORE:].any(axis=0).mean() > 0.9
