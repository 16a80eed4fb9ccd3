"""How strong effects are, from randomised rows alone: the desk's habits tell their shape, and mislead about their size.

Per outcome one scale k: y - mu0 on (W - e) tau, beside 1 and e tau, whose errors the drawn chances e make harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL_BOUNDS = (0.2, 1.5)
"""A served level ends here on both sides."""

PROVEN_ERRORS = 2.0
"""A level so many standard errors above 0 is proven."""

CONFOUNDED_LEVEL = 0.4
"""Below this level the desk's rows are worth a warning."""

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Level:
    """The scale k of an outcome's effects.

    Attributes:
        served: k inside ``LEVEL_BOUNDS``; 1 where nothing was learned and the randomised rows do not contradict the plan.
        estimate: k as estimated.
        standard_error: of the estimate, clustered by person.
        encompassing_z: z of the learned part beside the plan's on the randomised rows: above 2 it adds, below -2 it harms; 0
            where nothing was learned.
    """

    served: float
    estimate: float
    standard_error: float
    encompassing_z: float

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval of k."""
        return self.estimate - NORMAL_95 * self.standard_error, self.estimate + NORMAL_95 * self.standard_error

    @property
    def proven(self) -> bool:
        """Whether k is above 0 by two standard errors."""
        return self.estimate > PROVEN_ERRORS * self.standard_error


UNMEASURED = Level(1.0, 1.0, 0.0, 0.0)
"""The level where too few rows were randomised to measure one; nothing learned is served then."""


@dataclass(frozen=True)
class SliceRows:
    """Randomised rows of one outcome, float64 (n,) each: y - mu0, W - e, e, the plan's change of p and the learned one's.

    The learned part of a row comes from models that its person was not among.
    """

    left: Floats
    drawn: Floats
    chance: Floats
    planned: Floats
    learned: Floats


def measure_levels(
    outcomes: Sequence[SliceRows], person: NDArray[np.bytes_]
) -> tuple[tuple[Level, ...], tuple[tuple[float, ...], ...]]:
    """Return the level of each outcome, and the covariance of their errors as served, clustered by person."""
    estimates, influences, encompassing = [], [], []
    for rows in outcomes:
        value, influence = _slopes(rows, np.column_stack([rows.planned + rows.learned]))
        estimates.append(float(value[0]))
        influences.append(influence[:, 0])
        encompassing.append(_encompassing(rows, person))
    covariance = clustered(np.column_stack(influences), person)
    levels, stretch = [], np.ones(len(outcomes))
    for index, (rows, k, z) in enumerate(zip(outcomes, estimates, encompassing, strict=True)):
        error = float(np.sqrt(covariance[index, index]))
        served = float(np.clip(k, *LEVEL_BOUNDS))
        if not rows.learned.any() and abs(k - 1.0) <= PROVEN_ERRORS * error:
            served = 1.0  # the plan stands; how far off the estimate is counts as error
            stretch[index] = np.hypot(error, k - 1.0) / error if error else 1.0
        levels.append(Level(served, k, error, z))
    return tuple(levels), tuple(tuple(line) for line in (covariance * np.outer(stretch, stretch)).tolist())


def clustered(influence: Floats, person: NDArray[np.bytes_]) -> Floats:
    """Return the covariance of sums of influences (n, k) over rows, those of one person counted together, float64 (k, k)."""
    number = np.unique(person, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    sums = np.column_stack([np.bincount(number, weights=part, minlength=count) for part in influence.T])
    return np.asarray(sums.T @ sums * (count / max(count - 1, 1)), dtype=np.float64)


def _encompassing(rows: SliceRows, person: NDArray[np.bytes_]) -> float:
    if not rows.learned.any():
        return 0.0
    value, influence = _slopes(rows, np.column_stack([rows.planned, rows.learned]))
    return float(value[1] / np.sqrt(clustered(influence[:, 1:], person)[0, 0]))


def _slopes(rows: SliceRows, effects: Floats) -> tuple[Floats, Floats]:
    """Return the slopes of effects (n, m) and each row's influence on them, float64 (n, m)."""
    beside = np.column_stack([np.ones(rows.left.size), rows.chance[:, np.newaxis] * effects])
    drawn = rows.drawn[:, np.newaxis] * effects
    free = drawn - beside @ np.linalg.lstsq(beside, drawn, rcond=None)[0]
    inverse = np.linalg.pinv(free.T @ free)
    slope = inverse @ (free.T @ rows.left)
    rest = rows.left - beside @ np.linalg.lstsq(beside, rows.left, rcond=None)[0] - free @ slope
    return np.asarray(slope, dtype=np.float64), np.asarray((free * rest[:, np.newaxis]) @ inverse, dtype=np.float64)
