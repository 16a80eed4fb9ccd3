"""Pushes that are looked up are LightGBM's own numbers, whatever the trees and whatever is missing."""

import json

import lightgbm as lgb
import numpy as np
import pytest

from collections_opt.scoring.outcome import tree_pushes
from collections_opt.scoring.outcome.tree_pushes import MOST_SPLITS, TreePushes


def accounts(rng, count, features=6, missing=0.2):
    """Return features with ties, zeros and gaps, and a label that depends on them."""
    matrix = np.round(rng.normal(0, 2, (count, features)), 1).astype(np.float32)
    label = (matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + rng.normal(0, 1, count)) > 0
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix, label


def grown(seed, **changes):
    rng = np.random.default_rng(seed)
    matrix, label = accounts(rng, 600, missing=0.2 if seed % 2 else 0.0)
    given = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": seed, "min_data_in_leaf": 5, **changes}
    return lgb.train(given, lgb.Dataset(matrix, label), num_boost_round=12), rng


@pytest.mark.parametrize("leaves", [2, 4, MOST_SPLITS + 1])
@pytest.mark.parametrize("seed", [1, 2])
def test_they_are_lightgbms_own_numbers(seed, leaves):
    booster, rng = grown(seed, num_leaves=leaves, extra_trees=bool(seed % 2), bagging_fraction=0.7, bagging_freq=1)
    matrix, _ = accounts(rng, 400)
    found = TreePushes.of(booster.dump_model())
    expected = booster.predict(matrix, pred_contrib=True)
    np.testing.assert_allclose(found.pushes(matrix), expected[:, :-1], atol=1e-12)
    assert found.expected == pytest.approx(expected[0, -1], abs=1e-12)
    np.testing.assert_allclose(
        found.pushes(matrix).sum(axis=1) + found.expected, booster.predict(matrix, raw_score=True), atol=1e-12
    )


def test_an_account_gets_the_same_bits_in_any_company(monkeypatch):
    booster, rng = grown(3, num_leaves=8)
    matrix, _ = accounts(rng, 300)
    found = TreePushes.of(booster.dump_model())
    together = found.pushes(matrix)
    monkeypatch.setattr(tree_pushes, "BLOCK_ROWS", 7)
    np.testing.assert_array_equal(found.pushes(matrix), together)
    np.testing.assert_array_equal(found.pushes(matrix[5:6]), together[5:6])
    assert found.pushes(matrix[:0]).shape == (0, 6)


def test_a_tree_without_a_split_pushes_nothing():
    booster, rng = grown(4, num_leaves=4, min_data_in_leaf=10_000)
    matrix, _ = accounts(rng, 5)
    found = TreePushes.of(booster.dump_model())
    assert not found.pushes(matrix).any()
    assert found.expected == pytest.approx(booster.predict(matrix, raw_score=True)[0])


def test_large_trees_categories_and_zeros_for_gaps_are_left_to_lightgbm():
    assert TreePushes.of(grown(5, num_leaves=MOST_SPLITS + 8)[0].dump_model()) is None
    assert TreePushes.of(grown(6, num_leaves=4, zero_as_missing=True)[0].dump_model()) is None
    rng = np.random.default_rng(7)
    kind = rng.integers(0, 5, 600).astype(np.float32)[:, None]
    data = lgb.Dataset(kind, kind[:, 0] % 2 == 0, categorical_feature=[0])
    by_kind = lgb.train({"objective": "binary", "verbosity": -1, "num_leaves": 3, "min_data_per_group": 5}, data, 2)
    assert "==" in json.dumps(by_kind.dump_model())
    assert TreePushes.of(by_kind.dump_model()) is None
