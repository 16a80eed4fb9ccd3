"""Judge recoveries on charged-off accounts that nothing was fitted on: in money, in shares, in kinds, beside one mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.scoring.evaluation.probabilities import Estimate, bootstrap_share
from collections_opt.scoring.recovery.model import NOTHING, RecoveryHurdle
from collections_opt.scoring.recovery.rows import RecoveryRows

Floats = NDArray[np.float64]
SHARES = (0.1, 0.2)
DRAWS = 400
_CELLS = 4_000_000
KINDS = ("nothing", "part", "all")


@dataclass(frozen=True)
class RecoveryEvaluation:
    """How good expected recoveries are on later accounts; intervals by bootstrap over accounts.

    Attributes:
        count: accounts judged.
        observed: share of accounts by kind of recovery; NaN for a kind in a small cell.
        predicted: the same, predicted.
        mean_share: recovered share of all exposure.
        slope: of recovered on expected money, least squares with an intercept; 1 is right.
        level: recovered over expected money; 1 is right.
        mae: mean absolute error of the share.
        mae_of_mean: of one mean share for all, that of the fitted accounts.
        r2: 1 - squared error of the share over that of the one mean.
        captured: share of the recovered money that the first accounts hold, per order and share of accounts worked.
    """

    count: int
    observed: Mapping[str, float]
    predicted: Mapping[str, float]
    mean_share: Estimate
    slope: Estimate
    level: Estimate
    mae: Estimate
    mae_of_mean: float
    r2: Estimate
    captured: Mapping[str, Mapping[float, Estimate]]


def judge_recoveries(hurdle: RecoveryHurdle, rows: RecoveryRows, mean_share: float, seed: int) -> RecoveryEvaluation:
    """Return the figures of accounts that nothing was fitted on.

    Args:
        hurdle: what is judged.
        rows: later accounts.
        mean_share: the one mean to beat, of the fitted accounts.
        seed: of the draws.

    Raises:
        CollectionsError: INVALID_ARGUMENT for too few accounts, or where none gave anything back.
    """
    money, share = rows.money, rows.share
    if rows.count < MIN_CELL_COUNT or not money.any():
        told = f"{rows.count} accounts to judge on, of which {int((money > 0).sum())} gave something back."
        remedy = f"Give at least {MIN_CELL_COUNT} charged-off accounts in the last period."
        raise refuse(Reason.INVALID_ARGUMENT, "recoveries", told, remedy)
    p, expected = hurdle.probabilities(rows.features), hurdle.expected_share(rows.features)
    value = expected * rows.exposure
    unit = rows.exposure.mean()  # so that squares of minor units lose no digits
    x, y = value / unit, money / unit
    moments = np.column_stack([x, y, x * x, x * y, rows.exposure / unit])
    errors = np.column_stack([np.abs(share - expected), (share - expected) ** 2, (share - mean_share) ** 2])
    drawn = _drawn(np.hstack([moments, errors]), seed)
    orders = {"value": value, "probability": 1.0 - p[:, NOTHING], "balance": rows.exposure, "perfect hindsight": money}
    return RecoveryEvaluation(
        count=rows.count,
        observed=_observed(rows),
        predicted=dict(zip(KINDS, p.mean(axis=0).tolist(), strict=True)),
        mean_share=_estimate(drawn, lambda m: m[:, 1] / m[:, 4]),
        slope=_estimate(drawn, lambda m: (m[:, 3] - m[:, 0] * m[:, 1]) / (m[:, 2] - m[:, 0] ** 2)),
        level=_estimate(drawn, lambda m: m[:, 1] / m[:, 0]),
        mae=_estimate(drawn, lambda m: m[:, 5]),
        mae_of_mean=float(np.abs(share - mean_share).mean()),
        r2=_estimate(drawn, lambda m: 1.0 - m[:, 6] / m[:, 7]),
        captured={
            name: {part: bootstrap_share(money, money, np.argsort(-key, kind="stable"), part, seed) for part in SHARES}
            for name, key in orders.items()
        },
    )


def _observed(rows: RecoveryRows) -> dict[str, float]:
    counts = np.bincount(rows.kind, minlength=len(KINDS))
    return {
        name: count / rows.count if count >= MIN_CELL_COUNT else float("nan")
        for name, count in zip(KINDS, counts.tolist(), strict=True)
    }


def _drawn(columns: Floats, seed: int) -> Floats:
    """Return the means of columns (n, k) as they are and of resampled rows, float64 (1 + draws, k)."""
    count, rng = len(columns), np.random.default_rng(seed)
    chances, block = np.full(count, 1.0 / count), max(1, _CELLS // count)
    sizes = [min(block, DRAWS - first) for first in range(0, DRAWS, block)]
    means = [rng.multinomial(count, chances, size=size) @ columns / count for size in sizes]
    return np.vstack([columns.mean(axis=0)[np.newaxis], *means])


def _estimate(means: Floats, figure: Callable[[Floats], Floats]) -> Estimate:
    values = figure(means)
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))
