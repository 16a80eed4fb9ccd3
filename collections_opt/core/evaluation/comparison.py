"""One order against another at the same eligibility and capacity: who moves, what it is worth, what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.value.payoffs import Floats


@dataclass(frozen=True)
class RealisedOutcomes:
    """What happened after the as-of date, aligned with a portfolio's rows; evaluation only, never an input of scoring.

    Attributes:
        cash_minor: int64 (n,) money paid.
        cured: bool (n,).
        rolled_worse: bool (n,).
    """

    cash_minor: NDArray[np.int64]
    cured: NDArray[np.bool_]
    rolled_worse: NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OrderingOutcome:
    """What one order chose; money in minor units.

    Attributes:
        ordering: the order.
        worked_count: accounts worked.
        minutes: handling minutes used.
        incremental_minor: expected incremental value of the accounts worked.
        overlap: share of the reference's worked accounts that this order works too.
        rank_correlation: Spearman correlation of both orders' positions over all accounts; NaN where undefined.
        entering: accounts this order works and the reference does not.
        leaving: accounts the reference works and this order does not.
        cash: realised money of the accounts worked, None without outcomes.
        cures: realised cures among them.
        rolls: realised rolls to a worse bucket among them.
        cash_share: realised money of the accounts worked as a share of all.
        cash_difference: realised money minus that of the reference's accounts, both from the same resamples.
    """

    ordering: Ordering
    worked_count: int
    minutes: float
    incremental_minor: int
    overlap: float
    rank_correlation: float
    entering: int
    leaving: int
    cash: Interval | None = None
    cures: Interval | None = None
    rolls: Interval | None = None
    cash_share: Interval | None = None
    cash_difference: Interval | None = None


def compare(
    ordering: Ordering,
    entries: Entries,
    reference: Entries,
    realised: RealisedOutcomes | None = None,
    seed: int = 0,
    draws: int = 1_000,
) -> OrderingOutcome:
    """Return one order's choice beside the reference's, on the same accounts.

    Args:
        ordering: name of the order.
        entries: its entries.
        reference: entries of the order compared with.
        realised: what happened, or None.
        seed: of the bootstrap, which only realised outcomes need.
        draws: bootstrap resamples of accounts.

    Raises:
        ValueError: when the two rank different accounts.
    """
    if not np.array_equal(entries.account_id, reference.account_id):
        raise ValueError("the rankings are of different accounts")
    mine, theirs = entries.queue != UNASSIGNED, reference.queue != UNASSIGNED
    both = int((mine & theirs).sum())
    figures: dict[str, Interval] = {}
    if realised is not None:
        figures = _realised(mine, theirs, realised, seed, draws)
    return OrderingOutcome(
        ordering=ordering,
        worked_count=int(mine.sum()),
        minutes=float(entries.seconds[mine].sum() / 60.0),
        incremental_minor=int(entries.increment_minor[mine].sum()),
        overlap=both / int(theirs.sum()) if theirs.any() else 1.0,
        rank_correlation=rank_correlation(position(entries), position(reference)),
        entering=int((mine & ~theirs).sum()),
        leaving=int((theirs & ~mine).sum()),
        **figures,
    )


def position(entries: Entries) -> Floats:
    """Return each account's position, float64 (n,): its place in its queue, all unworked accounts tied behind the last."""
    last = float(entries.priority.max(initial=0)) + 1.0
    return np.where(entries.queue == UNASSIGNED, last, entries.priority.astype(np.float64))


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation with average ranks for ties; NaN when either side is constant."""
    if first.size < 2:
        return float("nan")
    a, b = _average_ranks(first), _average_ranks(second)
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else float("nan")


def _average_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[inverse], dtype=np.float64)


def _realised(
    worked: NDArray[np.bool_], reference: NDArray[np.bool_], realised: RealisedOutcomes, seed: int, draws: int
) -> dict[str, Interval]:
    """Resample accounts with replacement; one multinomial weight vector per draw serves every figure."""
    cash = realised.cash_minor.astype(np.float64)
    difference = cash * worked - cash * reference
    columns = [cash * worked, realised.cured & worked, realised.rolled_worse & worked, cash, difference]
    table = np.column_stack(columns).astype(np.float64)
    point = table.sum(axis=0)
    rng = np.random.default_rng(seed)
    count = worked.size
    sums = np.empty((draws, table.shape[1]))
    for draw in range(draws):
        weight = np.bincount(rng.integers(0, count, size=count), minlength=count) if count else np.zeros(0)
        sums[draw] = weight @ table
    share = np.divide(sums[:, 0], sums[:, 3], out=np.zeros(draws), where=sums[:, 3] > 0)

    def interval(value: float, sample: Floats) -> Interval:
        low, high = np.percentile(sample, [2.5, 97.5])
        return Interval(float(value), float(low), float(high))

    return {
        "cash": interval(point[0], sums[:, 0]),
        "cures": interval(point[1], sums[:, 1]),
        "rolls": interval(point[2], sums[:, 2]),
        "cash_difference": interval(point[4], sums[:, 4]),
        "cash_share": interval(point[0] / point[3] if point[3] > 0 else 0.0, share),
    }
