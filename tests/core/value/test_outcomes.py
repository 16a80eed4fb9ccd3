"""Probabilities of competing outcomes: every row a distribution, two scores reconciled and flagged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.outcomes import (
    CURE,
    DEFAULT,
    PROBABILITY_SCALE,
    STAY,
    OutcomeProbabilities,
    from_nano,
    quantised,
    reconcile,
    to_nano,
)

share = st.floats(0, 1)


def outcomes(rows):
    values = np.array(rows, dtype=np.float64)
    return OutcomeProbabilities(values, "model", "calibration", np.zeros(len(values), dtype=bool))


@given(st.lists(st.tuples(share, share), min_size=1, max_size=20))
def test_reconciled_scores_are_distributions_that_keep_their_odds(scores):
    cure, default = np.array(scores).T
    probability, flagged = reconcile(cure, default)
    OutcomeProbabilities(probability, "model", "calibration", flagged)
    np.testing.assert_array_equal(flagged, cure + default > 1)
    np.testing.assert_allclose(probability[:, CURE] * default, probability[:, DEFAULT] * cure, atol=1e-12)
    np.testing.assert_array_equal(probability[~flagged, CURE], cure[~flagged])
    assert (probability[flagged, STAY] == 0).all()


@settings(deadline=None)
@given(st.lists(st.tuples(share, share), min_size=1, max_size=20))
def test_scores_on_the_grid_sum_to_one_exactly_and_stay_there(scores):
    cure, default = np.array(scores).T
    probability, _ = reconcile(cure, default)
    nano = to_nano(probability)
    assert (nano.sum(axis=1) == PROBABILITY_SCALE).all()
    assert (nano >= 0).all()
    assert np.abs(from_nano(nano) - probability).max() <= 3e-9
    np.testing.assert_array_equal(to_nano(from_nano(nano)), nano)
    once = quantised(outcomes(probability.tolist()))
    np.testing.assert_array_equal(quantised(once).probability, once.probability)


def test_reconciling_by_hand():
    probability, flagged = reconcile(np.array([0.9, 0.3, 0.0]), np.array([0.6, 0.2, 0.0]))
    np.testing.assert_allclose(probability, [[0.6, 0.4, 0.0], [0.3, 0.2, 0.5], [0.0, 0.0, 1.0]])
    assert flagged.tolist() == [True, False, False]


@pytest.mark.parametrize(
    "row",
    [[0.5, 0.3, 0.2 + 2e-9], [0.5, 0.3, 0.1], [1.2, -0.2, 0.0], [np.nan, 0.5, 0.5], [np.inf, 0.0, 0.0], [0.5, 0.5]],
)
def test_a_row_that_is_no_distribution_is_refused(row):
    with pytest.raises(CollectionsError, match="distributions"):
        outcomes([row])


def test_rows_within_the_tolerance_and_no_rows_are_accepted():
    assert outcomes([[0.5, 0.3, 0.2 + 5e-10]]).probability.shape == (1, 3)
    assert outcomes(np.empty((0, 3))).probability.shape == (0, 3)


def test_probabilities_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        outcomes([[0.5, 0.3, 0.2]]).probability[0, 0] = 1.0
