"""Probabilities of competing outcomes: every row a distribution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.outcomes import (
    PROBABILITY_SCALE,
    OutcomeProbabilities,
    from_nano,
    quantised,
    to_nano,
)

share = st.floats(0, 1)


def outcomes(rows):
    values = np.array(rows, dtype=np.float64)
    return OutcomeProbabilities(values, "model", "calibration")


@settings(deadline=None)
@given(st.lists(st.tuples(share, share), min_size=1, max_size=20))
def test_scores_on_the_grid_sum_to_one_exactly_and_stay_there(scores):
    cure, default = np.array(scores).T
    probability = np.column_stack([cure * (1 - default), default, (1 - cure) * (1 - default)])
    nano = to_nano(probability)
    assert (nano.sum(axis=1) == PROBABILITY_SCALE).all()
    assert (nano >= 0).all()
    assert np.abs(from_nano(nano) - probability).max() <= 3e-9
    np.testing.assert_array_equal(to_nano(from_nano(nano)), nano)
    once = quantised(outcomes(probability.tolist()))
    np.testing.assert_array_equal(quantised(once).probability, once.probability)


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
