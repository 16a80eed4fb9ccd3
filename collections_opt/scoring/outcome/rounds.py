"""How many trees: as few as predict later periods no worse than the best number does, beyond one standard error.

The log loss judged is that left after the level of the later period is fitted: rates move with the times, and a level that is off
would make small models look good. The standard error is that of the paired difference to the best (Breiman et al. 1984, 3.4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from collections_opt.scoring.outcome.boosting import happened, splits_per_account
from collections_opt.scoring.outcome.calibration import fit_shift, shifted
from collections_opt.scoring.outcome.rows import TrainingRows
from collections_opt.scoring.outcome.standard_error import standard_error

Floats = NDArray[np.float64]

GRID = (10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300)
"""Rounds that are judged."""
_FLOOR = 1e-12


@dataclass(frozen=True)
class Judged:
    """One number of rounds, judged on periods later than those trained on.

    Attributes:
        rounds: trees of the step.
        splits: comparisons that scoring an account costs, on average.
        log_loss: of the step's event, its level fitted per period.
        worse_by: mean difference to the best number of rounds.
        error: standard error of that difference; 0 for the best.
    """

    rounds: int
    splits: float
    log_loss: float
    worse_by: float
    error: float


@dataclass(frozen=True)
class SizeCurve:
    """Cost against loss of one step, fewest rounds first, and the rounds chosen."""

    judged: tuple[Judged, ...]
    chosen: int


def choose_rounds(grown: Sequence[lgb.Booster], later: Sequence[TrainingRows], step: str) -> SizeCurve:
    """Return the curve of a step.

    Args:
        grown: boosters of ``GRID[-1]`` rounds, each of all periods before one of ``later``.
        later: rows of the periods that each is judged on.
        step: cure or default.
    """
    losses = [_losses(booster, rows, step) for booster, rows in zip(grown, later, strict=True)]
    mean = np.hstack(losses).mean(axis=1)
    best = int(mean.argmin())
    worse = mean - mean[best]
    error = [standard_error([loss[index] - loss[best] for loss in losses]) for index in range(len(GRID))]
    splits = np.mean([_cumulative_splits(booster) for booster in grown], axis=0)
    columns = zip(GRID, splits, mean, worse, error, strict=True)
    judged = tuple(Judged(rounds, *(round(float(v), 6) for v in rest)) for rounds, *rest in columns)
    chosen = next(one.rounds for one in judged if one.worse_by <= one.error)
    return SizeCurve(judged, chosen)


def _losses(booster: lgb.Booster, rows: TrainingRows, step: str) -> Floats:
    """Return the log loss of each row at each number of rounds, float64 (g, n)."""
    event = happened(rows, step)
    raw, before = np.zeros(event.size), 0
    found: list[Floats] = []
    for rounds in GRID:
        # A booster that found no more splits has fewer trees: further rounds change nothing.
        if before >= booster.num_trees():
            found.append(found[-1])
            continue
        more = booster.predict(rows.features, raw_score=True, start_iteration=before, num_iteration=rounds - before)
        raw, before = raw + np.asarray(more, dtype=np.float64), rounds
        p = expit(raw)
        p = np.clip(shifted(p, fit_shift(p, event, rows.stands_for)), _FLOOR, 1.0 - _FLOOR)
        found.append(-np.log(np.where(event, p, 1.0 - p)) * rows.stands_for)
    return np.vstack(found)


def _cumulative_splits(booster: lgb.Booster) -> Floats:
    """Return the splits that an account passes at each number of rounds, float64 (g,)."""
    passed = np.concatenate([[0.0], np.cumsum(splits_per_account(booster))])
    return np.asarray(passed[np.minimum(GRID, passed.size - 1)], dtype=np.float64)
