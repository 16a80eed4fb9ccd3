"""Whether accounts bunch on one side of a threshold, as they do where somebody chooses the side (McCrary 2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import t as student

from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.thresholds.discontinuity import Window

Floats = NDArray[np.float64]
BINS = 15
"""Bins of a side where there are enough rows."""

MIN_BINS, MIN_BIN_ROWS = 4, 5


@dataclass(frozen=True)
class DensityJump:
    """The density just above a threshold over that just below.

    Attributes:
        ratio: 1 where nobody sorts.
        low: lower end of its 95 % interval.
        high: upper end.
        p_value: of a ratio of 1.
        bin_width: in units of the running variable.
    """

    ratio: float
    low: float
    high: float
    p_value: float
    bin_width: float


def density_jump(running: Floats, window: Window) -> DensityJump:
    """Return the jump of the density by a Poisson regression of bin counts with a log-linear slope on each side.

    Overdispersed counts (heaps at round numbers) widen the interval. Values that are all whole are binned by whole widths.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a side has fewer than four bins of about five rows.
    """
    inside = running[window.rows(running)]
    reach = min(window.threshold - window.low, window.high - window.threshold)
    fewest = min(int((inside < window.threshold).sum()), int((inside >= window.threshold).sum()))
    bins = min(BINS, fewest // MIN_BIN_ROWS)
    width = reach / max(bins, 1)
    if bool((inside == np.rint(inside)).all()):
        width = float(np.ceil(width))
        bins = int(reach // width)
    if bins < MIN_BINS:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "window",
            f"holds {max(bins, 0)} bins of a side; a check of bunching needs {MIN_BINS} of about {MIN_BIN_ROWS} accounts.",
            "Widen the window.",
        )
    place = np.floor((inside - window.threshold) / width).astype(np.int64) + bins
    counts = np.bincount(place[(place >= 0) & (place < 2 * bins)], minlength=2 * bins)
    middle = np.arange(-bins, bins) + 0.5
    above = middle > 0
    design = np.column_stack([np.ones(2 * bins), middle, above, above * middle])
    model = sm.GLM(counts, design, family=sm.families.Poisson())
    spread = max(float(model.fit(scale="X2").scale), 1.0)
    fit = model.fit(scale=spread)
    jump, error, freedom = float(fit.params[2]), float(fit.bse[2]), 2 * bins - 4
    reach_95 = float(student.ppf(0.975, freedom)) * error
    ratio, low, high = (float(np.exp(value)) for value in (jump, jump - reach_95, jump + reach_95))
    return DensityJump(ratio, low, high, float(2.0 * student.sf(abs(jump) / error, freedom)), width)
