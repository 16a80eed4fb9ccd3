"""Train the logistic scorecard beside the boosted model, on the same rows: baseline, and fallback that needs no LightGBM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.scoring.outcome.calibration import IDENTITY, Calibration, fit_shifts
from collections_opt.scoring.outcome.rows import TrainingPeriod, TrainingRows, chains, stack
from collections_opt.scoring.outcome.scorecard import Scorecard, ScorecardFeature, bin_of
from collections_opt.scoring.outcome.shape import Predicted, choose_calibration
from collections_opt.scoring.outcome.standard_error import no_worse

BINS = 8
"""Bins of a feature, at its quantiles; fewer where values repeat."""
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Inverses of the ridge penalty on points that are tried, the strongest penalty first: the first is taken whose log loss on later
periods is no worse than the best beyond one standard error. What predicts as well with smaller points promises less."""
MAX_ROWS = 100_000
"""Rows fitted on, evenly spread over the periods: more do not move points that have so few degrees of freedom."""
MAX_NEWTON_BINS = 600
"""Bins up to which Newton's method is the faster: its steps solve for all bins and classes at once, so their cost grows with the
cube; more come with many own columns only."""
_DIGITS = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainedScorecard:
    """A scorecard and its calibration, chosen out of time as the boosted model's.

    ``strength`` is the inverse of the ridge penalty, ``candidates`` the log loss of later periods per strength tried.
    """

    scorecard: Scorecard
    calibration: Calibration
    strength: float
    candidates: Mapping[float, float]


def train_scorecard(periods: Sequence[TrainingPeriod], own: Sequence[OwnFeature] = ()) -> TrainedScorecard:
    """Train on all periods and some own columns of theirs.

    Strength and calibration are chosen on periods predicted by scorecards of the earlier ones.

    Raises:
        ValueError: for fewer than two periods.
    """
    if len(periods) < 2:
        raise ValueError("at least two periods are needed: strength and calibration are chosen on a later one")
    everything, sizes = stack(periods, own), [period.outcome.size for period in periods]
    pairs = chains(everything, sizes, len(periods))
    found = {strength: [_predicted(_fit(earlier, strength), later) for earlier, later in pairs] for strength in STRENGTHS}
    losses = {strength: [_losses(one) for one in later] for strength, later in found.items()}
    means = {strength: float(np.concatenate(loss).mean()) for strength, loss in losses.items()}
    best = min(means, key=lambda one: (means[one], one))
    strength = next(one for one in STRENGTHS if no_worse(losses[one], losses[best]))
    calibration, _ = choose_calibration(found[strength])
    return TrainedScorecard(_fit(everything, strength), calibration, strength, means)


def _predicted(card: Scorecard, rows: TrainingRows) -> Predicted:
    return Predicted(card.raw(rows.features), rows.outcome, rows.account, rows.stands_for)


def _losses(one: Predicted) -> Floats:
    """Return the log loss of each row of a later period, at the period's own level."""
    p = IDENTITY.with_shifts(fit_shifts(one.raw, one.outcome, one.weight)).apply(one.raw)
    return np.asarray(-np.log(p[np.arange(p.shape[0]), one.outcome]) * one.weight, dtype=np.float64)


def _fit(rows: TrainingRows, strength: float) -> Scorecard:
    rows = rows.take(slice(None, None, -(-rows.outcome.size // MAX_ROWS)))
    edges = [_edges(rows.features[:, index], rows.categories.get(index)) for index in range(rows.features.shape[1])]
    sizes = [e.size + 2 for e in edges]
    starts = np.cumsum([0, *sizes])
    columns = [bin_of(rows.features[:, index], e) + starts[index] for index, e in enumerate(edges)]
    model = _regression(np.column_stack(columns), int(starts[-1]), rows, strength)
    points = np.round(model.coef_.T, _DIGITS) + 0.0  # without the sign of a zero, which is no part of the model
    features = [ScorecardFeature(e, points[start : start + size]) for e, start, size in zip(edges, starts, sizes, strict=False)]
    return Scorecard(np.round(model.intercept_, _DIGITS) + 0.0, tuple(features))


def _regression(places: NDArray[np.int64], width: int, rows: TrainingRows, strength: float) -> LogisticRegression:
    """Return the regression on the bins at ``places`` (n, f) of ``width``: few by Newton's method, many as a sparse table."""
    count = len(places)
    if width <= MAX_NEWTON_BINS:
        bins = np.zeros((count, width))
        bins[np.arange(count)[:, None], places] = 1.0
        solver, options = "newton-cholesky", {"max_iter": 100, "tol": 1e-8}
    else:
        ends = np.arange(0, places.size + 1, places.shape[1])
        bins = csr_matrix((np.ones(places.size), places.reshape(-1), ends), shape=(count, width))
        solver, options = "lbfgs", {"max_iter": 500, "tol": 1e-6}
    return LogisticRegression(C=strength, solver=solver, **options).fit(bins, rows.outcome, sample_weight=rows.weight)


def _edges(values: NDArray[np.float32], texts: int | None = None) -> NDArray[np.float64]:
    """Return where bins are cut: at quantiles, or between the places of a category's texts, which have no more and less."""
    if texts is not None:
        return np.arange(1.0, max(texts, 1))
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size:
        return np.zeros(0)
    found = np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS + 1)[1:-1], method="higher"))
    return np.asarray(found[found > known.min()], dtype=np.float64)
