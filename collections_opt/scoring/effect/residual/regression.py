"""The regression of one outcome's residuals: its rows, the penalty that cross-fitted loss allows, fits that share no person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.scoring.effect.residual.basis import AccountFacts, Basis, freeze_basis
from collections_opt.scoring.effect.residual.level import clustered
from collections_opt.scoring.effect.residual.model import OUTCOMES, Rows, planned_change, shape_factors
from collections_opt.scoring.effect.residual.nuisance import FOLDS, Nuisance, fit_nuisance
from collections_opt.scoring.effect.residual.ridge import Ridge, RidgeRows, Sums, by_queue, centring, linear, solve
from collections_opt.scoring.effect.rows import LoggedContacts, probabilities

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, float("inf"))
"""Weights of the plan against the data that are tried; infinity keeps the plan."""

PAIRED_ERRORS = 1.0
"""A penalty within so many paired standard errors of the least loss is as good as the least."""

MIN_ARM_ROWS = 200
"""Contacted and uncontacted rows without which nothing is learned: of all, of a queue, and of what was randomised."""

ROWS_FOR_A_COEFFICIENT = 10
"""Contacted and uncontacted rows for each coefficient without which a part of the rows teaches nothing.

The few that a holdout draws would teach noise, which their weights, measured on the same rows, do not see as such.
"""

MOST_OWN_QUEUES = 12
"""Queues with a deviation of their own, those with most rows; the others share the coefficients of all."""


@dataclass(frozen=True)
class Prepared:
    """Rows of a log, n, with what their effects are learned beside.

    Attributes:
        contacts: rows that a queue was meant to work.
        nuisance: cross-fitted by person.
        basis: columns, scaled on these rows.
        design: float64 (n, k).
        planned: float64 (n, 2), tau_p of each row's queue.
        factors: float64 (n, 2), h.
        own: indices of the queues that have a deviation of their own.
    """

    contacts: LoggedContacts
    nuisance: Nuisance
    basis: Basis
    design: Floats
    planned: Floats
    factors: Floats
    own: tuple[int, ...]

    @property
    def drawn(self) -> Floats:
        """W - e, float64 (n,)."""
        return np.asarray(self.contacts.log.contacted - self.nuisance.chance, dtype=np.float64)

    def left(self, outcome: int) -> Floats:
        """y - mu0, float64 (n,), of ``OUTCOMES[outcome]``."""
        happened = self.contacts.log.outcome == OUTCOMES[outcome]
        return np.asarray(happened - self.nuisance.without[:, outcome], dtype=np.float64)

    def regression(self, outcome: int, chosen: Mask) -> RidgeRows:
        """Return the rows of one outcome's regression; those not chosen have the factor 0."""
        place = np.full(len(self.contacts.log.queue_ids), len(self.own), dtype=np.int64)
        place[list(self.own)] = np.arange(len(self.own))
        target = self.left(outcome) - self.contacts.log.contacted * self.planned[:, outcome]
        factor = np.where(chosen, self.drawn * self.factors[:, outcome], 0.0)
        return RidgeRows(self.design, factor, place[self.contacts.log.queue], target, len(self.own))


@dataclass(frozen=True)
class Fitted:
    """One outcome, learned.

    Attributes:
        rows: its regression.
        penalty: lambda chosen.
        fit: on all rows.
        centring: float64 (p, p), what makes served coefficients of fitted ones.
        folds: served coefficients (1 + q, k) of the other folds, and of each fold alone.
        crossed: float64 (n,), the learned part of the change, of each row by models that its person was not among.
        apart: float64 (n,), the learned part by the rows of its person's fold alone.
        uncentred: float64 (n,), as ``crossed`` before centring.
    """

    rows: RidgeRows
    penalty: float
    fit: Ridge
    centring: Floats
    folds: tuple[tuple[Floats, Floats], ...]
    crossed: Floats
    apart: Floats
    uncentred: Floats

    @property
    def coefficients(self) -> Floats:
        """Those that are served, float64 (1 + q, k)."""
        return _centred(self.centring, self.fit.coefficients)


def arms(contacts: LoggedContacts, chosen: Mask) -> tuple[int, int]:
    """Return how many of the chosen rows were contacted, and how many were not."""
    contacted = contacts.log.contacted
    return int((chosen & contacted).sum()), int((chosen & ~contacted).sum())


def prepare(contacts: LoggedContacts, plan: CapacityPlan, seed: int) -> Prepared:
    """Return rows with their nuisances, design and the plan's change of p."""
    facts, queue = AccountFacts.of_log(contacts), contacts.log.queue
    probability = probabilities(contacts.offset)
    planned = np.zeros((queue.size, len(OUTCOMES)))
    for index, settings in enumerate(plan.queues):
        mine = queue == index
        planned[mine] = planned_change(probability[mine], contacts.contacts[mine], settings.effect)
    count = np.array([min(arms(contacts, queue == index)) for index in range(len(plan.queues))])
    largest = np.argsort(-count, kind="stable")[:MOST_OWN_QUEUES]
    own = tuple(sorted(int(index) for index in largest if count[index] >= MIN_ARM_ROWS))
    basis = freeze_basis(facts, contacts.own_columns)
    nuisance = fit_nuisance(contacts, seed)
    return Prepared(contacts, nuisance, basis, basis.design(facts), planned, shape_factors(probability), own)


def fit_outcome(prepared: Prepared, outcome: int, chosen: Mask) -> Fitted:
    """Return the regression of ``OUTCOMES[outcome]`` on the chosen rows, under the penalty that their cross-fitted loss allows.

    Where too few of them were contacted, or were not, nothing is learned: the penalty is infinite. Of all rows, which the desk
    chose, the shape is served and not the average of any queue: whom a desk works is about to pay, or is not, and that moves the
    average of its rows far more than how they differ by what columns tell.
    """
    rows, fold = prepared.regression(outcome, chosen), prepared.nuisance.fold
    parts = [Sums.of(rows, chosen & (fold == held)) for held in range(FOLDS)]
    others = [Sums.total([part for held, part in enumerate(parts) if held != left]) for left in range(FOLDS)]
    needed = MIN_ARM_ROWS if chosen.all() else ROWS_FOR_A_COEFFICIENT * rows.design.shape[1] * (1 + rows.queue_count)
    tried = PENALTIES if min(arms(prepared.contacts, chosen)) >= needed else PENALTIES[-1:]
    fits = [[solve(others[held], penalty) for penalty in tried] for held in range(FOLDS)]
    predicted = _by_fold(rows, fold, fits)
    loss = (rows.target[chosen] - rows.factor[chosen] * predicted[:, chosen]) ** 2
    place = chosen_penalty(loss, prepared.contacts.person[chosen]) if len(tried) > 1 else 0
    penalty = tried[place]
    own, factor = [solve(part, penalty) for part in parts], prepared.factors[:, outcome]
    chose = chosen.all() and not prepared.contacts.log.randomised.all()
    made = centring(rows, factor) if chose else np.eye(rows.design.shape[1] * (1 + rows.queue_count))
    pairs = tuple(
        (_centred(made, fits[held][place].coefficients), _centred(made, own[held].coefficients)) for held in range(FOLDS)
    )
    crossed, apart = (factor * _of_folds(rows, fold, [pair[which] for pair in pairs]) for which in (0, 1))
    whole = solve(Sums.total(parts), penalty)
    return Fitted(rows, penalty, whole, made, pairs, crossed, apart, factor * predicted[place])


def _centred(made: Floats, coefficients: Floats) -> Floats:
    return np.asarray((made @ coefficients.ravel()).reshape(coefficients.shape), dtype=np.float64)


def _of_folds(rows: RidgeRows, fold: NDArray[np.int64], coefficients: list[Floats]) -> Floats:
    """Return B_i (beta + gamma_q), float64 (n,), of every row by its fold's coefficients."""
    made = np.empty(fold.size)
    for held, one in enumerate(coefficients):
        mine = np.flatnonzero(fold == held)
        made[mine] = linear(rows.design[mine], by_queue(one), rows.queue[mine])
    return made


def _by_fold(rows: RidgeRows, fold: NDArray[np.int64], fits: list[list[Ridge]]) -> Floats:
    """Return B_i (beta + gamma_q), float64 (m, n), of every row by each of the m fits of its fold."""
    made = np.empty((len(fits[0]), fold.size))
    for held, tried in enumerate(fits):
        coefficients = np.stack([fit.by_queue() for fit in tried], axis=2)
        for queue in range(rows.queue_count + 1):
            mine = np.flatnonzero((fold == held) & (rows.queue == queue))
            made[:, mine] = (rows.design[mine] @ coefficients[queue]).T
    return made


def chosen_penalty(loss: Floats, person: NDArray[np.bytes_]) -> int:
    """Return the last of the losses (penalties, n) whose mean lies within 1.5 paired standard errors of the least, by person."""
    mean = loss.mean(axis=1)
    least = int(mean.argmin())
    for index in range(len(loss) - 1, least, -1):
        worse = float(mean[index] - mean[least])
        spread = (loss[index] - loss[least] - worse)[:, np.newaxis]
        if worse <= PAIRED_ERRORS * float(np.sqrt(clustered(spread, person)[0, 0])) / loss.shape[1]:
            return index
    return least


def as_rows(coefficients: Floats) -> Rows:
    """Return coefficients as a model keeps them."""
    return tuple(tuple(line) for line in coefficients.tolist())
