"""Train the logistic scorecard beside the boosted model, on the same rows: baseline, and fallback that needs no LightGBM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from collections_opt.scoring.calibration import IDENTITY, Calibration, fit_level
from collections_opt.scoring.scorecard import Scorecard, ScorecardFeature, bin_of
from collections_opt.scoring.training import TrainingPeriod, TrainingRows, stack

BINS = 8
"""Bins of a feature, at its quantiles; fewer where values repeat."""
STRENGTH = 0.3
"""Inverse of the ridge penalty on points."""
MAX_ROWS = 100_000
"""Rows fitted on, evenly spread over the periods: more do not move points that have so few degrees of freedom."""
_DIGITS = 6


@dataclass(frozen=True)
class TrainedScorecard:
    """A scorecard and its calibration, a level fitted out of time on the last period."""

    scorecard: Scorecard
    calibration: Calibration


def train_scorecard(periods: Sequence[TrainingPeriod]) -> TrainedScorecard:
    """Train on all periods; the level is fitted on the last, predicted by a scorecard of the earlier ones.

    Raises:
        ValueError: for fewer than two periods.
    """
    if len(periods) < 2:
        raise ValueError("at least two periods are needed: the level is fitted on a later one")
    everything = stack(periods)
    cut = everything.outcome.size - periods[-1].outcome.size
    earlier, last = everything.take(slice(0, cut)), everything.take(slice(cut, None))
    level = fit_level(_fit(earlier).raw(last.features), last.outcome)
    return TrainedScorecard(_fit(everything), IDENTITY.with_level(level))


def _fit(rows: TrainingRows) -> Scorecard:
    rows = rows.take(slice(None, None, -(-rows.outcome.size // MAX_ROWS)))
    edges = [_edges(rows.features[:, index]) for index in range(rows.features.shape[1])]
    sizes = [e.size + 2 for e in edges]
    starts = np.cumsum([0, *sizes])
    columns = [bin_of(rows.features[:, index], e) + starts[index] for index, e in enumerate(edges)]
    count = rows.outcome.size
    bins = np.zeros((count, int(starts[-1])))
    bins[np.arange(count)[:, None], np.column_stack(columns)] = 1.0
    model = LogisticRegression(C=STRENGTH, solver="newton-cholesky", max_iter=100, tol=1e-8).fit(
        bins, rows.outcome, sample_weight=rows.weight
    )
    points = np.round(model.coef_.T, _DIGITS) + 0.0  # without the sign of a zero, which is no part of the model
    features = [ScorecardFeature(e, points[start : start + size]) for e, start, size in zip(edges, starts, sizes, strict=False)]
    return Scorecard(np.round(model.intercept_, _DIGITS) + 0.0, tuple(features))


def _edges(values: NDArray[np.float32]) -> NDArray[np.float64]:
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size:
        return np.zeros(0)
    found = np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS + 1)[1:-1], method="higher"))
    return np.asarray(found[found > known.min()], dtype=np.float64)
