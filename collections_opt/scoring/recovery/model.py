"""A learned recovery: the share of the exposure that comes back after default, in three parts, in place of the plan's LGD.

Most accounts recover nothing, some a part, few all: one mean fits nobody. So the share is a hurdle: is anything recovered, is it
all, and if not, which part. Each step is a booster's log-odds on a straight line that a later period calibrated (Platt 1999), or
that period's level alone where accounts could not be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.value.valuation import blocks
from collections_opt.scoring.recovery.features import build_recovery_features

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

NOTHING, PART, ALL = 0, 1, 2
"""Columns of the probabilities."""


@dataclass(frozen=True)
class RecoveryStep:
    """One step of the hurdle.

    Attributes:
        trees: LightGBM's text of a booster of log-odds; empty where accounts could not be told apart.
        slope: of the calibrated on the raw log-odds.
        intercept: likewise; without trees the log-odds of every account.
    """

    trees: str
    slope: float
    intercept: float

    @cached_property
    def booster(self) -> Any:
        """The booster of the trees; None without.

        Raises:
            ImportError: when LightGBM cannot be imported.
            ValueError: when LightGBM cannot read the trees.
        """
        return import_module("collections_opt.scoring.outcome.boosted").read_booster(self.trees) if self.trees else None

    def raw(self, features: Matrix) -> Floats:
        """Return the log-odds before calibration, float64 (n,)."""
        if self.booster is None:
            return np.zeros(len(features))
        return np.asarray(
            import_module("collections_opt.scoring.outcome.boosted").log_odds(self.booster, features), dtype=np.float64
        )

    def chance(self, features: Matrix) -> Floats:
        """Return the calibrated chance or share, float64 (n,)."""
        return self.of_raw(self.raw(features))

    def of_raw(self, raw: Floats) -> Floats:
        """Return the calibrated chance or share of raw log-odds, float64 (n,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * raw + self.intercept))), dtype=np.float64)


@dataclass(frozen=True)
class RecoveryHurdle:
    """What was learned, over any feature matrix.

    Attributes:
        anything: chance that something is recovered.
        everything: chance that all is, where something is.
        part: share of the exposure, where a part is.
        full_share: mean share of the exposure, where all is: recoveries close to all count as all.
    """

    anything: RecoveryStep
    everything: RecoveryStep
    part: RecoveryStep
    full_share: float

    def probabilities(self, features: Matrix) -> Floats:
        """Return P(nothing), P(part), P(all), float64 (n, 3); rows sum to 1."""
        anything, everything = self.anything.chance(features), self.everything.chance(features)
        return np.column_stack([1.0 - anything, anything * (1.0 - everything), anything * everything])

    def expected_share(self, features: Matrix) -> Floats:
        """Return the expected recovered share, float64 (n,) from 0 to 1: P(part) E[share | part] + P(all) E[share | all]."""
        if not len(features):
            return np.zeros(0)
        p = self.probabilities(features)
        return np.asarray(p[:, PART] * self.part.chance(features) + p[:, ALL] * self.full_share, dtype=np.float64)

    @property
    def steps(self) -> tuple[RecoveryStep, RecoveryStep, RecoveryStep]:
        """Its steps in order."""
        return self.anything, self.everything, self.part


@dataclass(frozen=True)
class RecoveryModel:
    """A version of the recovered share of accounts of the product's schema.

    ``own`` are the own columns that it learned from, after the others among the features.
    """

    version: str
    hurdle: RecoveryHurdle
    own: tuple[OwnFeature, ...] = ()

    def losses_of(self, portfolio: Portfolio) -> Floats:
        """Return one minus the expected recovered share, float64 (n,). Fits ``core.losses.LossesOf``.

        Blocks keep memory bounded and never change a bit: a row does not depend on its neighbours.
        """
        losses = np.empty(portfolio.account_count)
        for rows in blocks(portfolio.account_count):
            losses[rows] = 1.0 - self.hurdle.expected_share(build_recovery_features(portfolio.take(rows), self.own))
        return losses
