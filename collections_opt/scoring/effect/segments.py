"""What contact effects may depend on: features declared by name, centred and scaled, with nothing protected among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.errors import Reason, refuse

Floats = NDArray[np.float64]

DEFAULT_SEGMENTS = ("days_past_due", "utilisation", "months_since_payment", "months_late", "balance")
"""Lateness, use of the limit, recent payment, persistence and size."""

CLIP = 2.5
"""Scaled values are clipped here, so that a learned slope is never carried far beyond the accounts it was learned on."""


@dataclass(frozen=True)
class Segments:
    """Declared segment features.

    Attributes:
        names: feature names.
        centre: mean where known, on the training accounts.
        scale: standard deviation where known, on the training accounts.
    """

    names: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]

    def design(self, matrix: NDArray[np.float32]) -> Floats:
        """Return the design (n, 1 + k) of a feature matrix: an intercept and the scaled segments, 0 where missing."""
        columns = [FEATURE_NAMES.index(name) for name in self.names]
        scaled = (matrix[:, columns].astype(np.float64) - np.array(self.centre)) / np.array(self.scale)
        design = np.ones((matrix.shape[0], 1 + len(columns)))
        design[:, 1:] = np.clip(np.nan_to_num(scaled, nan=0.0), -CLIP, CLIP)
        return design


def declare_segments(names: Sequence[str], matrix: NDArray[np.float32]) -> Segments:
    """Return segments centred and scaled on a feature matrix.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a protected attribute, a proxy or a name that is no feature.
    """
    check_no_protected(names, "segments")
    unknown = [name for name in names if name not in FEATURE_NAMES]
    if unknown:
        raise refuse(Reason.INVALID_ARGUMENT, f"segments[{unknown[0]}]", "is no feature.", "Use names of the feature set.")
    values = matrix[:, [FEATURE_NAMES.index(name) for name in names]].astype(np.float64)
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, values - centre, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(spread > 1e-9, spread, 1.0)
    return Segments(tuple(names), tuple(centre.tolist()), tuple(scale.tolist()))
