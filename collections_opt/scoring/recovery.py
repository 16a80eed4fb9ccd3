"""Recovered share of an exposure in three parts: nothing, a part, all. Most accounts recover nothing, so one mean fits nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NOTHING, PART, ALL = 0, 1, 2
"""Columns of the class probabilities."""

FULL_SHARE = 0.95
"""From here a recovery counts as all of the exposure."""

PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "learning_rate": 0.05,
        "num_leaves": 8,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
)
ROUNDS = 120


@dataclass(frozen=True)
class RecoveryModel:
    """Probabilities of nothing, a part and all, and the mean share when it is a part."""

    classes: lgb.Booster
    part: lgb.Booster

    def probabilities(self, features: Floats) -> Floats:
        """Return P(nothing), P(part), P(all), float64 (n, 3)."""
        return np.asarray(self.classes.predict(features), dtype=np.float64)

    def expected_share(self, features: Floats) -> Floats:
        """Return the expected recovered share, float64 (n,): P(part) E[share | part] + P(all)."""
        p = self.probabilities(features)
        return np.asarray(p[:, PART] * np.asarray(self.part.predict(features)) + p[:, ALL], dtype=np.float64)


def train_recovery(features: Floats, share: Floats, seed: int) -> RecoveryModel:
    """Train on charged-off accounts.

    Args:
        features: float64 (n, f), known at charge-off.
        share: float64 (n,) recovered share, 0 to 1.
        seed: of training.

    Raises:
        ValueError: when a share is outside 0 to 1 or one of nothing and part does not occur.
    """
    if ((share < 0) | (share > 1)).any():
        raise ValueError("recovered shares lie between 0 and 1")
    kind = np.select([share <= 0, share >= FULL_SHARE], [NOTHING, ALL], PART)
    if not {NOTHING, PART} <= set(kind.tolist()):
        raise ValueError("recoveries of nothing and of a part are needed")
    given = {**PARAMETERS, "seed": seed}
    classes = lgb.train({**given, "objective": "multiclass", "num_class": 3}, lgb.Dataset(features, kind), num_boost_round=ROUNDS)
    partial = kind == PART
    part = lgb.train(
        {**given, "objective": "cross_entropy"}, lgb.Dataset(features[partial], share[partial]), num_boost_round=ROUNDS
    )
    return RecoveryModel(classes, part)
