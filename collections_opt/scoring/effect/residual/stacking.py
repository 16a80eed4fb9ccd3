"""What of one outcome is served: the plan's change and what was learned from all rows and from the randomised rows, weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.scoring.effect.residual.level import Level, SliceRows
from collections_opt.scoring.effect.residual.model import LearnedOutcome, Rows
from collections_opt.scoring.effect.residual.regression import Fitted, Prepared, as_rows, fit_outcome
from collections_opt.scoring.effect.residual.ridge import sandwich

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_DIGITS = 7
"""Significant digits that covariances are kept with."""


@dataclass(frozen=True)
class Parts:
    """What was learned of one outcome: from all rows, whose desk misleads, and from the randomised rows, which are few."""

    outcome: int
    every: Fitted
    drawn: Fitted

    @property
    def learned(self) -> tuple[Fitted, Fitted]:
        """The two, in the order of the weights after the plan's."""
        return self.every, self.drawn

    @property
    def taught(self) -> bool:
        """Whether any rows say what the plan does not."""
        return any(np.isfinite(one.penalty) for one in self.learned)

    def slice_rows(self, prepared: Prepared, drawn: Mask) -> SliceRows:
        """Return the randomised rows that weigh the parts."""
        changes = (prepared.planned[:, self.outcome], self.every.crossed, self.drawn.crossed)
        return SliceRows(
            prepared.left(self.outcome)[drawn],
            prepared.drawn[drawn],
            prepared.nuisance.chance[drawn],
            np.column_stack([change[drawn] for change in changes]),
            (prepared.planned[:, self.outcome] + self.every.uncentred)[drawn],
        )

    def coefficients(self, level: Level) -> Floats:
        """Return the weighed coefficients, float64 (1 + q, k)."""
        return self._weighed(level, self.every.coefficients, self.drawn.coefficients)

    def fold(self, level: Level, held: int) -> tuple[Floats, Floats]:
        """Return the weighed coefficients of the other folds, and of one fold alone."""
        every, drawn = self.every.folds[held], self.drawn.folds[held]
        return self._weighed(level, every[0], drawn[0]), self._weighed(level, every[1], drawn[1])

    def change(self, prepared: Prepared, level: Level, apart: bool = False) -> Floats:
        """Return the change of every row, float64 (n,), by models that its person was not among; or by its fold's alone."""
        learned = [one.apart if apart else one.crossed for one in self.learned]
        return level.served[0] * prepared.planned[:, self.outcome] + self._weighed(level, *learned)

    def described(self, prepared: Prepared, level: Level, name: str) -> LearnedOutcome:
        """Return what a model keeps of the outcome."""
        penalties = [None if np.isinf(one.penalty) else one.penalty for one in self.learned]
        kept = self._kept(prepared, level)
        return LearnedOutcome(name, penalties[0], penalties[1], as_rows(self.coefficients(level)), level, kept)

    def _kept(self, prepared: Prepared, level: Level) -> float:
        """Return how much of estimated effects other people's estimates confirm, between a half and 1.

        sum t u / sum t^2 of effects t and u of rows, weighted by (W - e)^2, estimated from people that share nobody.
        """
        weight = prepared.drawn**2
        one, other = self.change(prepared, level), self.change(prepared, level, apart=True)
        return float(np.clip((weight * one * other).sum() / max(float((weight * one**2).sum()), 1e-12), 0.5, 1.0))

    @staticmethod
    def _weighed(level: Level, every: Floats, drawn: Floats) -> Floats:
        return np.asarray(level.served[1] * every + level.served[2] * drawn, dtype=np.float64)


def learn_parts(prepared: Prepared, outcome: int) -> Parts:
    """Return what all rows and what the randomised ones teach of an outcome."""
    drawn = prepared.contacts.log.randomised
    return Parts(outcome, fit_outcome(prepared, outcome, np.ones_like(drawn)), fit_outcome(prepared, outcome, drawn))


def served_covariance(parts: Sequence[Parts], levels: Sequence[Level], weights: Rows, person: NDArray[np.bytes_]) -> Rows:
    """Return the lower triangle of the covariance of what is served, as a model keeps it.

    Of cure and then of default, the plan's weight and all coefficients: the clustered sandwich of the parts that were learned,
    weighed, and the covariance of the weights, (6, 6), by what each part's coefficients are.
    """
    counted = [
        (place, level.served[1 + index], one)
        for place, (part, level) in enumerate(zip(parts, levels, strict=True))
        for index, one in enumerate(part.learned)
        if np.isfinite(one.penalty) and level.served[1 + index] != 0.0
    ]
    size = parts[0].every.fit.coefficients.size
    made = np.zeros((2 * (1 + size), 2 * (1 + size)))
    if counted:
        whole = sandwich([one.rows for _, _, one in counted], [one.fit for _, _, one in counted], person)
        for row, (one, first, _) in enumerate(counted):
            for column, (other, second, _) in enumerate(counted):
                block = whole[row * size : (row + 1) * size, column * size : (column + 1) * size]
                served = counted[row][2].centring @ block @ counted[column][2].centring.T
                made[_learned_of(one, size), _learned_of(other, size)] += first * second * served
    moved = np.zeros((2 * (1 + size), 6))
    for place, part in enumerate(parts):
        moved[place * (1 + size), 3 * place] = 1.0
        for index, fitted in enumerate(part.learned):
            moved[_learned_of(place, size), 3 * place + 1 + index] = fitted.coefficients.ravel()
    made += moved @ np.array(weights) @ moved.T
    return tuple(tuple(float(f"{cell:.{_DIGITS}g}") for cell in line[: index + 1]) for index, line in enumerate(made.tolist()))


def _learned_of(place: int, size: int) -> slice:
    """Return where an outcome's coefficients stand, behind its weight of the plan."""
    return slice(place * (1 + size) + 1, (place + 1) * (1 + size))
