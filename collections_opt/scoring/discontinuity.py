"""Regression discontinuity: the effect of a strategy that gives accounts above a threshold more effort than those below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MIN_CELL_COUNT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Discontinuity:
    """The jump at a threshold c by ordinary least squares: outcome = constant + slope running + effect (running >= c).

    Attributes:
        effect: the jump.
        standard_error: of the jump, as OLS states it.
        low: lower end of its 95 % interval.
        high: upper end.
        constant: intercept.
        slope: per unit of the running variable.
        below_count: accounts below the threshold.
        above_count: accounts at or above it.
    """

    effect: float
    standard_error: float
    low: float
    high: float
    constant: float
    slope: float
    below_count: int
    above_count: int


def discontinuity(running: Floats, outcome: Floats, threshold: float, low: float, high: float) -> Discontinuity:
    """Return the jump at ``threshold`` among accounts with low <= running < high. Evidence of grade OBSERVATIONAL.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the threshold is outside the window or a side has fewer than 30 accounts.
    """
    if not low < threshold < high:
        raise refuse(Reason.INVALID_ARGUMENT, "threshold", "is outside the window.", "Widen the window around it.")
    inside = (running >= low) & (running < high)
    x, y = running[inside], outcome[inside]
    above = x >= threshold
    counts = (int((~above).sum()), int(above.sum()))
    if min(counts) < MIN_CELL_COUNT:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "window",
            f"{counts[0]} accounts below and {counts[1]} above the threshold; {MIN_CELL_COUNT} of each are needed.",
            "Widen the window, or use another threshold.",
        )
    fit = sm.OLS(y, sm.add_constant(np.column_stack([x, above.astype(np.float64)]), has_constant="add")).fit()
    ends = fit.conf_int(alpha=0.05)[2]
    return Discontinuity(
        float(fit.params[2]),
        float(fit.bse[2]),
        float(ends[0]),
        float(ends[1]),
        float(fit.params[0]),
        float(fit.params[1]),
        *counts,
    )
