"""Evidence against predictions: right in expectation account by account, weights or not, and alarms that shifts raise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.outcomes.alarms import (
    DIMENSIONS,
    FALSE_RATE,
    MONTHS,
    TILTS,
    followed,
    found_within,
    least_found,
    log_factors,
    most_found,
    shares,
    thresholds,
)

CHANCE = st.floats(0.0, 1.0)


@given(CHANCE)
def test_a_right_prediction_is_worth_nothing_on_average(p):
    yes, no = (np.exp(log_factors(np.array([p]), np.array([y])))[0] for y in (True, False))
    np.testing.assert_allclose(p * yes + (1 - p) * no, np.ones(len(TILTS)), atol=1e-12)


@given(CHANCE, st.floats(1.0, 20.0))
def test_so_it_is_where_accounts_left_sight(p, weight):
    """Seen with chance 1 / w and weight w, else weight 0."""
    seen = 1.0 / weight
    yes, no = (np.exp(log_factors(np.array([p]), np.array([y]), np.array([weight])))[0] for y in (True, False))
    gone = np.exp(log_factors(np.array([p]), np.array([False]), np.zeros(1)))[0]
    expected = seen * (p * yes + (1 - p) * no) + (1 - seen) * gone
    np.testing.assert_allclose(expected, np.ones(len(TILTS)), atol=1e-9)
    assert (yes > 0).all()
    assert (no > 0).all()


def test_the_evidence_is_the_likelihood_ratio_where_all_were_seen():
    p, theta = 0.3, 1.2
    place = list(TILTS).index(theta)
    tilted = p * theta / (1 - p + p * theta)
    found = np.exp(log_factors(np.full(2, p), np.array([True, False])))[:, place]
    np.testing.assert_allclose(found, [tilted / p, (1 - tilted) / (1 - p)])


def test_the_false_rate_is_not_spent_twice():
    cells = [("all", 0), ("unworked", 0), *((d, j) for d in ("product", "bucket", "queue") for j in range(1_000))]
    for outcomes in (1, 2, 3):
        assert outcomes * shares(cells, outcomes).sum() <= 1.0
    assert sum(DIMENSIONS.values()) == pytest.approx(1.0)
    assert sum(TILTS.values()) == pytest.approx(1.0)
    assert thresholds(np.array([1.0]))[0] == 1 / FALSE_RATE


def months(shift, count, accounts, seed=1):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 8, size=accounts)
    odds = p / (1 - p) * shift
    return [log_factors(p, rng.random(accounts) < odds / (1 + odds)).sum(axis=0) for _ in range(count)], float(
        (p * (1 - p)).sum()
    )


def test_a_shift_is_found_and_the_evidence_begins_anew_after_an_alarm():
    bar = thresholds(shares([("all", 0)], 2))[0]
    quiet, variance = months(1.0, 24, 6_000)
    shifted, _ = months(1.25, 6, 6_000)
    level, alarm = followed([*quiet, *shifted], np.array(bar))
    assert not alarm[:24].any()
    assert alarm[24:27].any()
    first = int(np.flatnonzero(alarm)[0])
    assert level[first] >= bar
    alone, _ = followed(shifted[first - 23 :], np.array(bar))
    np.testing.assert_allclose(level[first + 1 :], alone)
    assert 1.1 < found_within(variance, 2, shares([("all", 0)], 2)[0]) < 1.25


def test_no_accounts_no_evidence_and_nothing_to_find():
    level, alarm = followed([np.zeros((3, len(TILTS)))] * MONTHS, np.full(3, 20.0))
    np.testing.assert_allclose(level[-1], np.ones(3))
    assert not alarm.any()
    assert np.isnan(found_within(0.0, 2, 0.1))
    assert followed([], np.full(3, 20.0))[0].shape == (0, 3)


def test_no_method_finds_more_than_the_likelihood_ratio_told_everything():
    variance, theta, runs = 240.0, 1.2, 400_000
    p = 0.15
    count = round(variance / (p * (1.0 - p)))
    odds = p / (1.0 - p) * theta
    generator = np.random.default_rng(3)
    clean, shifted = (generator.binomial(2 * count, chance, runs) for chance in (p, odds / (1.0 + odds)))
    # The likelihood ratio rises with the count: the best test of its level is a bar on it.
    bar = np.quantile(clean, 1.0 - FALSE_RATE * 2 / MONTHS)
    assert abs(float((shifted > bar).mean()) - most_found(variance, 2, theta)) < 0.04
    assert most_found(variance, 2, least_found(variance, 2)) == pytest.approx(0.9, abs=1e-9)
    assert least_found(variance, 2) < found_within(variance, 2, 0.2)
