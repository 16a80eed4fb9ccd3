"""The large-scale solver: queue prices found on samples and small linear programs, proven by one exact integer pass."""

from __future__ import annotations

from collections_opt.solvers.pricing.price_intervals import PriceIntervals, price_intervals
from collections_opt.solvers.pricing.solver import solve_pricing

__all__ = ["PriceIntervals", "price_intervals", "solve_pricing"]
