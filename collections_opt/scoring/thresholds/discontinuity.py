"""Regression discontinuity: the jump of an outcome at the threshold from which a strategy gives accounts more effort."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MIN_CELL_COUNT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Discontinuity:
    """The jump at a threshold c by least squares: outcome = constant + slope running + effect (running >= c).

    With slopes of each side's own, (running >= c) (running - c) is added: local linear regression with a uniform kernel.

    Attributes:
        effect: the jump.
        standard_error: of the jump, as OLS states it.
        low: lower end of its 95 % interval by OLS.
        high: upper end.
        robust_standard_error: HC3, or clustered by account where accounts repeat.
        robust_low: lower end of the 95 % interval by it.
        robust_high: upper end.
        constant: intercept.
        slope: per unit of the running variable, below the threshold where each side has its own.
        below_count: rows below the threshold.
        above_count: rows at or above it.
    """

    effect: float
    standard_error: float
    low: float
    high: float
    robust_standard_error: float
    robust_low: float
    robust_high: float
    constant: float
    slope: float
    below_count: int
    above_count: int


@dataclass(frozen=True)
class Window:
    """Rows with low <= running < high are compared across the threshold."""

    threshold: float
    low: float
    high: float

    @classmethod
    def around(cls, threshold: float, width: float) -> Window:
        """Return the window that reaches ``width`` to both sides."""
        return cls(threshold, threshold - width, threshold + width)

    def rows(self, running: Floats) -> NDArray[np.bool_]:
        """Return which rows are inside, bool (n,)."""
        return np.asarray((running >= self.low) & (running < self.high))


def discontinuity(
    running: Floats,
    outcome: Floats,
    window: Window,
    own_slopes: bool = False,
    account: NDArray[np.bytes_] | NDArray[np.int64] | None = None,
) -> Discontinuity:
    """Return the jump at the threshold among the rows of a window. Evidence of grade OBSERVATIONAL.

    Args:
        running: float64 (n,) what the threshold is on.
        outcome: float64 (n,).
        window: threshold and rows.
        own_slopes: fit a slope on each side.
        account: of each row, where accounts repeat.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the threshold is outside the window or a side has fewer than 30 rows.
    """
    if not window.low < window.threshold < window.high:
        raise refuse(Reason.INVALID_ARGUMENT, "threshold", "is outside the window.", "Widen the window around it.")
    inside = window.rows(running)
    x, y = running[inside], outcome[inside]
    above = x >= window.threshold
    counts = (int((~above).sum()), int(above.sum()))
    if min(counts) < MIN_CELL_COUNT:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "window",
            f"{counts[0]} accounts below and {counts[1]} above the threshold; {MIN_CELL_COUNT} of each are needed.",
            "Widen the window, or use another threshold.",
        )
    columns = [np.ones(x.size), x, above.astype(np.float64)]
    if own_slopes:
        columns.append(above * (x - window.threshold))
    fit = sm.OLS(y, np.column_stack(columns)).fit()
    if account is None:
        robust = fit.get_robustcov_results("HC3", use_t=True)
    else:
        groups = np.unique(account[inside], return_inverse=True)[1]
        robust = fit.get_robustcov_results("cluster", groups=groups, use_t=True)
    plain, sure = fit.conf_int(alpha=0.05)[2], robust.conf_int(alpha=0.05)[2]
    return Discontinuity(
        float(fit.params[2]),
        float(fit.bse[2]),
        float(plain[0]),
        float(plain[1]),
        float(robust.bse[2]),
        float(sure[0]),
        float(sure[1]),
        float(fit.params[0]),
        float(fit.params[1]),
        *counts,
    )


def discontinuity_per_treated(
    running: Floats,
    outcome: Floats,
    treated: NDArray[np.bool_],
    window: Window,
    own_slopes: bool = False,
    account: NDArray[np.bytes_] | NDArray[np.int64] | None = None,
) -> Discontinuity:
    """Return the jump of the outcome over the jump in treatment: the effect on those whom the threshold gets treated.

    Two-stage least squares with the threshold as instrument; its errors are those of the jump of outcome - effect x treated.

    Raises:
        CollectionsError: as ``discontinuity``; INVALID_ARGUMENT when treatment does not jump.
    """
    flag = treated.astype(np.float64)
    take_up = discontinuity(running, flag, window, own_slopes).effect
    if abs(take_up) < 1e-6:
        raise refuse(Reason.INVALID_ARGUMENT, "treated", "does not change at the threshold.", "Check the threshold.")
    effect = discontinuity(running, outcome, window, own_slopes).effect / take_up
    rest = discontinuity(running, outcome - effect * flag, window, own_slopes, account)
    scale = 1.0 / abs(take_up)
    return replace(
        rest,
        effect=effect,
        standard_error=rest.standard_error * scale,
        low=effect + (rest.low - rest.effect) * scale,
        high=effect + (rest.high - rest.effect) * scale,
        robust_standard_error=rest.robust_standard_error * scale,
        robust_low=effect + (rest.robust_low - rest.effect) * scale,
        robust_high=effect + (rest.robust_high - rest.effect) * scale,
    )
