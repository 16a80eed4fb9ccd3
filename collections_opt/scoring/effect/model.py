"""A learned effect model, and the effects it gives each account and queue of a portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.core.value.effects import (
    ContactEffects,
    EffectFold,
    PlannedEffects,
    ProbabilityChange,
    QueueEffect,
    TotalError,
    WeightedCells,
)
from collections_opt.scoring.effect.segments import Segments

Floats = NDArray[np.float64]

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class EffectEstimate:
    """An average effect with its 95 % interval.

    Attributes:
        value: change of the probability (or money) by contact.
        standard_error: of ``value``.
        low: lower end of the 95 % interval.
        high: upper end.
        row_count: rows it rests on.
    """

    value: float
    standard_error: float
    low: float
    high: float
    row_count: int


@dataclass(frozen=True)
class QueueEffectModel:
    """What was learned about one queue; coefficients on the intercept and the segments, k values each.

    Attributes:
        queue_id: the queue.
        evidence: how well it is known; ASSUMED keeps the plan's effect.
        reason: why this grade, for people.
        contacted_count: contacted rows learned from.
        held_out_count: uncontacted rows they were compared with.
        rate: log-odds of a right-party contact.
        theta_cure: shift of cure:stay given a right-party contact.
        theta_default: downward shift of default:stay.
        covariance: (2k, 2k) posterior covariance of theta_cure and theta_default, by rows.
        cure: average change of the cure probability, cross-fitted doubly robust.
        default: average change of the default probability.
    """

    queue_id: str
    evidence: EvidenceGrade
    reason: str
    contacted_count: int = 0
    held_out_count: int = 0
    rate: tuple[float, ...] = ()
    theta_cure: tuple[float, ...] = ()
    theta_default: tuple[float, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    cure: EffectEstimate | None = None
    default: EffectEstimate | None = None


@dataclass(frozen=True)
class EffectModel:
    """A version of the effects: declared segments and one model per queue that was learned."""

    version: str
    segments: Segments
    queues: tuple[QueueEffectModel, ...]

    def queue(self, queue_id: str) -> QueueEffectModel | None:
        """Return what was learned about a queue, None where nothing was."""
        return next((q for q in self.queues if q.queue_id == queue_id and q.evidence is not EvidenceGrade.ASSUMED), None)

    def effects_of(self, portfolio: Portfolio, plan: CapacityPlan) -> ContactEffects:
        """Return the effects on a portfolio; the plan stands where nothing was learned. Fits ``core.pipeline.EffectsOf``."""
        return LearnedEffects(self, portfolio, plan)


class LearnedEffects:
    """Learned effects, decayed by the contacts already made; the plan's where nothing was learned about a queue."""

    def __init__(self, model: EffectModel, portfolio: Portfolio, plan: CapacityPlan) -> None:
        self._model = model
        self._portfolio = portfolio
        self._plan = plan
        self._planned = PlannedEffects(portfolio, plan)
        self._learned = [model.queue(queue.queue_id) for queue in plan.queues]
        self._design: tuple[tuple[int | None, int | None, int | None], Floats] | None = None

    @property
    def version(self) -> str:
        """Version of the model, and the plan that stands where it is silent."""
        return f"effect/{self._model.version} over {self._planned.version}"

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        """None: this kind keeps one estimate."""
        return ()

    def total_error(self, cells: WeightedCells) -> TotalError:
        """Return no evidence of any cell: this kind's intervals are of thetas, one account at a time."""
        return TotalError(0.0, np.zeros(cells.rows.size, dtype=bool))

    def contributions(self, rows: slice, queue: int, probability: Floats) -> Mapping[str, ProbabilityChange]:  # noqa: ARG002
        """Return nothing: a shift of log-odds is not a sum of changes."""
        return {}

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the grade of a queue: what was learned, else what the plan says."""
        learned = self._learned[queue]
        return self._planned.evidence(queue) if learned is None else learned.evidence

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:
        """Return the effect of a queue on a block of accounts."""
        learned = self._learned[queue]
        if learned is None:
            return self._planned.block(rows, queue, probability)
        design = self._design_of(rows)
        decay = self._decay(rows, queue)
        rate = 1.0 / (1.0 + np.exp(-(design @ np.array(learned.rate))))
        return QueueEffect(
            rate, decay * (design @ np.array(learned.theta_cure)), decay * (design @ np.array(learned.theta_default))
        )

    def _decay(self, rows: slice, queue: int) -> Floats:
        contacts = self._portfolio.column("contacts_in_window_count")[rows].astype(np.float64)
        return np.power(self._plan.queues[queue].effect.repeat_decay, contacts)

    def _design_of(self, rows: slice) -> Floats:
        """Build a block's design once for all queues."""
        key = (rows.start, rows.stop, rows.step)
        if self._design is None or self._design[0] != key:
            self._design = (key, self._model.segments.design(build_features(self._portfolio.take(rows)).matrix))
        return self._design[1]
