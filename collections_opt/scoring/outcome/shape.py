"""Which calibration: a shape, a property of the model, and a level, which drifts with the times.

Shapes are fitted and judged on predictions of later periods by models of the earlier ones, never on rows that a model trained on.
With several such periods a shape is judged on each after it was fitted on the others; with one, on each half after the other.
The simplest shape is taken that is no worse than the best beyond one standard error of the paired difference: a shape fitted on
few events of few periods must earn its place. The level is that of the last period, predicted by the model of the earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.scoring.outcome.calibration import FITTERS, IDENTITY, Calibration, fit_shifts
from collections_opt.scoring.outcome.standard_error import no_worse

Floats = NDArray[np.float64]
NAMES = ("identity", *FITTERS)
"""Shapes, simplest first."""


@dataclass(frozen=True)
class Predicted:
    """A later period predicted by a model of the earlier ones: raw (n, 3), outcome (n,), account (n,), weight (n,)."""

    raw: Floats
    outcome: NDArray[np.int64]
    account: Array
    weight: Floats

    def part(self, rows: NDArray[np.bool_]) -> Predicted:
        """Return some rows."""
        return Predicted(self.raw[rows], self.outcome[rows], self.account[rows], self.weight[rows])


def choose_calibration(later: Sequence[Predicted]) -> tuple[Calibration, dict[str, float]]:
    """Return the calibration at the level of the last period, and the log loss on later periods of every shape.

    Args:
        later: periods in order of time, each predicted by a model of those before.
    """
    losses = {name: [_losses(name, later, index) for index in range(len(later))] for name in NAMES}
    means = {name: float(np.concatenate(loss).mean()) for name, loss in losses.items()}
    best = min(means, key=lambda name: means[name])
    simplest = next(name for name in NAMES if no_worse(losses[name], losses[best]))
    shape = _fit(simplest, [_levelled(one) for one in later])
    last = later[-1]
    shifts = fit_shifts(shape.apply(last.raw), last.outcome, last.weight)
    return shape.with_shifts(shifts), means


def _losses(name: str, later: Sequence[Predicted], index: int) -> Floats:
    """Return the log loss of each row of a period under a shape fitted on others, at the level of the other half of accounts."""
    one = later[index]
    others = [_levelled(other) for place, other in enumerate(later) if place != index]
    result, fold = np.empty(one.outcome.size), halves(one.account)
    for judged in (fold, ~fold):
        rest = one.part(~judged)
        shape = _fit(name, others or [rest])
        full = shape.with_shifts(fit_shifts(shape.apply(rest.raw), rest.outcome, rest.weight))
        p, outcome = full.apply(one.raw[judged]), one.outcome[judged]
        result[judged] = -np.log(p[np.arange(p.shape[0]), outcome]) * one.weight[judged]
    return result


def _fit(name: str, parts: Sequence[Predicted]) -> Calibration:
    if name == "identity":
        return IDENTITY
    return FITTERS[name](np.vstack([part.raw for part in parts]), np.concatenate([part.outcome for part in parts]))


def _levelled(one: Predicted) -> Predicted:
    """Return a period at its own level, so that a shape fitted on several is not bent by their levels."""
    shifts = fit_shifts(one.raw, one.outcome, one.weight)
    return Predicted(IDENTITY.with_shifts(shifts).apply(one.raw), one.outcome, one.account, one.weight)


def halves(account: Array) -> NDArray[np.bool_]:
    """Return a split of accounts into halves, by their order, bool (n,)."""
    _, inverse = np.unique(account, return_inverse=True)
    return np.asarray(inverse % 2 == 0, dtype=np.bool_)
