"""Simulated desks: accounts in strata with known chances, whose outcomes are drawn month by month for many desks at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.outcomes.alarms import TILTS, followed, log_factors, shares, thresholds

Floats = NDArray[np.float64]

PRODUCTS, BUCKETS, QUEUES, LEVELS = 3, 3, 3, 8
"""Queue 0 is no queue: those accounts are not worked."""

CELLS = (
    ("all", 0),
    ("unworked", 0),
    *(("product", place) for place in range(PRODUCTS)),
    *(("bucket", place) for place in range(BUCKETS)),
    *(("queue", place) for place in range(QUEUES - 1)),
)
SHARE = shares(CELLS, 2)
"""Share of the false rate of each cell, for each of two outcomes."""

THRESHOLDS = np.concatenate([thresholds(SHARE), thresholds(SHARE)])
"""Of default in each cell, then of cure."""


@dataclass(frozen=True)
class Desk:
    """What every simulated desk is like.

    Attributes:
        accounts: accounts a month.
        default_rate: mean chance of default; that of cure is twice as large.
        seen: share of accounts that do not leave sight, at random.
    """

    accounts: int
    default_rate: float = 0.15
    seen: float = 1.0

    @property
    def chances(self) -> Floats:
        """Chances of default and of cure by stratum, float64 (2, strata): they rise with the bucket, and differ within it."""
        level, bucket = np.meshgrid(np.arange(LEVELS), np.arange(BUCKETS))
        spread = (0.25 + 1.5 * level / (LEVELS - 1)) * (0.7 + 0.3 * bucket)
        default = self.default_rate * spread / spread.mean()
        cure = 2.0 * self.default_rate * (spread.max() + spread.min() - spread) / spread.mean()
        per_bucket = np.stack([default, np.minimum(cure, 0.95 - default)])
        return np.tile(per_bucket[:, None, None], (1, PRODUCTS, QUEUES, 1, 1)).reshape(2, -1)

    @property
    def variance(self) -> float:
        """Sum of p (1 - p) of default over the accounts of a month that are seen."""
        p = self.chances[0]
        return float((p * (1.0 - p)).mean() * self.accounts * self.seen)


def _members() -> Floats:
    """Return which strata are in which cell, float64 (strata, cells)."""
    product, queue, bucket, _ = (
        axis.ravel() for axis in np.meshgrid(*map(np.arange, (PRODUCTS, QUEUES, BUCKETS, LEVELS)), indexing="ij")
    )
    parts = [np.ones(product.size, dtype=bool), queue == 0]
    parts += [product == place for place in range(PRODUCTS)] + [bucket == place for place in range(BUCKETS)]
    parts += [queue == place for place in range(1, QUEUES)]
    return np.stack(parts, axis=1).astype(np.float64)


def months(desk: Desk, desks: int, shifts: list[float], rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the evidence of each month, float64 (desks, cells of default and of cure, tilts).

    Args:
        desk: what they are like.
        desks: how many.
        shifts: by month, what the odds of default are multiplied by; predictions know nothing of it.
        rng: source of outcomes.
    """
    predicted, members = desk.chances, _members()
    strata = predicted.shape[1]
    weight = None if desk.seen == 1.0 else np.full(strata, 1.0 / desk.seen)
    yes, no = (
        np.stack([log_factors(p, np.full(strata, answer), weight) for p in predicted]) for answer in (True, False)
    )  # (outcomes, strata, tilts)
    for shift in shifts:
        odds = predicted[0] / (1.0 - predicted[0]) * shift
        default = odds / (1.0 + odds)
        cure = predicted[1] / (1.0 - predicted[0])  # of those that do not default
        count = rng.multinomial(desk.accounts, np.full(strata, 1.0 / strata), size=desks)
        held = count if desk.seen == 1.0 else rng.binomial(count, desk.seen)
        defaults = rng.binomial(held, default)
        cures = rng.binomial(held - defaults, cure)
        found = []
        for outcome, happened in enumerate((defaults, cures)):
            for tilt in range(len(TILTS)):
                each = happened * yes[outcome, :, tilt] + (held - happened) * no[outcome, :, tilt]
                found.append(each @ members)
        stacked = np.stack(found, axis=-1).reshape(desks, len(CELLS), 2, len(TILTS))
        yield np.concatenate([stacked[:, :, 0], stacked[:, :, 1]], axis=1)


def alarms(desk: Desk, desks: int, shifts: list[float], rng: np.random.Generator, bars: Floats = THRESHOLDS) -> NDArray[np.bool_]:
    """Return which desks had an alarm in any cell, by month, bool (months, desks)."""
    evidence = list(months(desk, desks, shifts, rng))
    _, raised = followed(evidence, np.broadcast_to(bars, (desks, bars.size)))
    return np.asarray(raised.any(axis=2), dtype=bool)
