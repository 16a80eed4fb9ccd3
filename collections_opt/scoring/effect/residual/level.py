"""How strong effects are, from randomised rows alone: the desk's habits tell their shape, and mislead about their size.

Per outcome y - mu0 on (W - e) times three changes of p, beside 1 and e times them, whose errors the drawn chances e make
harmless: what the plan says, what all rows add to it, and what the randomised rows alone add. Their weights w are shrunk to
those of the plan, (1, 0, 0), by their errors V:

    w = (V^-1 + S^-1)^-1 (V^-1 w_hat + S^-1 (1, 0, 0)),    S = diag(.35, .5, .5)^2

Few randomised rows serve the plan, and many serve what they say, with no step between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PART_NAMES = ("plan", "all rows", "randomised rows")

PLANNED_WEIGHTS = (1.0, 0.0, 0.0)
"""Weights without evidence: the plan stands."""

WEIGHT_SPREADS = (0.35, 0.5, 0.5)
"""How far weights lie from the plan's before any row is seen: a plan is rarely wrong by more than half, and what is
learned earns its weight: at an error of a half it gets half of what it was measured to be worth."""

PROVEN_ERRORS = 2.0
"""A level so many standard errors above 0 is proven."""

CONFOUNDED_LEVEL = 0.4
"""Below this level of what all rows say, the desk's rows are worth a warning."""

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Weight:
    """The weight of one of ``PART_NAMES``: as served, as the randomised rows have it, and the standard error of that.

    Errors are clustered by person; estimate and error are 0 where there is nothing to weigh.
    """

    served: float
    estimate: float
    standard_error: float


@dataclass(frozen=True)
class Level:
    """How much of an outcome's effects is served.

    Attributes:
        weights: of ``PART_NAMES``.
        estimate: scale k of the served effect on the randomised rows; 1 where it is as large as they say.
        standard_error: of the scale, clustered by person; 0 where nothing was measured.
        unweighted: scale of what all rows say, plan included, before any weight: below 1 the desk's rows overstate.
        encompassing_z: z of what all rows add beside the plan on the randomised rows: above 2 it adds, below -2 it harms; 0 where
            nothing was learned.
    """

    weights: tuple[Weight, Weight, Weight]
    estimate: float
    standard_error: float
    unweighted: float
    encompassing_z: float

    @property
    def served(self) -> tuple[float, float, float]:
        """The weights served."""
        plan, every, drawn = self.weights
        return plan.served, every.served, drawn.served

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval of k."""
        return self.estimate - NORMAL_95 * self.standard_error, self.estimate + NORMAL_95 * self.standard_error

    @property
    def proven(self) -> bool:
        """Whether k is above 0 by two standard errors."""
        return self.estimate > PROVEN_ERRORS * self.standard_error


UNMEASURED = Level((Weight(1.0, 0.0, 0.0), Weight(0.0, 0.0, 0.0), Weight(0.0, 0.0, 0.0)), 1.0, 0.0, 1.0, 0.0)
"""The level where too few rows were randomised to measure one: the plan's."""


@dataclass(frozen=True)
class SliceRows:
    """Randomised rows of one outcome: y - mu0, W - e, e, float64 (n,) each; the changes of p of ``PART_NAMES``, float64 (n, 3).

    The learned changes of a row come from models that its person was not among.
    """

    left: Floats
    drawn: Floats
    chance: Floats
    parts: Floats


@dataclass(frozen=True)
class _Shrunk:
    """Weights (3,), their estimates and errors, their covariance (3, 3), and what each row moves them by, float64 (n, 3)."""

    served: Floats
    estimate: Floats
    error: Floats
    covariance: Floats
    influence: Floats


def measure_levels(
    outcomes: Sequence[SliceRows], person: NDArray[np.bytes_]
) -> tuple[tuple[Level, ...], tuple[tuple[float, ...], ...]]:
    """Return the level of each outcome, and the covariance of all their weights as served, those of one outcome together."""
    shrunk = [_shrunk(rows, person) for rows in outcomes]
    levels = [_level(rows, found, person) for rows, found in zip(outcomes, shrunk, strict=True)]
    covariance = clustered(np.hstack([found.influence for found in shrunk]), person)
    for index, found in enumerate(shrunk):
        own = slice(3 * index, 3 * index + 3)
        covariance[own, own] = found.covariance
    return tuple(levels), tuple(tuple(line) for line in covariance.tolist())


def _shrunk(rows: SliceRows, person: NDArray[np.bytes_]) -> _Shrunk:
    """Shrink the weights to the plan's; those of learned parts end at 0, for what is learned with the wrong sign is no effect."""
    there = np.flatnonzero(rows.parts.any(axis=0))
    estimate, error, served = np.zeros(3), np.zeros(3), np.zeros(3)
    covariance, influence = np.zeros((3, 3)), np.zeros(rows.parts.shape)
    value, moved = _slopes(rows, rows.parts[:, there])
    spread = clustered(moved, person)
    estimate[there], error[there] = value, np.sqrt(np.diag(spread))
    evidence = np.linalg.pinv(spread, hermitian=True)
    prior = np.diag(1.0 / np.array(WEIGHT_SPREADS)[there] ** 2)
    aim = evidence @ value + prior @ np.array(PLANNED_WEIGHTS)[there]
    free = np.ones(there.size, dtype=bool)
    for _ in PART_NAMES:  # each turn leaves out at least one, or ends
        after = np.linalg.inv((evidence + prior)[np.ix_(free, free)])
        found = after @ aim[free]
        below = (found < 0) & (there[free] > 0)
        if not below.any():
            break
        free[np.flatnonzero(free)[below]] = False
    kept = there[free]
    served[kept], covariance[np.ix_(kept, kept)] = found, after
    influence[:, kept] = moved @ evidence[:, free] @ after
    return _Shrunk(served, estimate, error, covariance, influence)


def _level(rows: SliceRows, found: _Shrunk, person: NDArray[np.bytes_]) -> Level:
    value, influence = _slopes(rows, (rows.parts @ found.served)[:, np.newaxis])
    alone, _ = _slopes(rows, rows.parts[:, :2].sum(axis=1)[:, np.newaxis])
    weights = [Weight(*(float(part[index]) for part in (found.served, found.estimate, found.error))) for index in range(3)]
    error = float(np.sqrt(clustered(influence, person)[0, 0]))
    return Level((weights[0], weights[1], weights[2]), float(value[0]), error, float(alone[0]), _encompassing(rows, person))


def clustered(influence: Floats, person: NDArray[np.bytes_]) -> Floats:
    """Return the covariance of sums of influences (n, k) over rows, those of one person counted together, float64 (k, k)."""
    number = np.unique(person, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    sums = np.column_stack([np.bincount(number, weights=part, minlength=count) for part in influence.T])
    return np.asarray(sums.T @ sums * (count / max(count - 1, 1)), dtype=np.float64)


def _encompassing(rows: SliceRows, person: NDArray[np.bytes_]) -> float:
    if not rows.parts[:, 1].any():
        return 0.0
    value, influence = _slopes(rows, rows.parts[:, :2])
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
