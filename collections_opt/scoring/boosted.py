"""LightGBM as a predictor; the only module of serving that imports it."""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


ONE_THREAD_ROWS = 100
"""Up to here a call is scored by one thread."""


class BoostedPredictor:
    """A multiclass booster."""

    def __init__(self, booster: lgb.Booster) -> None:
        self.booster = booster

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return class probabilities before calibration, float64 (n, k)."""
        return np.asarray(self.booster.predict(features, num_threads=_threads(features)), dtype=np.float64)

    def contributions(self, features: NDArray[np.float32]) -> Floats:
        """Return LightGBM's own contributions (SHAP values) without the base value, float64 (n, k, f)."""
        values = np.asarray(self.booster.predict(features, pred_contrib=True, num_threads=_threads(features)), dtype=np.float64)
        return values.reshape(len(features), -1, features.shape[1] + 1)[:, :, :-1]


def read(contents: Mapping[str, bytes]) -> BoostedPredictor:
    """Return the predictor of model.txt.

    Raises:
        ValueError: when LightGBM cannot read it.
    """
    try:
        return BoostedPredictor(lgb.Booster(model_str=contents["model.txt"].decode()))
    except (lgb.basic.LightGBMError, UnicodeDecodeError) as error:
        raise ValueError(f"is not a LightGBM model: {error}") from error


def _threads(matrix: NDArray[np.float32]) -> int:
    """Return LightGBM's threads for a matrix (0: all cores); rows are independent, so this never changes a bit.

    A small call on several threads waits for the slowest of them: on busy cores 0.03 ms became 7 ms for one row.
    """
    return 1 if matrix.shape[0] <= ONE_THREAD_ROWS else 0
