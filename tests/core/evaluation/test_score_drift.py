"""Which scores are suspect: all alike, or spread quite otherwise than before; sampling alone is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.evaluation.score_drift import MAX_PSI, score_counts, stability_index, why_suspect
from collections_opt.core.value.outcomes import OutcomeProbabilities

COUNTS = st.lists(st.integers(0, 10_000), min_size=22, max_size=22)


def scores(n, seed, shift=0.0):
    draw = np.random.default_rng(seed)
    weight = np.exp(np.column_stack([draw.normal(-1 + shift, 1, n), draw.normal(-1, 1, n), np.zeros(n)]))
    return OutcomeProbabilities(weight / weight.sum(axis=1, keepdims=True), "m", "c")


def suspicion(now, before=None):
    return why_suspect(now, score_counts(now), score_counts(before) if before else None)


def test_every_account_is_counted_once_in_each_probability():
    counts = score_counts(scores(1_000, 1))
    assert {name: (len(bins), sum(bins)) for name, bins in counts.items()} == {"p_cure": (22, 1_000), "p_default": (22, 1_000)}


@pytest.mark.parametrize("seed", range(20))
def test_sampling_alone_is_never_suspect(seed):
    assert suspicion(scores(200, seed), scores(200, seed + 100)) == []


def test_a_shift_of_cure_is_named_and_of_default_where_it_moves_too():
    found = suspicion(scores(1_000, 1, shift=3.0), scores(1_000, 2))
    assert found
    assert found[0].startswith("the PSI of p_cure against the last ranking is ")
    assert suspicion(scores(199, 1, shift=3.0), scores(1_000, 2)) == []


@pytest.mark.parametrize(("n", "suspect"), [(29, False), (30, True), (1_000, True)])
def test_scores_all_alike_are_suspect_where_there_are_enough(n, suspect):
    alike = OutcomeProbabilities(np.tile([0.2, 0.3, 0.5], (n, 1)), "m", "c")
    assert bool(suspicion(alike)) == suspect


@given(COUNTS, COUNTS)
def test_the_index_is_zero_for_itself_and_never_negative_and_the_same_both_ways(one, other):
    one, other = np.array(one), np.array(other)
    assert stability_index(one, one) == 0
    index = stability_index(one, other)
    assert index >= -1e-12 or min(one.sum(), other.sum()) == 0
    assert index == pytest.approx(stability_index(other, one))


def test_a_published_example():
    """Two bins, 50/50 against 90/10: (0.4) ln 1.8 + (-0.4) ln 0.2."""
    assert stability_index(np.array([50, 50]), np.array([90, 10])) == pytest.approx(0.4 * np.log(1.8) - 0.4 * np.log(0.2))
    assert stability_index(np.array([50, 50]), np.array([90, 10])) < MAX_PSI
