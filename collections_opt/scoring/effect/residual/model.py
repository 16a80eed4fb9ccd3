"""Effects served as a weight times the plan's change of p and a linear part: a matrix product, with errors and contributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, EvidenceGrade
from collections_opt.core.value.effects import (
    ContactEffects,
    EffectFold,
    PlannedEffects,
    ProbabilityChange,
    QueueEffect,
    TotalError,
    WeightedCells,
)
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.value.valuation import CHUNK_ROWS, contacted_probability
from collections_opt.scoring.effect.model import EffectEstimate
from collections_opt.scoring.effect.residual.basis import AccountFacts, Basis, column_groups
from collections_opt.scoring.effect.residual.level import Level
from collections_opt.scoring.effect.residual.money import MoneyScales

NAMES = ("cure", "default")
"""Outcomes whose change is learned, in the order of every array."""

Floats = NDArray[np.float64]

OUTCOMES = (CURE, DEFAULT)
"""The outcomes that contact changes, in the order of all pairs here."""

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LearnedQueue:
    """What is known of one queue.

    Attributes:
        queue_id: the queue.
        evidence: grade; ASSUMED keeps the serving plan's effect.
        reason: why this grade, for people.
        planned: effect that the plan stated when this was learned: the learned part lies on top of it.
        place: index of the queue's own deviation; None where it shares the coefficients of all.
        contacted_count: contacted rows learned from.
        uncontacted_count: uncontacted rows they were compared with.
        randomised_count: rows of both that a holdout drew.
        overlap: share of the desk's rows whose estimated chance of contact lies between 5 and 95 %; 1 where it chose none.
        cure: average change of the cure probability on the randomised rows, doubly robust; None where they are few.
        default: average change of the default probability likewise.
    """

    queue_id: str
    evidence: EvidenceGrade
    reason: str
    planned: ContactEffect
    place: int | None
    contacted_count: int
    uncontacted_count: int
    randomised_count: int
    overlap: float
    cure: EffectEstimate | None = None
    default: EffectEstimate | None = None


@dataclass(frozen=True)
class LearnedOutcome:
    """The linear part of one outcome.

    Attributes:
        name: cure or default.
        penalty: lambda, the weight of the plan against all rows; None for infinite: nothing was learned.
        drawn_penalty: the same against the randomised rows alone.
        coefficients: beta and the deviation of each queue that has one, 1 + q rows of k, weighed as served.
        level: weight of the plan and of what was learned, and the scale of the whole.
        kept: share of estimated effects that is not noise, on the whole: what estimates of other people say of them. The level,
            measured on people whom the estimate did not see, has taken it into account.
    """

    name: str
    penalty: float | None
    drawn_penalty: float | None
    coefficients: Rows
    level: Level
    kept: float


@dataclass(frozen=True)
class FoldCoefficients:
    """Coefficients of cure and default learned from the people of all other folds, and from those of one fold alone."""

    choosing: tuple[Rows, Rows]
    summing: tuple[Rows, Rows]


@dataclass(frozen=True)
class ResidualModel:
    """A version of effects learned by residuals.

    Attributes:
        version: of the model.
        basis: columns, scaling frozen.
        queues: what is known of each.
        outcomes: cure and default.
        covariance: lower triangle, by rows, of the covariance of the plan's weight and all coefficients of cure, then of default.
        folds: pairs of coefficients that share no person.
        randomised_count: rows that the levels rest on.
        warnings: what to know before serving it, for people.
        money: what randomised rows leave of the money that the effects promise; None where it was not measured.
        weighs_every_queue: whether queues of which nothing was learned have the plan's effect at the weight of the others; not so
            in models that do not say it, whose rankings are made anew as they were.
    """

    version: str
    basis: Basis
    queues: tuple[LearnedQueue, ...]
    outcomes: tuple[LearnedOutcome, ...]
    covariance: Rows
    folds: tuple[FoldCoefficients, ...]
    randomised_count: int
    warnings: tuple[str, ...]
    money: MoneyScales | None = None
    weighs_every_queue: bool = False

    @property
    def own(self) -> tuple[OwnFeature, ...]:
        """The lender's own columns that it learned from."""
        return self.basis.own

    def queue(self, queue_id: str) -> LearnedQueue | None:
        """Return what was learned about a queue, None where the plan's effect stands."""
        return next((q for q in self.queues if q.queue_id == queue_id and q.evidence is not EvidenceGrade.ASSUMED), None)

    def effects_of(self, portfolio: Portfolio, plan: CapacityPlan) -> ContactEffects:
        """Return the effects on a portfolio; the plan stands where nothing was learned. Fits ``core.pipeline.EffectsOf``."""
        return ResidualEffects(self, portfolio, plan)


def shape_factors(probability: Floats) -> Floats:
    """Return h, float64 (n, 2): 1 for cure; 4 p_D (1 - p_D) for default, which hardly moves where it is nearly sure or nearly
    impossible.
    """
    default = probability[:, DEFAULT]
    return np.column_stack([np.ones(default.size), 4.0 * default * (1.0 - default)])


def planned_change(probability: Floats, contacts: Floats, effect: ContactEffect) -> Floats:
    """Return tau_p, the plan's change of p_cure and p_default by being worked, reached or not, float64 (n, 2)."""
    decay = effect.repeat_decay**contacts
    rate = np.full(decay.shape, effect.right_party_contact_rate, dtype=np.float64)
    moved = contacted_probability(probability, QueueEffect(rate, effect.theta_cure * decay, effect.theta_default * decay))
    return np.asarray((moved - probability)[:, OUTCOMES], dtype=np.float64)


class ResidualEffects:
    """Effects of a model on a portfolio; the weighed plan's where nothing was learned about a queue."""

    def __init__(
        self,
        model: ResidualModel,
        portfolio: Portfolio,
        plan: CapacityPlan,
        coefficients: tuple[Rows, ...] | None = None,
        summing: bool = False,
    ) -> None:
        self._model = model
        self._portfolio = portfolio
        self._plan = plan
        self._planned = PlannedEffects(portfolio, plan)
        self._learned = [model.queue(queue.queue_id) for queue in plan.queues]
        parts = coefficients or tuple(outcome.coefficients for outcome in model.outcomes)
        self._weighs_every_queue = model.weighs_every_queue and any(self._learned)
        self._coefficients = [np.array(part) for part in parts]
        kept = np.array([outcome.kept if summing else 1.0 for outcome in model.outcomes])
        self._weights = np.array([outcome.level.served[0] for outcome in model.outcomes])
        self._plan_weights = self._weights / kept
        self._scale = 1.0 / kept
        self._design: tuple[slice, Floats, Floats] | None = None

    @property
    def version(self) -> str:
        """Version of the model, and the plan that stands where it is silent."""
        return f"effect/{self._model.version} over {self._planned.version}"

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        """Pairs of estimates that share no person.

        Those that sum are scaled to what they were before noise was taken off: the weights of those that choose were measured on
        other people, so that what noise does on the whole is in them, and only what the choice adds is left to take off.
        """
        return tuple(EffectFold(self._with(fold.choosing), self._with(fold.summing, True)) for fold in self._model.folds)

    def _with(self, coefficients: tuple[Rows, Rows], summing: bool = False) -> ResidualEffects:
        return ResidualEffects(self._model, self._portfolio, self._plan, coefficients, summing)

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the grade of a queue: what was learned, else what the plan says."""
        learned = self._learned[queue]
        return self._planned.evidence(queue) if learned is None else learned.evidence

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:
        """Return the effect of a queue on a block of accounts; the plan's right-party rate, and the learned change.

        A queue of which nothing was learned has the plan's change at the weight that was measured on the others: left at full
        strength beside queues that are weighed, it would be preferred, or passed over, for nothing that anybody saw.
        """
        planned, learned = self._planned.block(rows, queue, probability), self._learned[queue]
        if learned is None and not self._weighs_every_queue:
            return planned
        if learned is None:
            change = self._weights * (contacted_probability(probability, planned) - probability)[:, OUTCOMES]
        else:
            design, contacts = self._design_of(rows, probability), self._contacts(rows)
            change = self._change(design, contacts, learned, probability)
        return QueueEffect(
            planned.rpc_rate, planned.theta_cure, planned.theta_default, ProbabilityChange(change[:, 0], change[:, 1])
        )

    def total_error(self, cells: WeightedCells) -> TotalError:
        """Return the standard error of the weighted changes of all cells, whose queues share coefficients.

        Variance a' V a, with a the plan's weighted changes and the weighted design of each outcome and V the covariance of the
        plan's weights and the coefficients.
        """
        known = np.array([one is not None for one in self._learned])[cells.queue]
        if not known.any():
            return TotalError(0.0, known)
        width, count = len(self._model.basis.names), self._coefficients[0].shape[0]
        weighted, planned = np.zeros((2, count, width)), np.zeros(2)
        for index in np.unique(cells.queue[known]).tolist():
            learned = self._learned[index]
            assert learned is not None
            mine = np.flatnonzero(cells.queue == index)
            for start in range(0, mine.size, CHUNK_ROWS):
                self._add(cells, mine[start : start + CHUNK_ROWS], learned, weighted, planned)
        moved = np.column_stack([planned, weighted.reshape(2, -1)]).ravel()
        variance = float(moved @ self._covariance() @ moved)
        promised = self._weights * planned + [
            (part * sums).sum() for part, sums in zip(self._coefficients, weighted, strict=True)
        ]
        scale = None if self._model.money is None else self._model.money.of(promised)
        return TotalError(float(np.sqrt(max(variance, 0.0))), known, scale)

    def _add(
        self, cells: WeightedCells, chosen: NDArray[np.int64], learned: LearnedQueue, weighted: Floats, planned: Floats
    ) -> None:
        """Add some cells of a queue to the weighted design (2, 1 + q, k) and the plan's weighted changes (2,)."""
        portfolio = self._portfolio.take(cells.rows[chosen])
        probability = cells.probability[chosen]
        facts = AccountFacts.of_portfolio(portfolio, probability, self._model.own)
        weight = np.column_stack([cells.cure[chosen], cells.default[chosen]])
        planned += (weight * planned_change(probability, facts.contacts, learned.planned)).sum(axis=0)
        added = (weight * shape_factors(probability)).T @ self._model.basis.design(facts)
        weighted[:, 0] += added
        if learned.place is not None:
            weighted[:, 1 + learned.place] += added

    def contributions(self, rows: slice, queue: int, probability: Floats) -> Mapping[str, ProbabilityChange]:
        """Return what recorded columns add to the changes, by feature group; those of the scores move with ``probability``."""
        if self._learned[queue] is None:
            return {}
        made = self.column_contributions(rows, queue, probability)
        groups = np.array(column_groups(self._model.basis.products, self._model.own))
        parts = {code: made[:, groups == code].sum(axis=1) for code in dict.fromkeys(groups.tolist()) if code}
        return {code: ProbabilityChange(part[:, 0], part[:, 1]) for code, part in parts.items()}

    def column_contributions(self, rows: slice, queue: int, probability: Floats) -> Floats:
        """Return what each column adds to the change of p_cure and of p_default of a queue, float64 (m, k, 2).

        They sum to the served change less the weight of the plan times its change; 0 where the plan stands.
        """
        learned, design = self._learned[queue], self._design_of(rows, probability)
        made = np.zeros((*design.shape, 2))
        if learned is None:
            return made
        factors = self._scale * shape_factors(probability)
        for outcome, coefficients in enumerate(self._coefficients):
            made[:, :, outcome] = design * _of_queue(coefficients, learned) * factors[:, [outcome]]
        return made

    def _change(self, design: Floats, contacts: Floats, learned: LearnedQueue, probability: Floats) -> Floats:
        """Return w tau_p + h B (beta + gamma_q), float64 (m, 2)."""
        coefficients = np.column_stack([_of_queue(part, learned) for part in self._coefficients])
        own = self._scale * shape_factors(probability) * (design @ coefficients)
        planned = self._plan_weights * planned_change(probability, contacts, learned.planned)
        return np.asarray(planned + own, dtype=np.float64)

    def _covariance(self) -> Floats:
        lower = self._model.covariance
        made = np.zeros((len(lower), len(lower)))
        for index, line in enumerate(lower):
            made[index, : index + 1] = made[: index + 1, index] = line
        return made

    def _contacts(self, rows: slice) -> Floats:
        return np.asarray(self._portfolio.column("contacts_in_window_count")[rows], dtype=np.float64)

    def _design_of(self, rows: slice, probability: Floats) -> Floats:
        """Build a block's design once for all queues, which are asked for with the same array of probabilities."""
        held = self._design
        if held is None or held[0] != rows or held[1] is not probability:
            facts = AccountFacts.of_portfolio(self._portfolio.take(rows), probability, self._model.own)
            self._design = held = (rows, probability, self._model.basis.design(facts))
        return held[2]


def _of_queue(coefficients: Floats, learned: LearnedQueue) -> Floats:
    """Return beta + gamma_q, float64 (k,)."""
    own = 0.0 if learned.place is None else coefficients[1 + learned.place]
    return np.asarray(coefficients[0] + own, dtype=np.float64)
