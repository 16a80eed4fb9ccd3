"""Right-party-contact rate per account, learned from who was reached, shrunk to the plan's rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE_SPREAD, RATE_SLOPE_SPREAD = 1.0, 0.5
_STEPS = 50


def fit_rate(design: Floats, reached: NDArray[np.bool_], planned_rate: float) -> Floats:
    """Return log-odds coefficients (k,) of a logistic regression with a Gaussian prior at the planned rate.

    Args:
        design: float64 (n, k), the intercept first.
        reached: right party reached, of contacted rows.
        planned_rate: the plan's, inside (0, 1) after clipping.
    """
    columns = design.shape[1]
    planned = float(np.clip(planned_rate, 1e-3, 1.0 - 1e-3))
    mean = np.zeros(columns)
    mean[0] = np.log(planned / (1.0 - planned))
    precision = np.full(columns, RATE_SLOPE_SPREAD**-2.0)
    precision[0] = RATE_SPREAD**-2.0
    value = mean.copy()
    for _ in range(_STEPS):
        rate = 1.0 / (1.0 + np.exp(-(design @ value)))
        gradient = design.T @ (reached - rate) - precision * (value - mean)
        information = design.T @ ((rate * (1.0 - rate))[:, np.newaxis] * design) + np.diag(precision)
        move = np.linalg.solve(information, gradient)
        value = value + np.clip(move, -1.0, 1.0)
        if float(np.abs(move).max()) < 1e-8:
            break
    return value
