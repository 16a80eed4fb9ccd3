"""Charged-off accounts with what came back of each: what a recovery model is learned from and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.scoring.recovery.model import ALL, NOTHING, PART

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FULL_SHARE = 0.95
"""From here a recovery counts as all of the exposure."""


@dataclass(frozen=True)
class RecoveryRows:
    """Charged-off accounts of one period or several, n rows.

    Attributes:
        features: float32 (n, f), known before the charge-off.
        exposure: float64 (n,) exposure at default, above 0.
        recovered: float64 (n,) net of what recovering cost, discounted to the default, in the unit of the exposure.
        account: (n,) whose they are; no account may be learned from and judged on.
        dropped_count: rows left out: not in their portfolio, or of an account that an earlier period holds.
    """

    features: NDArray[np.float32]
    exposure: Floats
    recovered: Floats
    account: NDArray[np.bytes_]
    dropped_count: int = 0

    @property
    def count(self) -> int:
        """Rows n."""
        return int(self.exposure.size)

    @property
    def share(self) -> Floats:
        """Recovered share of the exposure, float64 (n,), at least 0 (costs above the recovery) and at most 1 (interest)."""
        return np.asarray(np.clip(self.recovered / self.exposure, 0.0, 1.0), dtype=np.float64)

    @property
    def kind(self) -> NDArray[np.int64]:
        """NOTHING, PART or ALL, int64 (n,)."""
        share = self.share
        return np.select([share <= 0.0, share >= FULL_SHARE], [NOTHING, ALL], PART).astype(np.int64)

    @property
    def money(self) -> Floats:
        """Recovered money as far as a share can express it, float64 (n,)."""
        return self.share * self.exposure

    def take(self, rows: Bools) -> RecoveryRows:
        """Return some rows."""
        parts = (self.features[rows], self.exposure[rows], self.recovered[rows], self.account[rows])
        return RecoveryRows(*parts, self.dropped_count)


def joined(periods: Sequence[RecoveryRows]) -> RecoveryRows:
    """Return the rows of periods one after another."""
    return RecoveryRows(
        np.vstack([part.features for part in periods]),
        np.concatenate([part.exposure for part in periods]),
        np.concatenate([part.recovered for part in periods]),
        np.concatenate([part.account for part in periods]),
        sum(part.dropped_count for part in periods),
    )


def without_seen(periods: Sequence[RecoveryRows]) -> list[RecoveryRows]:
    """Return periods in order of time, each without the accounts of the earlier ones."""
    result: list[RecoveryRows] = []
    seen = np.zeros(0, dtype="S1")
    for part in periods:
        new = ~np.isin(part.account, seen)
        kept = part.take(new)
        result.append(
            RecoveryRows(kept.features, kept.exposure, kept.recovered, kept.account, int((~new).sum()) + part.dropped_count)
        )
        seen = np.concatenate([seen, part.account])
    return result
