"""What the outcome model is trained on: periods of accounts with what became of them, and the rows they stack to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FeatureDefinition, build_features, definitions
from collections_opt.core.accounts.own_columns import OwnKind
from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY

Floats = NDArray[np.float64]

PERIOD_WEIGHT = 0.5
"""Weight of a period relative to the next: later ones are nearer to what is scored and know more months of history."""


@dataclass(frozen=True)
class TrainingPeriod:
    """One period's accounts with their outcomes, aligned by row: the features and the label never share a month.

    Attributes:
        name: of the period.
        portfolio: accounts whose outcome without contact was seen, n.
        outcome: int64 (n,).
        weight: float64 (n,) for how many accounts each stands, mean 1; None where each stands for itself.
        left_out: accounts whose outcome without contact was not seen, by why.
        method: how those are made up for, by kind (``censored``, ``contact``).
    """

    name: str
    portfolio: Portfolio
    outcome: NDArray[np.int64]
    weight: Floats | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    method: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.outcome.shape != (self.portfolio.account_count,) or not np.isin(self.outcome, (CURE, DEFAULT, STAY)).all():
            raise ValueError(f"period {self.name}: one outcome of cure, default, stay per account is needed")


def unseen_sentence(period: TrainingPeriod) -> str:
    """Return whose outcome was not seen and how those seen stand for them, in one sentence; "" where all outcomes were seen."""
    if not period.left_out:
        return ""
    told = ", ".join(f"{name} {count:,}" for name, count in period.left_out.items())
    how = "; ".join(text for kind, text in sorted(period.method.items()) if kind == "censored" or "CONTACTED" in period.left_out)
    return f"{period.outcome.size:,} accounts were seen and stand for these too: {told} ({how})."


@dataclass(frozen=True)
class TrainingRows:
    """Stacked periods: features float32 (n, f), outcomes int64 (n,), account ids (n,), weights float64 (n,).

    ``weight`` counts a period's age, ``stands_for`` only for how many accounts a row stands; ``own`` are the own columns among
    the features.
    """

    features: NDArray[np.float32]
    outcome: NDArray[np.int64]
    account: Array
    weight: Floats
    stands_for: Floats
    own: tuple[OwnFeature, ...] = ()

    @property
    def definitions(self) -> tuple[FeatureDefinition, ...]:
        """Definitions of the features, in matrix order."""
        return definitions(self.own)

    @property
    def categories(self) -> dict[int, int]:
        """Number of texts of each feature that holds places of texts, by its place in the matrix."""
        first = len(self.definitions) - len(self.own)
        return {first + i: len(one.texts) for i, one in enumerate(self.own) if one.kind is OwnKind.CATEGORY}

    def take(self, rows: Array | slice) -> TrainingRows:
        """Return some rows."""
        parts = (self.features[rows], self.outcome[rows], self.account[rows], self.weight[rows], self.stands_for[rows])
        return TrainingRows(*parts, own=self.own)


ALWAYS = 0.999
"""Share of a period's accounts that have a feature which training always knew."""


def always_known(periods: Sequence[TrainingPeriod], own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the features that nearly every account of every period had."""
    known = [(~np.isnan(build_features(one.portfolio, own).matrix)).mean(axis=0) >= ALWAYS for one in periods]
    held = np.logical_and.reduce(known)
    return tuple(one.name for one, kept in zip(definitions(own), held.tolist(), strict=True) if kept)


def stack(periods: Sequence[TrainingPeriod], own: Sequence[OwnFeature] = ()) -> TrainingRows:
    """Return the rows of periods in order of time, later ones weighing more; the last weighs 1."""
    ages = range(len(periods) - 1, -1, -1)
    sizes = [p.outcome.size for p in periods]
    features = np.empty((sum(sizes), len(definitions(own))), dtype=np.float32)
    start = 0
    for period, size in zip(periods, sizes, strict=True):
        features[start : start + size] = build_features(period.portfolio, own).matrix
        start += size
    return TrainingRows(
        features,
        np.concatenate([p.outcome for p in periods]),
        np.concatenate([p.portfolio.column("account_id") for p in periods]),
        np.concatenate([_weight(p) * PERIOD_WEIGHT**age for age, p in zip(ages, periods, strict=True)]),
        np.concatenate([_weight(p) for p in periods]),
        tuple(own),
    )


def _weight(period: TrainingPeriod) -> Floats:
    return np.ones(period.outcome.size) if period.weight is None else period.weight


def chains(rows: TrainingRows, sizes: Sequence[int], count: int) -> list[tuple[TrainingRows, TrainingRows]]:
    """Return up to ``count`` pairs of all rows before a period and the rows of that period, the last period's last.

    So every later period is predicted by what was known before it, as it is in use. Weights of each pair are scaled to its
    newest earlier period, so that a pair trains as strongly as all periods will.

    Args:
        rows: stacked periods.
        sizes: rows of each period.
        count: pairs wanted.
    """
    ends = np.cumsum(sizes)
    found = []
    for period in range(max(1, len(sizes) - count), len(sizes)):
        earlier = rows.take(slice(0, int(ends[period - 1])))
        scaled = replace(earlier, weight=earlier.weight / (earlier.weight[-1] / earlier.stands_for[-1]))
        found.append((scaled, rows.take(slice(int(ends[period - 1]), int(ends[period])))))
    return found
