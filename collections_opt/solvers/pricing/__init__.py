"""The large-scale solver: queue prices found on samples and small linear programs, proven by one exact integer pass."""

from __future__ import annotations

from collections_opt.solvers.pricing.intervals import PriceIntervals, price_intervals
from collections_opt.solvers.pricing.solver import solve_pricing, solve_spread
from collections_opt.solvers.pricing.spread import SpreadAssignment, SpreadProblem

__all__ = ["PriceIntervals", "SpreadAssignment", "SpreadProblem", "price_intervals", "solve_pricing", "solve_spread"]
