"""The likelihood of outcomes under contact, and its most probable effects given a prior (value-model section 5).

    p(q) = (1 - rpc) p(0) + rpc p(RPC, q),   p(0) = softmax(offset + A a),   p(RPC, q) = softmax(offset + A a + decay A t)

The offset is the outcome model's log-odds, A the declared segments. ``a`` corrects the outcome model on the accounts at hand, so
that the contrast of contacted and held-out accounts, and not the model's error, decides ``t``. Gaussian priors stand on both:
with little data ``t`` stays at the plan's theta. Fitted by Fisher scoring; the posterior covariance is the inverse information.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from collections_opt.core.value.outcomes import CURE, DEFAULT

Floats = NDArray[np.float64]

MAX_STEPS = 1_000
"""Scoring gains little a step where few rows leave a queue nearly to its prior."""
SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Spreads that ``choose_prior`` tries."""

SPREAD_SCALE = 0.25
"""Scale of the half-normal weight on a spread, in log-odds: effects between accounts rarely differ by more than twice that."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class EffectRows:
    """Rows of a contact log ready to fit; n rows, k segment columns with the intercept.

    Attributes:
        design: float64 (n, k) A.
        offset: float64 (n, 2) log-odds cure:stay and default:stay without contact.
        queue: int64 (n,) index of the queue.
        contacted: bool (n,).
        rate: float64 (n,) right-party-contact rate of the queue.
        decay: float64 (n,) gamma ** contacts.
        outcome: int64 (n,).
        weight: float64 (n,) row weights, 1 for an experiment.
    """

    design: Floats
    offset: Floats
    queue: NDArray[np.int64]
    contacted: NDArray[np.bool_]
    rate: Floats
    decay: Floats
    outcome: NDArray[np.int64]
    weight: Floats

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> EffectRows:
        """Return some rows."""
        return EffectRows(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Spread:
    """How far coefficients stray from the plan: what all queues share, and what is a queue's own; standard deviations."""

    shared: float
    own: float


@dataclass(frozen=True)
class EffectPrior:
    """Gaussian prior; q queues, k columns. Queues learn from each other through what they share.

    Attributes:
        theta: float64 (q, 2) planned theta_cure and theta_default.
        level: of a queue's theta around the plan.
        slope: of theta per unit of a segment, around no difference.
        base_spread: of the correction of the outcome model, intercept.
        base_slope_spread: the same, per unit of a segment.
    """

    theta: Floats
    level: Spread = Spread(0.3, 0.3)
    slope: Spread = Spread(0.1, 0.05)
    base_spread: float = 1.0
    base_slope_spread: float = 0.5


@dataclass(frozen=True)
class EffectFit:
    """The most probable effects.

    Attributes:
        base: float64 (2, k) correction of the outcome model's log-odds, cure and default.
        theta: float64 (q, 2, k) coefficients of theta_cure and theta_default.
        covariance: float64 (q, 2k, 2k) posterior covariance of a queue's coefficients, cure first.
        evidence: Laplace approximation of the log marginal likelihood, up to a constant; larger for a better prior.
    """

    base: Floats
    theta: Floats
    covariance: Floats
    evidence: float


def contact_probabilities(rows: EffectRows, fit: EffectFit) -> tuple[Floats, Floats]:
    """Return p(0) and p(q) of every row under a fit, float64 (n, 3) each."""
    alone, reached = _probabilities(rows, fit.base, fit.theta)
    rate = rows.rate[:, np.newaxis]
    return alone, (1.0 - rate) * alone + rate * reached


def fit_effects(rows: EffectRows, prior: EffectPrior) -> EffectFit:
    """Return the most probable effects.

    Raises:
        ValueError: when scoring does not settle, which a proper prior rules out for finite rows.
    """
    queue_count, columns = prior.theta.shape[0], rows.design.shape[1]
    base, theta = np.zeros((2, columns)), np.zeros((queue_count, 2, columns))
    theta[:, :, 0] = prior.theta
    mean, precision = np.concatenate([base.ravel(), theta.ravel()]), _precision(prior, queue_count, columns)
    value = mean.copy()
    best = _log_posterior(rows, value, mean, precision, queue_count)
    for _ in range(MAX_STEPS):
        gradient, information = _score(rows, value, queue_count)
        gradient -= precision @ (value - mean)
        information += precision
        move = cho_solve(cho_factor(information), gradient)
        length, trial = 1.0, value + move
        reached = _log_posterior(rows, trial, mean, precision, queue_count)
        while reached < best - 1e-12 and length > 1e-6:
            length /= 2.0
            trial = value + length * move
            reached = _log_posterior(rows, trial, mean, precision, queue_count)
        value, gained, best = trial, reached - best, reached
        if float(np.abs(length * move).max()) < 1e-7 or abs(gained) < _TOLERANCE * (1.0 + abs(best)):
            break
    else:
        raise ValueError("the effects did not settle")
    _, information = _score(rows, value, queue_count)
    information += precision
    covariance = np.linalg.inv(information)
    start = 2 * columns
    own = [slice(start + q * 2 * columns, start + (q + 1) * 2 * columns) for q in range(queue_count)]
    base, theta = _unpack(value, queue_count, columns)
    evidence = best + 0.5 * float(np.linalg.slogdet(precision)[1]) - 0.5 * float(np.linalg.slogdet(information)[1])
    return EffectFit(base, theta, np.stack([covariance[part, part] for part in own]), evidence)


def choose_prior(rows: EffectRows, prior: EffectPrior) -> EffectPrior:
    """Return the prior with the spreads under which the rows are most probable (empirical Bayes), one at a time, twice round.

    How far queues stray from the plan, and how much effects differ between accounts, is then itself read off the data: where they
    do not differ, the slopes stay at zero. A half-normal weight on every spread keeps few rows from choosing a wide one.
    """
    best = _weighed(rows, prior)
    for name, part in (("slope", "shared"), ("level", "shared"), ("slope", "own"), ("level", "own")) * 2:
        spread: Spread = getattr(prior, name)
        for value in SPREADS:
            if value == getattr(spread, part):
                continue
            wider = replace(spread, **{part: value})
            trial = replace(prior, slope=wider) if name == "slope" else replace(prior, level=wider)
            reached = _weighed(rows, trial)
            if reached > best:
                prior, best = trial, reached
    return prior


def _weighed(rows: EffectRows, prior: EffectPrior) -> float:
    spreads = (prior.slope.shared, prior.slope.own, prior.level.shared, prior.level.own)
    return fit_effects(rows, prior).evidence - 0.5 * sum((spread / SPREAD_SCALE) ** 2 for spread in spreads)


def _precision(prior: EffectPrior, queue_count: int, columns: int) -> Floats:
    """Return the prior precision matrix in the order base (2, k), theta (q, 2, k)."""
    base = np.full((2, columns), prior.base_slope_spread)
    base[:, 0] = prior.base_spread
    own, shared = np.full(columns, prior.slope.own), np.full(columns, prior.slope.shared)
    own[0], shared[0] = prior.level.own, prior.level.shared
    # Across queues a coefficient's covariance is own^2 I + shared^2 1 1'; its inverse in closed form (Sherman and Morrison).
    common = shared**2 / (own**2 * (own**2 + queue_count * shared**2))
    between = np.eye(queue_count)[:, :, np.newaxis] / own**2 - common
    size = 2 * columns
    matrix = np.zeros((size * (1 + queue_count),) * 2)
    matrix[np.arange(size), np.arange(size)] = base.ravel() ** -2.0
    theta = matrix[size:, size:].reshape(queue_count, 2, columns, queue_count, 2, columns)
    for outcome in range(2):
        for column in range(columns):
            theta[:, outcome, column, :, outcome, column] = between[:, :, column]
    return matrix


def _unpack(value: Floats, queue_count: int, columns: int) -> tuple[Floats, Floats]:
    return value[: 2 * columns].reshape(2, columns), value[2 * columns :].reshape(queue_count, 2, columns)


def _probabilities(rows: EffectRows, base: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Return p(0) and p(RPC, q), float64 (n, 3)."""
    log_odds = rows.offset + rows.design @ base.T
    shift = np.einsum("nk,nck->nc", rows.design, theta[rows.queue]) * rows.decay[:, np.newaxis]
    return _softmax(log_odds), _softmax(log_odds + shift * np.array([1.0, -1.0]))


def _softmax(log_odds: Floats) -> Floats:
    weight = np.exp(np.column_stack([log_odds, np.zeros(log_odds.shape[0])]))  # cure, default, stay: the order of outcomes
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def _log_posterior(rows: EffectRows, value: Floats, mean: Floats, precision: Floats, queue_count: int) -> float:
    alone, reached = _probabilities(rows, *_unpack(value, queue_count, rows.design.shape[1]))
    rate = np.where(rows.contacted, rows.rate, 0.0)
    picked = np.arange(rows.outcome.size)
    chance = (1.0 - rate) * alone[picked, rows.outcome] + rate * reached[picked, rows.outcome]
    likelihood = float((rows.weight * np.log(np.maximum(chance, 1e-300))).sum())
    return likelihood - 0.5 * float((value - mean) @ precision @ (value - mean))


def _score(rows: EffectRows, value: Floats, queue_count: int) -> tuple[Floats, Floats]:
    """Return the gradient of the log likelihood and the Fisher information."""
    columns = rows.design.shape[1]
    alone, reached = _probabilities(rows, *_unpack(value, queue_count, columns))
    rate = np.where(rows.contacted, rows.rate, 0.0)[:, np.newaxis, np.newaxis]
    chance = (1.0 - rate[:, :, 0]) * alone + rate[:, :, 0] * reached
    # Derivatives of the three chances by the four log-odds: base cure, base default, theta cure, theta default; (n, 3, 4).
    of_alone, of_reached = _jacobian(alone), _jacobian(reached)
    by_theta = rate * of_reached * np.array([1.0, -1.0]) * rows.decay[:, np.newaxis, np.newaxis]
    jacobian = np.concatenate([(1.0 - rate) * of_alone + rate * of_reached, by_theta], axis=2)
    safe = np.maximum(chance, 1e-12)
    picked = np.arange(rows.outcome.size)
    slope = rows.weight[:, np.newaxis] * jacobian[picked, rows.outcome] / safe[picked, rows.outcome][:, np.newaxis]
    weight = rows.weight[:, np.newaxis, np.newaxis] * np.einsum("nya,nyb,ny->nab", jacobian, jacobian, 1.0 / safe)
    size = 2 * columns * (1 + queue_count)
    gradient, information = np.zeros(size), np.zeros((size, size))
    gradient[: 2 * columns] = (slope[:, :2].T @ rows.design).ravel()
    _add(information, rows.design, weight[:, :2, :2], 0, 0, columns)
    for queue in range(queue_count):
        mine = np.flatnonzero((rows.queue == queue) & rows.contacted)
        if not mine.size:
            continue
        start, design = 2 * columns * (1 + queue), rows.design[mine]
        gradient[start : start + 2 * columns] = (slope[mine, 2:].T @ design).ravel()
        _add(information, design, weight[mine, 2:, 2:], start, start, columns)
        _add(information, design, weight[mine, :2, 2:], 0, start, columns)
    return gradient, np.triu(information) + np.triu(information, 1).T


def _jacobian(probability: Floats) -> Floats:
    """Return d softmax / d (log-odds of cure, of default), float64 (n, 3, 2)."""
    own = np.zeros((3, 2))
    own[CURE, 0] = own[DEFAULT, 1] = 1.0
    return np.asarray(probability[:, :, np.newaxis] * (own - probability[:, np.newaxis, [CURE, DEFAULT]]), dtype=np.float64)


def _add(information: Floats, design: Floats, weight: Floats, row: int, column: int, size: int) -> None:
    for a in range(2):
        for b in range(2):
            block = design.T @ (weight[:, a, b, np.newaxis] * design)
            information[row + a * size : row + (a + 1) * size, column + b * size : column + (b + 1) * size] = block
