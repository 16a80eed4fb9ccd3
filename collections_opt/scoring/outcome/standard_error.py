"""How sure a difference of losses on later periods is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def standard_error(differences: Sequence[Floats]) -> float:
    """Return the standard error of the mean difference over all rows of several periods.

    The larger of that over rows and that over periods: rows of a month share what happened in it, so that many rows of two months
    are little evidence where the months disagree.

    Args:
        differences: float64 (n,) of each period.
    """
    rows = np.concatenate(differences)
    over_rows = float(rows.std()) / np.sqrt(rows.size)
    if len(differences) < 2:
        return float(over_rows)
    means = np.array([part.mean() for part in differences])
    return float(max(over_rows, means.std(ddof=1) / np.sqrt(means.size)))


def no_worse(losses: Sequence[Floats], best: Sequence[Floats]) -> bool:
    """Return whether losses on the rows of several periods are no worse than the best ones beyond one standard error."""
    differences = [one - other for one, other in zip(losses, best, strict=True)]
    return float(np.concatenate(differences).mean()) <= standard_error(differences)
