"""A logistic scorecard as a predictor: points per feature bin and class, in JSON, served with numpy alone.

Score of class k = intercept_k + sum over features of points_k[bin]; probabilities are the softmax. Bins are cut at ``edges``
(value >= edge moves one bin up), the last bin holds missing values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FILE = "scorecard.json"


@dataclass(frozen=True)
class ScorecardFeature:
    """One feature's bins: ``edges`` float64 (b,) ascending, ``points`` float64 (b + 2, k) with the missing bin last."""

    edges: Floats
    points: Floats


@dataclass(frozen=True)
class Scorecard:
    """Points in matrix order of the features; ``intercept`` float64 (k,)."""

    intercept: Floats
    features: tuple[ScorecardFeature, ...]

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return class probabilities before calibration, float64 (n, k)."""
        score = np.tile(self.intercept, (len(features), 1))
        for index, feature in enumerate(self.features):  # column by column: no bit depends on the other rows
            score += feature.points[bin_of(features[:, index], feature.edges)]
        score -= score.max(axis=1, keepdims=True)
        odds = np.exp(score)
        # Summed column by column: numpy's pairwise sums differ by the number of rows.
        total = odds[:, 0].copy()
        for column in range(1, odds.shape[1]):
            total += odds[:, column]
        return np.asarray(odds / total[:, None], dtype=np.float64)

    def contributions(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return probabilities, float64 (n, k), and the points of each feature and class, float64 (n, k, f)."""
        columns = [f.points[bin_of(features[:, index], f.edges)] for index, f in enumerate(self.features)]
        return self.raw(features), np.stack(columns, axis=2)

    def texts(self) -> dict[str, str]:
        """Return the artifact's file."""
        features = [{"edges": f.edges.tolist(), "points": f.points.tolist()} for f in self.features]
        return {FILE: json.dumps({"intercept": self.intercept.tolist(), "features": features}, indent=1) + "\n"}


def bin_of(values: NDArray[np.float32], edges: Floats) -> NDArray[np.int64]:
    """Return the bin of each value, int64 (n,): 0 below the first edge, one up at each edge, the last for NaN."""
    found = np.searchsorted(edges, values.astype(np.float64), side="right").astype(np.int64)
    return np.where(np.isnan(values), edges.size + 1, found)


def read(contents: Mapping[str, bytes]) -> Scorecard:
    """Return the scorecard of its JSON.

    Raises:
        ValueError: when the shapes do not fit.
    """
    try:
        plain = json.loads(contents[FILE])
        features = tuple(_feature(f["edges"], f["points"]) for f in plain["features"])
        intercept = np.array(plain["intercept"], dtype=np.float64)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"is not a scorecard: {error}") from error
    if any(f.points.shape != (f.edges.size + 2, intercept.size) for f in features):
        raise ValueError("is not a scorecard: a feature's points do not fit its bins and classes")
    return Scorecard(intercept, features)


def _feature(edges: Sequence[float], points: Sequence[Sequence[float]]) -> ScorecardFeature:
    return ScorecardFeature(np.array(edges, dtype=np.float64), np.array(points, dtype=np.float64).reshape(len(edges) + 2, -1))
