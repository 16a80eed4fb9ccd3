"""Calibration of the three competing probabilities, because they are multiplied by money.

One form serves all methods: curves per class (if any) and renormalisation, then softmax(W log p + b). Identity, temperature
(W = I / T), vector scaling (W diagonal) and matrix scaling (multinomial logistic regression on log p; Guo et al. 2017) have no
curves; isotonic regression and Venn-Abers predictors (Vovk and Petej 2014), one against the rest, are curves. A level correction
multiplies each class's odds by a constant: b alone.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from venn_abers import VennAbers

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int64]
CLASS_COUNT = 3
_FLOOR = 1e-12
_CURVE_FLOOR = 1e-4
"""Curves never say impossible: a step fitted on few rows is no proof."""
_CURVE_POINTS = 100
MAX_VENN_ABERS_ROWS = 20_000
"""Rows a Venn-Abers predictor is fitted on, evenly spread: its library loops over rows."""
_DIGITS = 9
"""Fitted parameters are kept to so many digits: what linear algebra differs by between machines must not change an artifact."""


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Attributes:
        method: identity, temperature, vector, matrix, isotonic or venn-abers; "+level" when the level was corrected.
        weight: W, float64 (3, 3).
        bias: b, float64 (3,).
        curves: per class the points x and y of a rising curve, float64 (2, m) each; empty for none.
    """

    method: str
    weight: Floats
    bias: Floats
    curves: tuple[Floats, ...] = ()

    def apply(self, probability: Floats) -> Floats:
        """Return calibrated probabilities, float64 (n, 3), rows summing to 1."""
        p = probability
        if self.curves:
            p = np.column_stack([np.interp(p[:, k], *curve) for k, curve in enumerate(self.curves)])
            p = np.maximum(p, _CURVE_FLOOR)
            p /= (p[:, 0] + p[:, 1] + p[:, 2])[:, None]
        logits = np.log(np.maximum(p, _FLOOR)) @ self.weight.T + self.bias
        return np.asarray(softmax(logits, axis=1), dtype=np.float64)

    def with_level(self, level: Floats) -> Calibration:
        """Return it with each class's odds multiplied by exp(level), float64 (3,)."""
        return replace(self, method=f"{self.method}+level", bias=np.round(self.bias + level, _DIGITS))

    def to_json(self) -> str:
        """Return the artifact's text."""
        curves = [curve.tolist() for curve in self.curves]
        plain = {"method": self.method, "weight": self.weight.tolist(), "bias": self.bias.tolist(), "curves": curves}
        return json.dumps(plain, indent=1) + "\n"


def read_calibration(content: bytes) -> Calibration:
    """Return the calibration of its JSON.

    Raises:
        ValueError: when it is not one.
    """
    try:
        plain = json.loads(content)
        curves = tuple(np.array(curve, dtype=np.float64) for curve in plain.get("curves", []))
        result = Calibration(plain["method"], np.array(plain["weight"]), np.array(plain["bias"]), curves)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"calibration.json is no calibration: {error}") from error
    if result.weight.shape != (CLASS_COUNT, CLASS_COUNT) or result.bias.shape != (CLASS_COUNT,) or len(curves) not in (0, 3):
        raise ValueError("calibration.json is no calibration of three classes")
    return result


IDENTITY = Calibration("identity", np.eye(CLASS_COUNT), np.zeros(CLASS_COUNT))


def fit_temperature(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return the one temperature that minimises the log loss of held-out predictions."""
    scale = _minimise(probability, outcome, 1, lambda t: (np.full(CLASS_COUNT, np.exp(t[0])), np.zeros(CLASS_COUNT)))[0]
    return Calibration("temperature", np.diag(np.round(scale, _DIGITS)), np.zeros(CLASS_COUNT))


def fit_vector(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return vector scaling of held-out predictions: a weight and a bias per class."""
    scale, bias = _minimise(probability, outcome, 5, lambda t: (np.exp(t[:3]), np.append(t[3:], 0.0)))
    return Calibration("vector", np.diag(np.round(scale, _DIGITS)), np.round(bias, _DIGITS))


def fit_matrix(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return matrix scaling of held-out predictions: a multinomial logistic regression on log p."""
    _check(outcome)
    model = LogisticRegression(C=1.0, max_iter=1_000, tol=1e-8).fit(np.log(np.maximum(probability, _FLOOR)), outcome)
    return Calibration("matrix", np.round(model.coef_, _DIGITS), np.round(model.intercept_, _DIGITS))


def fit_isotonic(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return isotonic regression of each class against the rest, renormalised."""
    _check(outcome)
    curves = []
    for k in range(CLASS_COUNT):
        grid = _grid(probability[:, k])
        fitted = IsotonicRegression(out_of_bounds="clip").fit(probability[:, k], outcome == k)
        curves.append(np.round(np.vstack([grid, fitted.predict(grid)]), _DIGITS))
    return replace(IDENTITY, method="isotonic", curves=tuple(curves))


def fit_venn_abers(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return the inductive Venn-Abers predictor of each class against the rest, on a grid, renormalised."""
    step = -(-outcome.size // MAX_VENN_ABERS_ROWS)
    probability, outcome = probability[::step], outcome[::step]
    _check(outcome)
    curves = []
    for k in range(CLASS_COUNT):
        grid = _grid(probability[:, k])
        predictor = VennAbers()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the library looks for a minimum among no candidates
            predictor.fit(np.column_stack([1.0 - probability[:, k], probability[:, k]]), (outcome == k).astype(np.int64))
            found, _ = predictor.predict_proba(np.column_stack([1.0 - grid, grid]))
        curves.append(np.round(np.vstack([grid, np.maximum.accumulate(found[:, 1])]), _DIGITS))
    return replace(IDENTITY, method="venn-abers", curves=tuple(curves))


def fit_level(probability: Floats, outcome: Outcomes) -> Floats:
    """Return the log factors on each class's odds, float64 (3,), that bring predictions to the level of a later period."""
    return _minimise(probability, outcome, 2, lambda t: (np.ones(CLASS_COUNT), np.append(t, 0.0)))[1]


def _minimise(
    probability: Floats, outcome: Outcomes, size: int, parts: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """Return the diagonal weight and the bias that minimise the log loss."""
    _check(outcome)
    logs, rows = np.log(np.maximum(probability, _FLOOR)), np.arange(outcome.size)

    def loss(free: Floats) -> float:
        weight, bias = parts(free)
        return float(-log_softmax(logs * weight + bias, axis=1)[rows, outcome].mean())

    return parts(np.asarray(minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-7}).x.round(6), dtype=np.float64))


def _grid(values: Floats) -> Floats:
    points = np.quantile(values, np.linspace(0.0, 1.0, _CURVE_POINTS))
    return np.unique(np.round(np.concatenate([[0.0], points, [1.0]]), 6))


def _check(outcome: Outcomes) -> None:
    if not np.array_equal(np.unique(outcome), range(CLASS_COUNT)):
        raise ValueError("calibration needs all three outcomes among the held-out rows")


FITTERS: Mapping[str, Callable[[Floats, Outcomes], Calibration]] = MappingProxyType(
    {
        "temperature": fit_temperature,
        "vector": fit_vector,
        "matrix": fit_matrix,
        "isotonic": fit_isotonic,
        "venn-abers": fit_venn_abers,
    }
)
"""Calibrations that are fitted; identity is always a candidate."""
