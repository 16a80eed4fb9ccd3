"""What it means to break a side row: caps are hard, floors may be short at a documented penalty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, Shortage, SideConstraints
from collections_opt.solvers.survey import Survey

_MAX_CHARGE_MINOR = 1 << 38
"""Largest sum of side prices times coefficients: its scaled value stays inside int64."""


def may_be_short(table: NDArray[np.int64], limit: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return bool (k,): rows that leaving accounts alone cannot satisfy, so that they may be impossible (floors)."""
    return np.asarray((table < 0).any(axis=(1, 2)) | (limit < 0), dtype=np.bool_)


def shortage_penalty_minor(side: SideConstraints | None, facts: Survey) -> int:
    """Return the worth of one unit short in a side row: twice what working the dearest account could displace.

    No price of a row that can be met needs to be higher, up to the limit that keeps the arithmetic exact; a price that
    ends there says that the row cannot be met.
    """
    if side is None:
        return 0
    displaced = facts.max_value + int(np.ceil(facts.max_density.max(initial=0.0))) * facts.max_seconds
    reach = max(1, int(np.abs(side.table).max(initial=0)) * len(side.names))
    return max(1, min(2 * displaced, _MAX_CHARGE_MINOR // reach))


def shortages(
    side: SideConstraints | None, room: NDArray[np.int64], prices: NDArray[np.int64] | None = None
) -> tuple[Shortage, ...]:
    """Return the side rows with negative room as shortages, each with its price in minor units (0 without prices)."""
    if side is None:
        return ()
    return tuple(
        Shortage(name, -int(room[k]), 0 if prices is None else int(prices[k]) // PRICE_SCALE)
        for k, name in enumerate(side.names)
        if room[k] < 0
    )
