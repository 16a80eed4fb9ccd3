"""How strong effects are, from randomised rows alone: the desk's habits tell their shape, and mislead about their size.

Per outcome y - mu0 on (W - e) times three changes of p, beside 1 and e times them, whose errors the drawn chances e make
harmless: what the plan says, what all rows add to it, and what the randomised rows alone add. Their weights w are shrunk to
those of the plan, (1, 0, 0), by their errors V:

    w = (V^-1 + S^-1)^-1 (V^-1 w_hat + S^-1 (1, 0, 0)),    S = diag(.35, .5, .5)^2

Few randomised rows serve the plan, and many serve what they say, with no step between.

How far served weights may be off is said by a wider spread than draws them to the plan, U: what nobody observed
is anything from no effect to twice the plan's, and what rows say of cures need not hold of defaults.
Where the rows contradict the plan by more than that and their own error V allow, U_j is stretched by
(w_hat_j - w_j)^2 / (V_jj + U_j), as errors of measurements that disagree are (Birge 1932), weight by weight:
that little is known of defaults must not hide that cures are twice what the plan says.
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

PLANS_TOGETHER = 0.9
"""Correlation of the plan's weights of cure and of default before any row is seen: a plan that boasts of one boasts of the other.
Weights that wander apart by chance reorder accounts, and cost more money than a wrong strength of both.
"""

UNSURE_SPREAD = 0.5
"""Spread of each weight likewise, for the error of what is served: two of them are from nothing to twice the plan's."""

EARNED_ERRORS = 1.0
"""A learned part is served where the randomised rows have its weight so many standard errors above 0."""

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

    The learned changes of a row come from models that its person was not among. ``whole`` is what all rows say, plan included
    and average too, float64 (n,).
    """

    left: Floats
    drawn: Floats
    chance: Floats
    parts: Floats
    whole: Floats


@dataclass(frozen=True)
class _Measured:
    """Weights of one outcome as the randomised rows have them.

    Attributes:
        estimate, error: float64 (3,) of all parts beside each other; 0 where there is nothing to weigh.
        earned: places of the parts to serve.
        value: float64 (m,) weights of those, beside each other.
        influence: float64 (n, m) what each row moves them by.
    """

    estimate: Floats
    error: Floats
    earned: NDArray[np.int64]
    value: Floats
    influence: Floats


def measure_levels(
    outcomes: Sequence[SliceRows], person: NDArray[np.bytes_]
) -> tuple[tuple[Level, ...], tuple[tuple[float, ...], ...]]:
    """Return the level of each outcome, and the covariance of all their weights as served, those of one outcome together."""
    found = [_measured(rows, person) for rows in outcomes]
    served, covariance = _shrunk(found, person)
    levels = [_level(*each, person) for each in zip(outcomes, found, served, strict=True)]
    return tuple(levels), tuple(tuple(line) for line in covariance.tolist())


def _measured(rows: SliceRows, person: NDArray[np.bytes_]) -> _Measured:
    """Measure the weights of all parts, and again of those that are left when learned parts which earn nothing are taken away."""
    there = np.flatnonzero(rows.parts.any(axis=0))
    estimate, error = np.zeros(len(PART_NAMES)), np.zeros(len(PART_NAMES))
    value, moved = _slopes(rows, rows.parts[:, there])
    spread = clustered(moved, person)
    estimate[there], error[there] = value, np.sqrt(np.diag(spread))
    while (weakest := _weakest(there, value, spread)) is not None:
        there = np.delete(there, weakest)
        value, moved = _slopes(rows, rows.parts[:, there])
        spread = clustered(moved, person)
    return _Measured(estimate, error, there, value, moved)


def _shrunk(found: Sequence[_Measured], person: NDArray[np.bytes_]) -> tuple[Floats, Floats]:
    """Return weights as served, float64 (outcomes, 3), and the covariance of all: shrunk to the plan's, all outcomes together.

    Those of learned parts end at 0, for what is learned with the wrong sign is no effect. With A = after V^-1 the served weights
    are off by  A V A' + (1 - A) U (1 - A)',  which is ``after`` where U is the S that drew them; 1 - A = after S^-1.
    """
    count = len(PART_NAMES)
    place = np.concatenate([count * index + one.earned for index, one in enumerate(found)])
    value = np.concatenate([one.value for one in found])
    spread = clustered(np.hstack([one.influence for one in found]), person)
    evidence = np.linalg.pinv(spread, hermitian=True)
    prior = np.linalg.inv(_expected(len(found))[np.ix_(place, place)])
    aim = evidence @ value + prior @ np.tile(PLANNED_WEIGHTS, len(found))[place]
    free, learned = np.ones(place.size, dtype=bool), place % count > 0
    served, covariance = np.zeros(count * len(found)), np.zeros((count * len(found), count * len(found)))
    for _ in range(place.size + 1):  # each turn leaves out at least one, or ends
        after = np.linalg.inv((evidence + prior)[np.ix_(free, free)])
        kept = after @ aim[free]
        below = (kept < 0) & learned[free]
        if not below.any():
            break
        free[np.flatnonzero(free)[below]] = False
    taken = np.ix_(place[free], place[free])
    away = value[free] - np.tile(PLANNED_WEIGHTS, len(found))[place[free]]
    stretch = np.maximum(away**2 / (np.diag(spread)[free] + UNSURE_SPREAD**2), 1.0)
    unsure = np.diag(UNSURE_SPREAD**2 * stretch)
    drawn = after @ prior[np.ix_(free, free)]
    covariance[taken] = after + drawn @ (unsure - _expected(len(found))[taken]) @ drawn.T
    served[place[free]] = kept
    return served.reshape(-1, count), covariance


def _expected(outcomes: int) -> Floats:
    """Return the covariance of all weights before any row is seen: the plan's of one outcome go with those of the others."""
    made = np.diag(np.tile(np.array(WEIGHT_SPREADS) ** 2, outcomes))
    plans = len(PART_NAMES) * np.arange(outcomes)
    together = np.full((outcomes, outcomes), PLANS_TOGETHER) + (1.0 - PLANS_TOGETHER) * np.eye(outcomes)
    made[np.ix_(plans, plans)] = WEIGHT_SPREADS[0] ** 2 * together
    return made


def _weakest(there: NDArray[np.int64], value: Floats, spread: Floats) -> int | None:
    """Return the place of the learned part that stands least above 0, None where all stand high enough."""
    z = np.where(there > 0, value / np.sqrt(np.maximum(np.diag(spread), 1e-300)), np.inf)
    place = int(z.argmin())
    return place if z[place] < EARNED_ERRORS else None


def _level(rows: SliceRows, found: _Measured, served: Floats, person: NDArray[np.bytes_]) -> Level:
    value, influence = _slopes(rows, (rows.parts @ served)[:, np.newaxis])
    alone, _ = _slopes(rows, rows.whole[:, np.newaxis])
    weights = [Weight(*(float(part[index]) for part in (served, found.estimate, found.error))) for index in range(3)]
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
