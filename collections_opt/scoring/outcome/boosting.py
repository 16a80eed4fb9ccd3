"""Grow the two boosters of the outcome model: cure or not, and default or not, each over all accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.outcome.boosted import BoostedPredictor
from collections_opt.scoring.outcome.rows import TrainingRows

Floats = NDArray[np.float64]
Parameters = Mapping[str, Mapping[str, Any]]

_EVENTS = {"cure": CURE, "default": DEFAULT}
STEPS = tuple(_EVENTS)
MAX_ROUNDS_OF_MANY = 3_000
EARLY_STOPPING_ROUNDS = 80
MAX_ROUNDS_OF_FEW = 300
"""Beyond it the log loss of later periods no longer fell on the bundled accounts, at any size of tree tried."""
MANY_ROWS = 50_000
"""A last period of this size stops training by itself and calibrates by itself; smaller ones need every later period there is."""

_COMMON: Mapping[str, Any] = {
    "objective": "binary",
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_MANY: Mapping[str, Any] = {
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.7,
    "lambda_l2": 5.0,
    "num_threads": 0,
}
_FEW: Mapping[str, Any] = {"learning_rate": 0.1, "extra_trees": True, "num_threads": 1}  # more threads only spin on little data
_FEW_STEPS: Parameters = {
    "cure": {**_FEW, "num_leaves": 8, "min_data_in_leaf": 10, "feature_fraction": 0.4, "lambda_l2": 1.0},
    "default": {**_FEW, "num_leaves": 4, "min_data_in_leaf": 15, "feature_fraction": 0.7, "lambda_l2": 3.0},
}
"""Chosen on forward chains of the bundled May to July (docs/outcome-model.md): small trees, smaller still where the events are
rarer, whose cuts are drawn at random."""


def parameters_for(row_count: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return LightGBM's parameters of both steps for so many rows; deterministic, the same bytes on any number of threads."""
    steps = dict.fromkeys(STEPS, _MANY) if row_count > MANY_ROWS else _FEW_STEPS
    return {step: {**_COMMON, **given, "seed": seed} for step, given in steps.items()}


def happened(rows: TrainingRows, step: str) -> NDArray[np.bool_]:
    """Return whether a step's event happened to each row, bool (n,)."""
    return np.asarray(rows.outcome == _EVENTS[step], dtype=np.bool_)


def grow(rows: TrainingRows, step: str, parameters: Parameters, rounds: int) -> lgb.Booster:
    """Return a step's booster of so many rounds."""
    return lgb.train(_signed(rows, step, parameters), _dataset(rows, step), num_boost_round=rounds)


def grow_until_stopped(rows: TrainingRows, later: TrainingRows, step: str, parameters: Parameters) -> tuple[lgb.Booster, int]:
    """Return a step's booster stopped where the log loss of later rows no longer falls, and its rounds."""
    data, valid = _dataset(rows, step), _dataset(later, step)
    valid.set_reference(data)
    stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
    found = lgb.train(
        _signed(rows, step, parameters), data, num_boost_round=MAX_ROUNDS_OF_MANY, valid_sets=[valid], callbacks=[stop]
    )
    best = max(int(found.best_iteration), 1)
    return cut(found, best), best


def cut(booster: lgb.Booster, rounds: int) -> lgb.Booster:
    """Return a booster of the first rounds only."""
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def fit(rows: TrainingRows, parameters: Parameters, rounds: Mapping[str, int]) -> BoostedPredictor:
    """Return the model of some rows."""
    return BoostedPredictor(*(grow(rows, step, parameters, rounds[step]) for step in STEPS))


def splits_per_account(booster: lgb.Booster) -> Floats:
    """Return how many splits an account of the training rows passes in each tree, on average, float64 (trees,).

    What serving costs, without a clock: a tree's leaf at depth d costs d comparisons.
    """
    return np.array([_mean_depth(tree["tree_structure"], 0) for tree in booster.dump_model()["tree_info"]], dtype=np.float64)


def _mean_depth(node: Mapping[str, Any], depth: int) -> float:
    passed, total = _passed(node, depth)
    return passed / total if total else 0.0


def _passed(node: Mapping[str, Any], depth: int) -> tuple[float, float]:
    """Return the splits that all rows under a node pass, and how many rows those are."""
    if "leaf_value" in node:
        rows = float(node.get("leaf_count", 0))
        return rows * depth, rows
    left, right = (_passed(node[child], depth + 1) for child in ("left_child", "right_child"))
    return left[0] + right[0], left[1] + right[1]


def _dataset(rows: TrainingRows, step: str) -> lgb.Dataset:
    label = happened(rows, step).astype(np.float64)
    names, categories = [one.name for one in rows.definitions], sorted(rows.categories)
    return lgb.Dataset(rows.features, label, weight=rows.weight, feature_name=names, categorical_feature=categories or "auto")


def _signed(rows: TrainingRows, step: str, parameters: Parameters) -> dict[str, Any]:
    """Return the parameters of a step. Default has no sign: accounts past 90 days can no longer come to it."""
    given = dict(parameters[step])
    return {**given, "monotone_constraints": [f.cure_sign for f in rows.definitions]} if step == "cure" else given
