"""Comparisons by hand, and Spearman against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from collections_opt.core.evaluation.comparison import RealisedOutcomes, compare, rank_correlation
from collections_opt.core.ranking.ordering import Ordering
from tests.support.entries import entries_of

numbers = st.lists(st.integers(0, 5), min_size=3, max_size=30)


@given(numbers, st.randoms(use_true_random=False))
def test_rank_correlation_is_spearmans(values, random):
    first, second = np.array(values, dtype=float), np.array(random.sample(values, len(values)), dtype=float)
    if first.std() > 0:
        np.testing.assert_allclose(rank_correlation(first, second), spearmanr(first, second).statistic, atol=1e-12)
    else:
        assert np.isnan(rank_correlation(first, second))


def test_overlap_movement_money_and_realised_figures_by_hand():
    reference, other = entries_of([0, 0, -1, -1]), entries_of([0, -1, 0, -1], [5, 6, 7, 8])
    realised = RealisedOutcomes(
        np.array([100, 0, 50, 25]), np.array([True, False, False, True]), np.array([False, True, True, False])
    )
    result = compare(Ordering.BALANCE, other, reference, realised, seed=1, draws=200)
    assert (result.worked_count, result.minutes, result.incremental_minor) == (2, 2.0, 12)
    assert (result.overlap, result.entering, result.leaving) == (0.5, 1, 1)
    assert (result.cash.value, result.cures.value, result.rolls.value) == (150, 1, 1)
    assert result.cash_share.value == pytest.approx(150 / 175)
    assert result.cash.low <= 150 <= result.cash.high
    assert result.cash_difference.value == 50
    assert result.cash_difference.low <= 50 <= result.cash_difference.high


def test_orders_that_work_the_same_accounts_differ_by_nothing_in_every_resample():
    mine = entries_of([0, 0, -1, -1])
    realised = RealisedOutcomes(np.array([100, 7, 50, 25]), np.zeros(4, dtype=bool), np.zeros(4, dtype=bool))
    found = compare(Ordering.BALANCE, mine, mine, realised, seed=1, draws=200)
    assert (found.cash_difference.low, found.cash_difference.high) == (0, 0)
    assert found.cash.low < found.cash.high


def test_an_order_against_itself_does_not_move():
    mine = entries_of([0, 0, -1, -1])
    result = compare(Ordering.EXPECTED_VALUE, mine, mine, None, seed=1)
    assert (result.overlap, result.entering, result.leaving, result.rank_correlation) == (1.0, 0, 0, pytest.approx(1.0))


def test_different_accounts_are_not_compared():
    with pytest.raises(ValueError, match="different accounts"):
        compare(Ordering.BALANCE, entries_of([0]), entries_of([0, 0]), None, seed=1)
