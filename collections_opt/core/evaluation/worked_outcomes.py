"""What became of the accounts that an order works: shares and money with intervals, of what was seen alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import Outcome

Z = 1.959963984540054
"""Of a 95 % interval."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class WorkedOutcomes:
    """What became of the accounts that an order works; it is what they did, not what contact brought.

    Attributes:
        worked_count: accounts worked.
        seen_count: of these, those whose outcome was seen.
        cured: share of the seen that cured, Wilson's interval; None where none was seen.
        defaulted: share of the seen that defaulted, likewise.
        cash_known_count: accounts worked of which somebody tells what they paid.
        cash: what these paid, minor units, with the interval of drawing accounts anew; None where nobody tells.
        cash_share: the same as a share of what all accounts paid; None where nothing was paid.
        cash_difference: the same less what the accounts of the first order paid, both of the same draws; None of the first.
    """

    worked_count: int
    seen_count: int
    cured: Interval | None
    defaulted: Interval | None
    cash_known_count: int
    cash: Interval | None
    cash_share: Interval | None
    cash_difference: Interval | None


def worked_outcomes(worked: Mask, first: Mask | None, found: MaturedOutcomes) -> WorkedOutcomes:
    """Return what became of the accounts worked.

    Args:
        worked: bool (n,) whom the order works, in the order of ``found``.
        first: bool (n,) whom the order works that it is compared with; None for that one.
        found: outcomes of all n accounts.
    """
    seen, known = worked & ~found.is_censored, found.cash_minor >= 0
    cash = np.where(known, found.cash_minor, 0).astype(np.float64)
    told, paid = bool((worked & known).any()), float(cash.sum())
    return WorkedOutcomes(
        worked_count=int(worked.sum()),
        seen_count=int(seen.sum()),
        cured=_share(int((seen & (found.outcome == Outcome.CURED)).sum()), int(seen.sum())),
        defaulted=_share(int((seen & (found.outcome == Outcome.DEFAULTED)).sum()), int(seen.sum())),
        cash_known_count=int((worked & known).sum()),
        cash=_total(cash * worked) if told else None,
        cash_share=_ratio(cash * worked, cash) if told and paid > 0 else None,
        cash_difference=None if first is None or not told else _total(cash * worked - cash * first),
    )


def _share(hits: int, count: int) -> Interval | None:
    """Return a share with Wilson's interval."""
    if not count:
        return None
    share, squared = hits / count, Z**2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    half = Z * math.sqrt(share * (1 - share) / count + squared / (4 * count**2)) / (1 + squared / count)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _total(values: NDArray[np.float64]) -> Interval:
    """Return a sum with the interval of drawing as many accounts anew, by the normal law that such sums come to."""
    total, half = float(values.sum()), Z * math.sqrt(values.size) * float(values.std())
    return Interval(total, total - half, total + half)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> Interval:
    """Return the ratio of two sums with its interval by the delta method."""
    total = float(whole.sum())
    ratio = float(part.sum()) / total
    half = Z * math.sqrt(part.size) * float((part - ratio * whole).std()) / total
    return Interval(ratio, max(0.0, ratio - half), min(1.0, ratio + half))
