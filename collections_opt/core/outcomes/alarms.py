"""Alarms that predictions do not hold, with a false rate that is proved and not approximated.

Against "the outcome of every account has the chance predicted" stand alternatives with all odds multiplied by theta. An account
with chance p whose outcome is y multiplies the evidence for theta by

    1 + lambda (y - p),   lambda = (theta - 1) / (1 - p + p theta),

which is the likelihood ratio, and has expectation 1 if p is right. Where accounts left sight, an account that was seen with
weight w counts w (y - p): its expectation over leaving sight and outcome is still zero (inverse probability of censoring),
and lambda is made smaller where a factor could fall below ``LEAST_FACTOR``.

A month's evidence is the product over its accounts. A shift may begin in any month: evidence that began in month k starts with
weight 1 / ``MONTHS``, so

    R_t = (R_{t-1} + 1 / MONTHS) L_t     (Shiryaev and Roberts; e-detectors of Shin, Ramdas and Rinaldo 2023)

has expectation at most 1 over ``MONTHS`` months, and exceeds 1 / alpha in any of them with chance at most alpha (Doob), whatever
the number of accounts, however small their chances. Alarms of several cells divide alpha by ``shares``: it holds over all of them
together, however they depend on each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NORMAL = NormalDist()

MONTHS = 200
"""Months over which the false rate is stated."""

FALSE_RATE = 0.05
"""Chance of any alarm in any cell in ``MONTHS`` months in which all predictions are right."""

TILTS: Mapping[float, float] = MappingProxyType({1.2: 0.4, 1 / 1.2: 0.2, 1.5: 0.2, 1 / 1.5: 0.2})
"""Alternatives that are looked for, theta, and the weight of each."""

LEAST_FACTOR = 0.1
DIMENSIONS: Mapping[str, float] = MappingProxyType({"all": 0.4, "unworked": 0.2, "product": 0.1, "bucket": 0.1, "queue": 0.2})
"""Ways in which accounts are divided, and the share of the false rate that each may use."""


def log_factors(probability: Floats, happened: NDArray[np.bool_], weight: Floats | None = None) -> Floats:
    """Return the log of what each account multiplies the evidence by, float64 (n, tilts).

    Args:
        probability: float64 (n,) predicted.
        happened: bool (n,).
        weight: float64 (n,) for how many accounts each stands, 0 for those that left sight; None where all were seen.
    """
    held = np.ones(probability.shape) if weight is None else weight
    # By the largest weight of all: an own one would let the stake depend on the outcome.
    most = float(held.max(initial=1.0)) * np.maximum(probability, 1.0 - probability)
    columns = []
    for theta in TILTS:
        stake = (theta - 1.0) / (1.0 - probability + probability * theta)
        bound = (1.0 - LEAST_FACTOR) / most
        if weight is not None:
            stake = np.clip(stake, -bound, bound)
        columns.append(np.log1p(stake * held * (happened - probability)))
    return np.stack(columns, axis=-1)


def followed(evidence: Sequence[Floats], threshold: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the evidence of each month that something is wrong, and where it raises an alarm.

    After an alarm the evidence begins anew.

    Args:
        evidence: by month, float64 (..., tilts): ``log_factors`` added up over the month's accounts.
        threshold: float64 (...,) from where on there is an alarm, ``thresholds``.

    Returns:
        float64 (months, ...) and bool (months, ...).
    """
    weights = np.array(list(TILTS.values()))
    shape = np.shape(threshold)
    held = np.zeros((*shape, weights.size))
    levels, alarms = [], []
    for month in evidence:
        held = (held + 1.0 / MONTHS) * np.exp(np.minimum(month, 500.0))
        level = np.minimum(held @ weights, 1e200)
        alarm = level >= threshold
        held[alarm] = 0.0
        np.minimum(held, 1e200, out=held)
        levels.append(level)
        alarms.append(alarm)
    empty = np.zeros((0, *shape))
    return (np.stack(levels), np.stack(alarms)) if levels else (empty, empty.astype(bool))


def shares(cells: Sequence[tuple[str, int]], outcome_count: int) -> Floats:
    """Return the share of the false rate that an outcome of each cell may use, float64 (cells,).

    Args:
        cells: dimension and place of each among the cells of its dimension, 0 for the one that was there first: shares fall as
            1 / ((j + 1) (j + 2)) and add up to one at most however many come, except in dimensions of one cell.
        outcome_count: outcomes that are judged in each cell.
    """
    alone = {"all", "unworked"}
    return np.array(
        [
            DIMENSIONS[dimension] / outcome_count * (1.0 if dimension in alone else 1.0 / ((place + 1) * (place + 2)))
            for dimension, place in cells
        ]
    )


def thresholds(share: Floats) -> Floats:
    """Return from which evidence on there is an alarm, by share of the false rate."""
    return 1.0 / (FALSE_RATE * share)


def found_within(variance: float, months: int, share: float, power: float = 0.9) -> float:
    """Return by which factor the odds must shift for an alarm within some months in a share of cases; NaN where none is enough.

    A shift by log-odds d moves the log of the evidence for it by about v d^2 / 2 with standard deviation d sqrt(v), v the sum of
    p (1 - p) over the accounts of those months.

    Args:
        variance: sum of p (1 - p) over the accounts of a month.
        months: within so many.
        share: of the false rate.
        power: share of cases.
    """
    z = {0.8: 0.8416, 0.9: 1.2816, 0.95: 1.6449}[power]
    total = variance * months
    if total <= 0:
        return float("nan")
    needed = np.log(MONTHS * thresholds(np.array([share]))[0] / max(TILTS.values()))
    shift = (z + np.sqrt(z * z + 2.0 * needed)) / np.sqrt(total)
    return float(np.exp(shift))


def most_found(variance: float, months: int, theta: float) -> float:
    """Return the share of shifts that any method could find within some months at the false rate stated here, at best.

    Whatever raises a false alarm in ``MONTHS`` months with chance ``FALSE_RATE`` at most spends, in a span of ``months`` of them,
    ``FALSE_RATE * months / MONTHS`` on average; by Neyman and Pearson no test of that level finds more than the likelihood
    ratio of the shift, told in advance with its month and its size (and power is concave in the level, so that no uneven
    spending helps on average over when the shift begins). Its log is about normal, with d sqrt(v) between the two hypotheses.

    Args:
        variance: sum of p (1 - p) over the accounts of a month.
        months: within so many.
        theta: factor on the odds.
    """
    distance = abs(np.log(theta)) * np.sqrt(max(variance, 0.0) * months)
    return _NORMAL.cdf(float(distance) - _bar(months))


def least_found(variance: float, months: int, power: float = 0.9) -> float:
    """Return by which factor the odds must shift at least for any method to find it in a share of cases, as ``most_found``."""
    if variance <= 0:
        return float("nan")
    return float(np.exp((_bar(months) + _NORMAL.inv_cdf(power)) / np.sqrt(variance * months)))


def _bar(months: int) -> float:
    return _NORMAL.inv_cdf(1.0 - FALSE_RATE * months / MONTHS)
