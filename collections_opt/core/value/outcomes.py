"""Probabilities of the competing outcomes without contact: exactly one of cure, default, stay by the horizon."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import frozen
from collections_opt.core.errors import Reason, refuse

CURE, DEFAULT, STAY = 0, 1, 2
"""Columns of every probability array."""

PROBABILITY_SCALE = 1_000_000_000
"""Probabilities decide as whole multiples of 1e-9, so that a record holds exactly what was multiplied by money."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class OutcomeProbabilities:
    """One competing-outcomes model's answer.

    Attributes:
        probability: float64 (n, 3) in the order cure, default, stay; rows sum to 1.
        model_version: version of the model.
        calibration_version: version of its calibration.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a row is not a distribution.
    """

    probability: NDArray[np.float64]
    model_version: str
    calibration_version: str

    def __post_init__(self) -> None:
        p = np.asarray(self.probability, dtype=np.float64)
        good = p.ndim == 2 and p.shape[1] == 3
        good = good and bool(((p >= 0) & (p <= 1)).all() and (np.abs(p.sum(axis=1) - 1.0) <= _TOLERANCE).all())
        if not good:
            raise refuse(Reason.INVALID_ARGUMENT, "probability", "rows are not distributions over cure, default, stay.")
        object.__setattr__(self, "probability", frozen(p))


def to_nano(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return distributions (n, 3) as int64 multiples of 1e-9 whose rows sum to exactly 1e9.

    Each share is rounded; what rounding leaves over or short (at most two units) goes to the row's largest share.
    """
    nano = np.rint(probability * PROBABILITY_SCALE).astype(np.int64)
    nano[np.arange(nano.shape[0]), nano.argmax(axis=1)] += PROBABILITY_SCALE - nano.sum(axis=1)
    return nano


def from_nano(nano: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the float64 probabilities (n, 3) of multiples of 1e-9; ``to_nano`` gives the same multiples back."""
    return nano / np.float64(PROBABILITY_SCALE)


def quantised(outcomes: OutcomeProbabilities) -> OutcomeProbabilities:
    """Return the same answer on the recorded grid of 1e-9; quantising twice changes nothing."""
    return replace(outcomes, probability=from_nano(to_nano(outcomes.probability)))
