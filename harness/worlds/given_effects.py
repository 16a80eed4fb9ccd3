"""Contact effects as tables, for rivals and references: changes of the probabilities and right-party rates of every cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.value.effects import (
    EffectFold,
    PlannedEffects,
    ProbabilityChange,
    QueueEffect,
    TotalError,
    WeightedCells,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GivenEffects:
    """Changes of p_cure and p_default and right-party rates, float64 (n, q) each; no errors and no folds.

    Of the queues in ``unknown`` the plan's effects stand.
    """

    name: str
    cure: Floats
    default: Floats
    rate: Floats
    planned: PlannedEffects | None = None
    unknown: tuple[int, ...] = ()

    @property
    def version(self) -> str:
        return self.name

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        return ()

    def evidence(self, queue: int) -> EvidenceGrade:
        return EvidenceGrade.OBSERVATIONAL

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:
        if self.planned is not None and queue in self.unknown:
            return self.planned.block(rows, queue, probability)
        nothing = np.zeros(probability.shape[0])
        change = ProbabilityChange(self.cure[rows, queue], self.default[rows, queue])
        return QueueEffect(self.rate[rows, queue], nothing, nothing, change)

    def total_error(self, cells: WeightedCells) -> TotalError:
        return TotalError(0.0, np.zeros(cells.rows.size, dtype=bool))
