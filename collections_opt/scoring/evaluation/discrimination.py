"""How sure an area under the ROC curve is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

_Z = float(ndtri(0.975))


Floats = NDArray[np.float64]


def auc_interval(score: Floats, happened: NDArray[np.bool_], weight: Floats | None = None) -> tuple[float, float, float]:
    """Return the AUC and its 95 % interval by DeLong's variance (DeLong et al. 1988, by midranks as Sun and Xu 2014).

    Args:
        score: float64 (n,).
        happened: bool (n,); both classes occur. With a single case of one the interval is 0 to 1.
        weight: float64 (n,) for how many accounts each stands; None where each stands for itself.
    """
    if weight is not None:
        return _weighted_auc(score, happened, weight)
    from scipy.stats import rankdata  # noqa: PLC0415 - takes a second to load; a server starts without it

    cases, others = score[happened], score[~happened]
    together = rankdata(np.concatenate([cases, others]))
    placed = (together[: cases.size] - rankdata(cases)) / others.size
    passed = 1.0 - (together[cases.size :] - rankdata(others)) / cases.size
    auc = float(placed.mean())
    if min(cases.size, others.size) < 2:
        return auc, 0.0, 1.0
    spread = _Z * float(np.sqrt(placed.var(ddof=1) / cases.size + passed.var(ddof=1) / others.size))
    return auc, max(auc - spread, 0.0), min(auc + spread, 1.0)


def _weighted_auc(score: Floats, happened: NDArray[np.bool_], weight: Floats) -> tuple[float, float, float]:
    """Return the same of weighted accounts: the spread of a weighted mean of placements, for each class by itself."""
    parts = []
    for mine in (happened, ~happened):
        placed, own = _placement(score[mine], score[~mine], weight[~mine]), weight[mine] / weight[mine].sum()
        parts.append((float(own @ placed), float(own**2 @ (placed - own @ placed) ** 2)))
    (auc, of_cases), (_, of_others) = parts
    if min(happened.sum(), (~happened).sum()) < 2:
        return auc, 0.0, 1.0
    spread = _Z * float(np.sqrt(of_cases + of_others))
    return auc, max(auc - spread, 0.0), min(auc + spread, 1.0)


def _placement(score: Floats, others: Floats, weight: Floats) -> Floats:
    """Return the weighted share of others below each score, ties counting half."""
    order = np.argsort(others, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    first, last = (np.searchsorted(others[order], score, side=side) for side in ("left", "right"))
    return np.asarray((below[first] + below[last]) / (2.0 * below[-1]), dtype=np.float64)


def weighted_ks(score: Floats, happened: NDArray[np.bool_], weight: Floats) -> float:
    """Return the largest distance between the weighted distributions of the scores of both classes (Kolmogorov-Smirnov)."""
    order = np.argsort(score, kind="stable")
    last = np.append(np.diff(score[order]) > 0, True)  # ends of ties
    cases, others = (np.cumsum(np.where(mine[order], weight[order], 0.0)) for mine in (happened, ~happened))
    return float(np.abs(cases / cases[-1] - others / others[-1])[last].max())
