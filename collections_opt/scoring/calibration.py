"""Calibration of the three competing probabilities, because they are multiplied by money.

One form serves all methods: softmax(W log p + b). Identity, temperature (W = I / T) and matrix scaling (multinomial logistic
regression on log p, Guo et al. 2017) differ only in W and b, so an artifact is nine weights and three biases in JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

Floats = NDArray[np.float64]
CLASS_COUNT = 3
_FLOOR = 1e-12
_DIGITS = 9
"""Fitted parameters are kept to so many digits: what linear algebra differs by between machines must not change an artifact."""


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Attributes:
        method: identity, temperature or matrix.
        weight: W, float64 (3, 3).
        bias: b, float64 (3,).
    """

    method: str
    weight: Floats
    bias: Floats

    def apply(self, probability: Floats) -> Floats:
        """Return calibrated probabilities, float64 (n, 3), rows summing to 1."""
        logits = np.log(np.maximum(probability, _FLOOR)) @ self.weight.T + self.bias
        return np.asarray(softmax(logits, axis=1), dtype=np.float64)


IDENTITY = Calibration("identity", np.eye(CLASS_COUNT), np.zeros(CLASS_COUNT))


def fit_temperature(probability: Floats, outcome: NDArray[np.int64]) -> Calibration:
    """Return the one temperature that minimises the log loss of held-out predictions."""

    def loss(log_temperature: float) -> float:
        return float(log_loss(outcome, _temperature(log_temperature).apply(probability), labels=range(CLASS_COUNT)))

    return _temperature(round(float(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x), 5))


def _temperature(log_temperature: float) -> Calibration:
    return Calibration("temperature", np.eye(CLASS_COUNT) / np.exp(log_temperature), np.zeros(CLASS_COUNT))


def fit_matrix(probability: Floats, outcome: NDArray[np.int64]) -> Calibration:
    """Return matrix scaling of held-out predictions: a multinomial logistic regression on log p."""
    logs = np.log(np.maximum(probability, _FLOOR))
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(logs, outcome)
    if not np.array_equal(model.classes_, range(CLASS_COUNT)):
        raise ValueError("calibration needs all three outcomes among the held-out rows")
    return Calibration("matrix", np.round(model.coef_, _DIGITS), np.round(model.intercept_, _DIGITS))


FITTERS = {"temperature": fit_temperature, "matrix": fit_matrix}
"""Calibrations that are fitted; identity is always a candidate."""
