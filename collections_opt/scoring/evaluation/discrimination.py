"""How sure an area under the ROC curve is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

_Z = float(norm.ppf(0.975))


def auc_interval(score: NDArray[np.float64], happened: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the AUC and its 95 % interval by DeLong's variance (DeLong et al. 1988, by midranks as Sun and Xu 2014).

    Args:
        score: float64 (n,).
        happened: bool (n,); both classes occur. With a single case of one the interval is 0 to 1.
    """
    cases, others = score[happened], score[~happened]
    together = rankdata(np.concatenate([cases, others]))
    placed = (together[: cases.size] - rankdata(cases)) / others.size
    passed = 1.0 - (together[cases.size :] - rankdata(others)) / cases.size
    auc = float(placed.mean())
    if min(cases.size, others.size) < 2:
        return auc, 0.0, 1.0
    spread = _Z * float(np.sqrt(placed.var(ddof=1) / cases.size + passed.var(ddof=1) / others.size))
    return auc, max(auc - spread, 0.0), min(auc + spread, 1.0)
