"""How far the own columns of a portfolio have moved since a model learned from them, and how they go with groups of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_features import OwnFeature, lacked, own_bins
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.evaluation.score_drift import MIN_JUDGED_COUNT, stability_index
from collections_opt.core.limits import MIN_CELL_COUNT

MOVED_PSI = 0.25
"""A population stability index above this is read as a shift that asks for a look; the usual limit of credit scoring."""

Ints = NDArray[np.int64]


def own_drift(portfolio: Portfolio, features: Sequence[OwnFeature]) -> dict[str, float]:
    """Return the population stability index of each own column against its training, by field.

    Bins are the tenths of training, or the texts that the model tells apart; missing values are a bin of their own. A column that
    the portfolio does not have is left out, and so are all where it or the training has fewer than ``MIN_JUDGED_COUNT`` accounts.
    """
    without = lacked(portfolio, features)
    found: dict[str, float] = {}
    for feature in features:
        if feature.field in without or min(portfolio.account_count, sum(feature.spread)) < MIN_JUDGED_COUNT:
            continue
        now = np.bincount(own_bins(portfolio, feature), minlength=len(feature.spread))
        found[feature.field] = stability_index(np.array(feature.spread), now)
    return found


def associations(
    portfolios: Sequence[Portfolio],
    groups: Sequence[Mapping[str, NDArray[np.str_]]],
    features: Sequence[OwnFeature],
    unknown: str,
) -> dict[str, dict[str, float]]:
    """Return how strongly each own column goes with each attribute of people: Cramér's V, 0 (not at all) to 1, by field.

    Values are taken in the bins of training, missing ones as a bin of their own, so that a gap that only some have shows as well.
    An attribute of fewer than two groups is left out.

    Args:
        portfolios: accounts.
        groups: per portfolio, by attribute, str (n,) the group of every account.
        features: own columns of a model.
        unknown: group of those of whom nobody knows it; they are left out, as are groups of fewer than 30 accounts.
    """
    found: dict[str, dict[str, float]] = {feature.field: {} for feature in features}
    for attribute in sorted({name for one in groups for name in one}):
        group = np.concatenate([one[attribute] for one in groups])
        names, codes, counts = np.unique(group, return_inverse=True, return_counts=True)
        kept = ((counts >= MIN_CELL_COUNT) & (names != unknown))[codes]
        if np.unique(codes[kept]).size < 2:
            continue
        for feature in features:
            bins = np.concatenate([own_bins(one, feature) for one in portfolios])
            found[feature.field][attribute] = cramers_v(bins[kept], codes[kept])
    return found


def cramers_v(one: Ints, other: Ints) -> float:
    """Return Cramér's V of two columns of codes (n,), corrected for chance (Bergsma 2013): 0 where they are independent."""
    _, rows = np.unique(one, return_inverse=True)
    _, columns = np.unique(other, return_inverse=True)
    r, c, n = int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1, one.size
    if n < 2 or r < 2 or c < 2:
        return 0.0
    table = np.bincount(rows * c + columns, minlength=r * c).reshape(r, c).astype(np.float64)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    excess = max(0.0, float(((table - expected) ** 2 / expected).sum()) / n - (r - 1) * (c - 1) / (n - 1))
    most = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return min(float(np.sqrt(excess / most)), 1.0) if most > 0 else 0.0
