"""Contact effects from a randomised holdout: one fit for all queues, cross-fitted averages with intervals, graded EXPERIMENT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.contact.rate import fit_rate
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.likelihood import (
    EffectFit,
    EffectPrior,
    EffectRows,
    choose_prior,
    contact_probabilities,
    fit_effects,
)
from collections_opt.scoring.effect.model import QueueEffectModel
from collections_opt.scoring.effect.randomisation import BalanceTest, check_draws
from collections_opt.scoring.effect.rows import LoggedContacts
from collections_opt.scoring.effect.segments import Segments

Floats = NDArray[np.float64]

MIN_ARM_ROWS = 200
"""Contacted and held-out rows a queue needs before its money may be said to rest on an experiment."""

FOLDS = 5


@dataclass(frozen=True)
class CrossFitted:
    """Predictions for every randomised row by a fit that saw none of its person's rows; evaluation of effects rests on them.

    Attributes:
        without: float64 (n, 3) probabilities without contact.
        under: float64 (n, 3) probabilities under contact by the row's queue.
    """

    without: Floats
    under: Floats


@dataclass(frozen=True)
class Experiment:
    """What a randomised holdout taught.

    Attributes:
        queues: one model per queue of the plan; ASSUMED where the rows were too few.
        rows: the randomised rows, aligned with ``predictions``.
        predictions: cross-fitted.
        balance: tests of the draws, as ``check_draws``.
        base: correction of the outcome model's log-odds on these rows, float64 (2, k): far from 0 where it is badly calibrated.
        prior: the prior used, with the spreads chosen by the rows unless one was given.
    """

    queues: tuple[QueueEffectModel, ...]
    rows: LoggedContacts
    predictions: CrossFitted
    balance: dict[str, BalanceTest]
    base: Floats
    prior: EffectPrior


def planned_prior(plan: CapacityPlan) -> EffectPrior:
    """Return the prior that stands at the plan's thetas."""
    return EffectPrior(np.array([[q.effect.theta_cure, q.effect.theta_default] for q in plan.queues]))


def learn_experiment(
    contacts: LoggedContacts, plan: CapacityPlan, segments: Segments, prior: EffectPrior | None = None
) -> Experiment:
    """Return the effects of every queue, learned from the randomised rows alone.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the recorded propensities cannot have made the contacts of a queue.
    """
    rows = contacts.take(contacts.log.randomised)
    tests = _tested(rows, plan, segments)
    rates = _rates(rows, plan, segments)
    ready = _ready(rows, plan, segments, rates)
    prior = prior or choose_prior(ready, planned_prior(plan))
    fit = fit_effects(ready, prior)
    predictions = _cross_fitted(rows, ready, prior)
    queues = tuple(_queue_model(index, plan, rows, rates[index], fit, predictions) for index in range(len(plan.queues)))
    return Experiment(queues, rows, predictions, tests, fit.base, prior)


def _arms(rows: LoggedContacts, queue: int) -> tuple[int, int]:
    mine = rows.log.queue == queue
    return int((mine & rows.log.contacted).sum()), int((mine & ~rows.log.contacted).sum())


def _tested(rows: LoggedContacts, plan: CapacityPlan, segments: Segments) -> dict[str, BalanceTest]:
    names = ("share contacted", *segments.names, "cure log-odds", "default log-odds")
    covariates = np.column_stack([segments.design(rows.features), rows.offset])
    return check_draws(rows, covariates, names, [queue.queue_id for queue in plan.queues])


def _rates(rows: LoggedContacts, plan: CapacityPlan, segments: Segments) -> list[Floats]:
    design = segments.design(rows.features)
    result = []
    for index, queue in enumerate(plan.queues):
        mine = (rows.log.queue == index) & rows.log.contacted
        result.append(fit_rate(design[mine], rows.log.right_party[mine], queue.effect.right_party_contact_rate))
    return result


def _ready(rows: LoggedContacts, plan: CapacityPlan, segments: Segments, rates: list[Floats]) -> EffectRows:
    design = segments.design(rows.features)
    queue = rows.log.queue.astype(np.int64)
    log_odds = np.einsum("nk,nk->n", design, np.stack(rates)[queue])
    decay = np.array([q.effect.repeat_decay for q in plan.queues])[queue] ** rows.contacts
    return EffectRows(
        design,
        rows.offset,
        queue,
        rows.log.contacted,
        1.0 / (1.0 + np.exp(-log_odds)),
        decay,
        rows.log.outcome,
        np.ones(queue.size),
    )


def _cross_fitted(rows: LoggedContacts, ready: EffectRows, prior: EffectPrior) -> CrossFitted:
    without, under = np.empty((ready.outcome.size, 3)), np.empty((ready.outcome.size, 3))
    persons = np.unique(rows.person, return_inverse=True)[1]
    folds = min(FOLDS, int(persons.max(initial=0)) + 1)
    if folds < 2:
        without[:], under[:] = contact_probabilities(ready, fit_effects(ready.take(np.arange(0)), prior))
        return CrossFitted(without, under)
    from sklearn.model_selection import GroupKFold  # noqa: PLC0415 - takes a second to load; a server starts without it

    for fitted, held in GroupKFold(folds).split(ready.design, ready.outcome, persons):
        fit = fit_effects(ready.take(fitted), prior)
        without[held], under[held] = contact_probabilities(ready.take(held), fit)
    return CrossFitted(without, under)


def _queue_model(
    index: int, plan: CapacityPlan, rows: LoggedContacts, rate: Floats, fit: EffectFit, predictions: CrossFitted
) -> QueueEffectModel:
    queue_id = plan.queues[index].queue_id
    contacted, held_out = _arms(rows, index)
    if min(contacted, held_out) < MIN_ARM_ROWS:
        few = f"{contacted} contacted and {held_out} held-out randomised rows; {MIN_ARM_ROWS} of each are needed"
        return QueueEffectModel(queue_id, EvidenceGrade.ASSUMED, few, contacted, held_out)
    mine = rows.log.queue == index
    estimates = {}
    for name, outcome in (("cure", CURE), ("default", DEFAULT)):
        psi = doubly_robust.scores(
            rows.log.contacted[mine],
            rows.log.propensity[mine],
            (rows.log.outcome[mine] == outcome).astype(np.float64),
            predictions.without[mine, outcome],
            predictions.under[mine, outcome],
        )
        estimates[name] = doubly_robust.average(psi, rows.person[mine])
    return QueueEffectModel(
        queue_id,
        EvidenceGrade.EXPERIMENT,
        "randomised holdout with recorded propensities, balance tested",
        contacted,
        held_out,
        tuple(rate.tolist()),
        tuple(fit.theta[index, 0].tolist()),
        tuple(fit.theta[index, 1].tolist()),
        tuple(tuple(line) for line in fit.covariance[index].tolist()),
        estimates["cure"],
        estimates["default"],
    )
