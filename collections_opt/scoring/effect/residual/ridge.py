"""A ridge regression with coefficients shared by queues and deviations of each, from sums that fit any fold and any penalty.

Row i of queue q:  target_i ~ factor_i * B_i (beta + gamma_q). Penalty on beta lambda, on gamma_q four times that, on intercepts a
tenth, each times the sum of squared factors: lambda is then the weight of the prior against the data whatever their number.
Queues with few rows have no deviation of their own: they form group q, after the q queues that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OWN_PENALTY, INTERCEPT_PENALTY = 4.0, 0.1

_CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class RidgeRows:
    """n rows of one regression.

    Attributes:
        design: float64 (n, k), B, the intercept first.
        factor: float64 (n,).
        queue: int64 (n,) index of the queue's deviation, or ``queue_count`` for none.
        target: float64 (n,).
        queue_count: queues q with a deviation.
    """

    design: Floats
    factor: Floats
    queue: Ints
    target: Floats
    queue_count: int


@dataclass(frozen=True)
class Sums:
    """Per group: gram float64 (q + 1, k, k), moment float64 (q + 1, k), squared factors float64 (q + 1,)."""

    gram: Floats
    moment: Floats
    weight: Floats

    @classmethod
    def of(cls, rows: RidgeRows, chosen: NDArray[np.bool_]) -> Sums:
        """Return the sums over the chosen rows."""
        width, groups = rows.design.shape[1], rows.queue_count + 1
        gram, moment, weight = np.zeros((groups, width, width)), np.zeros((groups, width)), np.zeros(groups)
        for queue in range(groups):
            mine = chosen & (rows.queue == queue)
            scaled = rows.design[mine] * rows.factor[mine, np.newaxis]
            gram[queue], moment[queue] = scaled.T @ scaled, scaled.T @ rows.target[mine]
            weight[queue] = float((rows.factor[mine] ** 2).sum())
        return cls(gram, moment, weight)

    @classmethod
    def total(cls, parts: Sequence[Sums]) -> Sums:
        """Return the sums of several sets of rows together."""
        return cls(
            np.sum([part.gram for part in parts], axis=0),
            np.sum([part.moment for part in parts], axis=0),
            np.sum([part.weight for part in parts], axis=0),
        )


@dataclass(frozen=True)
class Ridge:
    """A fit.

    Attributes:
        coefficients: float64 (1 + q, k), beta and then each gamma_q.
        bread: float64 (p, p), the inverse of gram plus penalty.
        penalty: float64 (p,), diagonal of the penalty; 0 where it is infinite and nothing was learned.
    """

    coefficients: Floats
    bread: Floats
    penalty: Floats

    def by_queue(self) -> Floats:
        """Return beta + gamma_q, and last beta alone, float64 (q + 1, k)."""
        return by_queue(self.coefficients)

    def predict(self, rows: RidgeRows) -> Floats:
        """Return B_i (beta + gamma_q), float64 (n,), without the factor."""
        return linear(rows.design, self.by_queue(), rows.queue)


def by_queue(coefficients: Floats) -> Floats:
    """Return beta + gamma_q, and last beta alone, float64 (q + 1, k), of beta and each gamma_q, (1 + q, k)."""
    return np.vstack([coefficients[0] + coefficients[1:], coefficients[:1]])


def centring(rows: RidgeRows, factor: Floats) -> Floats:
    """Return T, float64 (p, p): T c has the intercepts of c that leave no change on average of any queue's rows.

    Args:
        rows: n rows of the regression.
        factor: float64 (n,) h, which what B_i (beta + gamma_q) says is multiplied by.
    """
    width, count = rows.design.shape[1], rows.queue_count
    means = np.empty((count + 1, width))
    for queue in range(count + 1):
        mine = rows.queue == queue
        mine = mine if mine.any() else np.ones_like(mine)
        means[queue] = factor[mine] @ rows.design[mine] / factor[mine].sum()
    made = np.eye((1 + count) * width)
    made[0, :width] = -means[-1]
    made[0, 0] = 0.0
    for queue in range(count):
        place = (1 + queue) * width
        made[place, :width] = means[-1] - means[queue]
        made[place, 0] = 0.0
        made[place, place : place + width] = -means[queue]
        made[place, place] = 0.0
    return made


def linear(design: Floats, by_queue: Floats, queue: Ints) -> Floats:
    """Return B_i c_q(i), float64 (n,), of coefficients (q + 1, k)."""
    return np.asarray(np.einsum("nk,nk->n", design, by_queue[queue]), dtype=np.float64)


def solve(sums: Sums, penalty: float) -> Ridge:
    """Return the fit under a penalty lambda; an infinite one gives all coefficients 0."""
    queues, width = sums.moment.shape[0] - 1, sums.moment.shape[1]
    size = (1 + queues) * width
    if np.isinf(penalty):
        return Ridge(np.zeros((1 + queues, width)), np.zeros((size, size)), np.zeros(size))
    gram, moment = np.zeros((size, size)), np.concatenate([sums.moment.sum(axis=0), sums.moment[:-1].ravel()])
    gram[:width, :width] = sums.gram.sum(axis=0)
    for queue in range(queues):
        own = slice((1 + queue) * width, (2 + queue) * width)
        gram[own, own] = gram[:width, own] = gram[own, :width] = sums.gram[queue]
    weight = np.where(np.arange(width) == 0, INTERCEPT_PENALTY, 1.0)
    scale = penalty * max(float(sums.weight.sum()), 1e-12)
    added = scale * np.concatenate([weight, np.tile(OWN_PENALTY * weight, queues)])
    gram[np.diag_indices(size)] += added
    bread = np.linalg.inv(gram)
    return Ridge((bread @ moment).reshape(1 + queues, width), bread, added)


def sandwich(rows: Sequence[RidgeRows], fits: Sequence[Ridge], person: NDArray[np.bytes_]) -> Floats:
    """Return the covariance of the coefficients of several regressions on the same n rows, clustered by person, (m p, m p).

    bread (sum over persons of s s' + s2 penalty) bread, with s the sum of a person's scores z (target - prediction) and s2 the
    mean squared residual, weighted by squared factors. The first term is the spread of the estimate. The second allows for what
    shrinkage hides: if coefficients are spread as the penalty takes them to be, it is the mean square of the bias.
    """
    order = np.argsort(person, kind="stable")
    first = np.flatnonzero(np.r_[True, person[order][1:] != person[order][:-1]]) if order.size else np.zeros(0, dtype=np.int64)
    width = rows[0].design.shape[1] * (1 + rows[0].queue_count)
    meat = np.zeros((len(rows) * width, len(rows) * width))
    residuals = [one.target - one.factor * fit.predict(one) for one, fit in zip(rows, fits, strict=True)]
    for start, stop in _person_chunks(first, order.size):
        chunk = order[first[start] : first[stop] if stop < first.size else order.size]
        begins = first[start:stop] - first[start]
        scores = np.hstack([_scores(one, left, chunk, begins) for one, left in zip(rows, residuals, strict=True)])
        meat += scores.T @ scores
    meat *= first.size / max(first.size - 1, 1)
    bread = np.zeros_like(meat)
    for index, (one, fit, left) in enumerate(zip(rows, fits, residuals, strict=True)):
        part = slice(index * width, (index + 1) * width)
        bread[part, part] = fit.bread
        squared = float((one.factor**2 * left**2).sum() / max((one.factor**2).sum(), 1e-12))
        meat[part, part] += np.diag(squared * fit.penalty)
    return np.asarray(bread @ meat @ bread, dtype=np.float64)


def _person_chunks(first: Ints, count: int) -> list[tuple[int, int]]:
    """Return ranges of persons with about as many rows each."""
    cuts = np.searchsorted(first, np.arange(0, count, _CHUNK_ROWS))
    ends = [*cuts[1:].tolist(), first.size]
    return [(start, stop) for start, stop in zip(cuts.tolist(), ends, strict=True) if start < stop]


def _scores(rows: RidgeRows, residual: Floats, chunk: Ints, begins: Ints) -> Floats:
    """Return every person's scores, float64 (persons, p)."""
    score = rows.design[chunk] * (rows.factor[chunk] * residual[chunk])[:, np.newaxis]
    own = [np.where((rows.queue[chunk] == queue)[:, np.newaxis], score, 0.0) for queue in range(rows.queue_count)]
    return np.hstack([np.add.reduceat(part, begins, axis=0) for part in (score, *own)])
