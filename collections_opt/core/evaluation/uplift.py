"""How well an order of accounts finds those whom contact helps: the uplift curve, its area (AUUC) and the Qini coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.comparison import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UpliftCurve:
    """Cumulative gain per account when the first ``share`` of the order is contacted.

    Attributes:
        share: float64 (m,) from 0 to 1.
        gain: float64 (m,) per account of the whole, in the unit of the scores; the last one is the average effect.
        auuc: area under the curve.
        qini: area between the curve and the straight line of a random order.
    """

    share: Floats
    gain: Floats
    auuc: Interval
    qini: Interval


def uplift_curve(
    order: Floats, psi: Floats, account: NDArray[np.bytes_] | NDArray[np.int64], seed: int, draws: int = 200, points: int = 101
) -> UpliftCurve:
    """Return the curve of an order, with 95 % intervals of its areas by a bootstrap of accounts.

    An account that appears in several months is drawn with all its rows: they are not that many independent observations.

    Args:
        order: float64 (n,) key, highest first; ties share their gain evenly.
        psi: float64 (n,) unbiased score of each row's effect, such as T y / e - (1 - T) y / (1 - e) or its doubly robust form.
        account: id of each row's account (n,).
        seed: of the bootstrap.
        draws: resamples of accounts.
        points: of the curve.

    Raises:
        ValueError: without rows or with unequal lengths.
    """
    if not order.shape == psi.shape == account.shape or not psi.size:
        raise ValueError("one key, one score and one account per row are needed")
    _, group = np.unique(-order, return_inverse=True)
    share, gain = _curve(_sums(group, psi), _sums(group, np.ones(psi.size)))
    names, member = np.unique(account, return_inverse=True)
    rng = np.random.default_rng(seed)
    areas = np.empty((draws, 2))
    for draw in range(draws):
        drawn = np.bincount(rng.integers(0, names.size, size=names.size), minlength=names.size)
        weight = drawn[member].astype(np.float64)
        areas[draw] = _areas(*_curve(_sums(group, weight * psi), _sums(group, weight)))
    auuc, qini = _areas(share, gain)
    low, high = np.percentile(areas, [2.5, 97.5], axis=0)
    grid = np.linspace(0.0, 1.0, points)
    return UpliftCurve(
        grid,
        np.interp(grid, share, gain),
        Interval(auuc, float(low[0]), float(high[0])),
        Interval(qini, float(low[1]), float(high[1])),
    )


def _sums(group: NDArray[np.int64], weights: Floats) -> Floats:
    return np.bincount(group, weights=weights).astype(np.float64)


def _curve(sums: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    total = sizes.sum()
    return np.concatenate([[0.0], np.cumsum(sizes) / total]), np.concatenate([[0.0], np.cumsum(sums) / total])


def _areas(share: Floats, gain: Floats) -> tuple[float, float]:
    auuc = float(np.trapezoid(gain, share))
    return auuc, auuc - 0.5 * float(gain[-1])
