"""Weights that let rows whose outcome was seen stand for those whose outcome was not.

Censored: an account sold, recalled, closed or ended by death before the horizon has no outcome. Dropping such rows counts early
outcomes too often, because they are seen before the end comes, and staying too seldom. A row that was seen weighs the inverse of
the chance that it was not censored before (inverse probability of censoring weights, Robins and Finkelstein 2000): by the
Kaplan-Meier estimate of the time to censoring where days are known, else by a logistic regression on the features, which assumes
that the end depends on nothing but them.

Contacted: probabilities are those without contact. Rows without contact weigh the inverse of their chance of none, by a logistic
regression on the features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_CHANCE = 0.05
"""No row stands for more than twenty."""
_STRENGTH = 0.1


def weights_by_time(days: NDArray[np.int64], censored: Bools) -> Floats:
    """Return the weight of each row, float64 (n,), 0 for the censored, from the Kaplan-Meier estimate of censoring.

    Args:
        days: int64 (n,) days until the outcome, or until the end of what was seen; whole horizon for who stayed.
        censored: bool (n,).
    """
    times, place = np.unique(days, return_inverse=True)
    ended = np.bincount(place, weights=censored.astype(np.float64), minlength=times.size)
    at_risk = days.size - np.concatenate([[0], np.cumsum(np.bincount(place, minlength=times.size))[:-1]])
    outcomes_first = np.bincount(place, weights=(~censored).astype(np.float64), minlength=times.size)
    left = np.cumprod(1.0 - ended / np.maximum(at_risk - outcomes_first, np.maximum(ended, 1.0)))
    before = np.concatenate([[1.0], left[:-1]])[place]
    return np.where(censored, 0.0, 1.0 / np.maximum(before, LEAST_CHANCE))


def weights_by_features(features: NDArray[np.float32], kept: Bools) -> Floats:
    """Return the weight of each row, float64 (n,), 0 for rows not kept, from the chance that a row like it is kept."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a second to load; a server starts without it

    if kept.all():
        return np.ones(kept.size)
    known = ~np.isnan(features)
    values = np.where(known, features, 0.0).astype(np.float64)
    count = np.maximum(known.sum(axis=0), 1)
    mean = values.sum(axis=0) / count
    spread = np.sqrt((np.where(known, features - mean, 0.0) ** 2).sum(axis=0) / count)
    scaled = np.where(known, (values - mean) / np.where(spread > 1e-9, spread, 1.0), 0.0)
    design = np.hstack([scaled, (~known[:, known.any(axis=0) & ~known.all(axis=0)]).astype(np.float64)])
    model = LogisticRegression(C=_STRENGTH, solver="newton-cholesky", max_iter=100, tol=1e-8).fit(design, kept)
    chance = np.asarray(model.predict_proba(design)[:, 1], dtype=np.float64)
    return np.where(kept, 1.0 / np.maximum(chance, LEAST_CHANCE), 0.0)
