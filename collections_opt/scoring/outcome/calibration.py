"""Calibration of the three competing probabilities, because they are multiplied by money.

One form serves all methods: curves per class (if any) and renormalisation, then softmax(W log p + b). Identity, temperature
(W = I / T), vector scaling (W diagonal) and matrix scaling (multinomial logistic regression on log p; Guo et al. 2017) have no
curves; isotonic regression and Venn-Abers predictors (Vovk and Petej 2014), one against the rest, are curves.

Last comes the level of a later period, as shifts of p_cure and of p_default. A rise adds the same to every account, at most twice
what the account has (what cannot happen stays so); a fall takes the same share of every account. On the bundled months that fits
a later month better than a common factor on the odds: under it a rise makes the risky riskier still and the slope falls below 1.
Earlier versions moved the level by b alone.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from collections_opt.core.value.outcomes import CURE, DEFAULT

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int64]
CLASS_COUNT = 3
_FLOOR = 1e-12
_MOST_DEFAULT, _MOST_CURE = 0.99, 0.999
_MOST_RISE = 2.0
"""A rise at most trebles a probability."""
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
        shifts: of cure and of default, as ``shifted``; empty for none.
    """

    method: str
    weight: Floats
    bias: Floats
    curves: tuple[Floats, ...] = ()
    shifts: tuple[float, ...] = ()

    def apply(self, probability: Floats) -> Floats:
        """Return calibrated probabilities, float64 (n, 3), rows summing to 1."""
        p = probability
        if self.curves:
            p = np.column_stack([np.interp(p[:, k], *curve) for k, curve in enumerate(self.curves)])
            p = np.maximum(p, _CURVE_FLOOR)
            p /= (p[:, 0] + p[:, 1] + p[:, 2])[:, None]
        logits = np.log(np.maximum(p, _FLOOR)) @ self.weight.T + self.bias
        found = np.asarray(softmax(logits, axis=1), dtype=np.float64)
        return _composed(*(shifted(found[:, k], shift) for k, shift in enumerate(self.shifts))) if self.shifts else found

    def with_shifts(self, shifts: tuple[float, ...]) -> Calibration:
        """Return it at another level."""
        return replace(self, method=f"{self.method}+shift", shifts=shifts)

    def to_json(self) -> str:
        """Return the artifact's text."""
        curves = [curve.tolist() for curve in self.curves]
        plain = {"method": self.method, "weight": self.weight.tolist(), "bias": self.bias.tolist(), "curves": curves}
        if self.shifts:
            plain["shifts"] = list(self.shifts)
        return json.dumps(plain, indent=1) + "\n"


def read_calibration(content: bytes) -> Calibration:
    """Return the calibration of its JSON.

    Raises:
        ValueError: when it is not one.
    """
    try:
        plain = json.loads(content)
        curves = tuple(np.array(curve, dtype=np.float64) for curve in plain.get("curves", []))
        shifts = tuple(float(shift) for shift in plain.get("shifts", []))
        result = Calibration(plain["method"], np.array(plain["weight"]), np.array(plain["bias"]), curves, shifts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"calibration.json is no calibration: {error}") from error
    good = result.weight.shape == (CLASS_COUNT, CLASS_COUNT) and result.bias.shape == (CLASS_COUNT,) and len(curves) in (0, 3)
    if not good or len(result.shifts) not in (0, 2):
        raise ValueError("calibration.json is no calibration of three classes")
    return result


def shifted(probability: Floats, shift: float) -> Floats:
    """Return probabilities of one event at another level: p + min(shift, 2 p) for a rise, p (1 + shift) for a fall."""
    if shift >= 0:
        return np.asarray(probability + np.minimum(shift, _MOST_RISE * probability), dtype=np.float64)
    return np.asarray(probability * (1.0 + shift), dtype=np.float64)


def _composed(cure: Floats, default: Floats) -> Floats:
    """Return the distribution of p_cure and p_default, float64 (n, 3); none takes all, default takes at most the rest."""
    cure = np.clip(cure, 0.0, _MOST_CURE)
    rest = 1.0 - cure
    default = np.minimum(default, _MOST_DEFAULT * rest)
    return np.column_stack([cure, default, rest - default])


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
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a second to load; a server starts without it

    _check(outcome)
    model = LogisticRegression(C=1.0, max_iter=1_000, tol=1e-8).fit(np.log(np.maximum(probability, _FLOOR)), outcome)
    return Calibration("matrix", np.round(model.coef_, _DIGITS), np.round(model.intercept_, _DIGITS))


def fit_isotonic(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return isotonic regression of each class against the rest, renormalised."""
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - takes a second to load; a server starts without it

    _check(outcome)
    curves = []
    for k in range(CLASS_COUNT):
        grid = _grid(probability[:, k])
        fitted = IsotonicRegression(out_of_bounds="clip").fit(probability[:, k], outcome == k)
        curves.append(np.round(np.vstack([grid, fitted.predict(grid)]), _DIGITS))
    return replace(IDENTITY, method="isotonic", curves=tuple(curves))


def fit_venn_abers(probability: Floats, outcome: Outcomes) -> Calibration:
    """Return the inductive Venn-Abers predictor of each class against the rest, on a grid, renormalised."""
    from venn_abers import VennAbers  # noqa: PLC0415 - takes a second to load; a server starts without it

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


def fit_shifts(probability: Floats, outcome: Outcomes, weight: Floats | None = None) -> tuple[float, float]:
    """Return the shifts of cure and of default that bring predictions to the level of a later period, by each one's log loss."""
    cure, default = (fit_shift(probability[:, k], outcome == k, weight) for k in (CURE, DEFAULT))
    return cure, default


def fit_shift(probability: Floats, happened: NDArray[np.bool_], weight: Floats | None = None) -> float:
    """Return the shift of one event that minimises its log loss, weighted by ``weight``, float64 (n,)."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - takes a second to load; a server starts without it

    def loss(shift: float) -> float:
        p = np.clip(shifted(probability, shift), _FLOOR, 1.0 - _FLOOR)
        return float(-np.average(np.log(np.where(happened, p, 1.0 - p)), weights=weight))

    return round(float(minimize_scalar(loss, bounds=(-0.9, 0.5), method="bounded", options={"xatol": 1e-7}).x), 5)


def _minimise(
    probability: Floats, outcome: Outcomes, size: int, parts: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """Return the diagonal weight and the bias that minimise the log loss."""
    from scipy.optimize import minimize  # noqa: PLC0415 - takes a second to load; a server starts without it

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
