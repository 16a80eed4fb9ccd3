"""The discount factor of every present value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def delta(days: float | Floats, discount_rate: float) -> Floats:
    """Return the discount factor delta(t) = (1 + r)^(-t/365), float64."""
    return np.power(1.0 + discount_rate, -np.asarray(days, dtype=np.float64) / 365.0)
