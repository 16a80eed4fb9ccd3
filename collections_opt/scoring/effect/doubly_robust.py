"""Average effects from rows whose chance of contact is known or estimated: augmented inverse-probability weighting (AIPW).

    psi = m1 - m0 + T (y - m1) / e - (1 - T) (y - m0) / (1 - e)

Unbiased when either the chances e or the predictions m are right (Robins, Rotnitzky and Zhao 1994); with recorded chances always.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.scoring.effect.model import NORMAL_95, EffectEstimate

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def scores(contacted: Mask, chance: Floats, happened: Floats, without: Floats, under: Floats) -> Floats:
    """Return psi of every row, float64 (n,).

    Args:
        contacted: T.
        chance: e, in (0, 1).
        happened: y.
        without: m0, prediction without contact, made without the row.
        under: m1, prediction under contact, made without the row.
    """
    weighted = np.where(contacted, (happened - under) / chance, -(happened - without) / (1.0 - chance))
    return np.asarray(under - without + weighted, dtype=np.float64)


def average(psi: Floats, person: NDArray[np.bytes_]) -> EffectEstimate:
    """Return the mean of scores with a 95 % interval; rows of one person count together (cluster-robust).

    Raises:
        ValueError: without rows.
    """
    if not psi.size:
        raise ValueError("no rows")
    value = float(psi.mean())
    _, inverse = np.unique(person, return_inverse=True)
    sums = np.bincount(inverse, weights=psi - value)
    clusters = sums.size
    variance = float((sums**2).sum()) / psi.size**2 * (clusters / max(clusters - 1, 1))
    error = float(np.sqrt(variance))
    return EffectEstimate(value, error, value - NORMAL_95 * error, value + NORMAL_95 * error, int(psi.size))
