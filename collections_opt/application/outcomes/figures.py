"""Predicted against realised, part by part: the figures of a cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from collections_opt.application.records.monitor_facts import CellFigures, Figure
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.outcomes.alarms import log_factors
from collections_opt.scoring.evaluation.discrimination import auc_interval
from collections_opt.scoring.evaluation.probabilities import Estimate, calibration_line

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_CASES = 5
"""Fewer accounts with or without an outcome tell nothing of slope and discrimination."""

LEAST_SPREAD = 1e-6
"""Chances nearer together than this are one."""

_Z = float(ndtri(0.975))


def cell_figures(
    key: tuple[str, str, str], probability: Floats, happened: Mask, weight: Floats | None, judged: Mask | None
) -> CellFigures:
    """Return the figures of a cell; small cells hold counts, and evidence for alarms, alone.

    Args:
        key: dimension, part and outcome.
        probability: float64 (n,) predicted.
        happened: bool (n,).
        weight: float64 (n,) for how many accounts each stands, 0 for those that left sight; None where all were seen.
        judged: bool (n,) accounts that alarms read; None where none does.
    """
    held = np.ones(probability.size) if weight is None else weight
    seen = held > 0
    evidence = ()
    if judged is not None:
        mine = None if weight is None else weight[judged]
        evidence = tuple(log_factors(probability[judged], happened[judged], mine).sum(axis=0).tolist())
    p, y, w = probability[seen], happened[seen], held[seen]
    count = int(p.size)
    if count < MIN_CELL_COUNT:
        nothing = Figure()
        return CellFigures(*key, count, float("nan"), nothing, nothing, nothing, float("nan"), nothing, evidence)
    rate = float(np.average(y, weights=w))
    level = slope = auc = Figure()
    skill = float("nan")
    # Equal chances have no slope, and none of them is before another.
    if min(int(y.sum()), int((~y).sum())) >= LEAST_CASES and float(np.ptp(p)) > LEAST_SPREAD:
        plain = weight is None or bool((w == 1.0).all())
        sloped, intercept = calibration_line(p, y, None if plain else w)
        slope, level = _figure(sloped), _figure(intercept)
        auc = Figure(*auc_interval(p, y, None if plain else w))
        brier = float(np.average((p - y) ** 2, weights=w))
        skill = 1.0 - brier / (rate * (1.0 - rate))
    mean = float(np.average(p, weights=w))
    return CellFigures(*key, count, mean, share_figure(rate, w), level, slope, skill, auc, evidence)


def share_figure(rate: float, weight: Floats) -> Figure:
    """Return a share with its interval by Wilson, at the count that weighs as much (Kish)."""
    count = float(weight.sum()) ** 2 / float((weight**2).sum())
    middle = (rate + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    spread = _Z / (1 + _Z**2 / count) * float(np.sqrt(rate * (1 - rate) / count + _Z**2 / (4 * count**2)))
    return Figure(rate, middle - spread, middle + spread)


def _figure(one: Estimate) -> Figure:
    return Figure(one.value, one.low, one.high)
