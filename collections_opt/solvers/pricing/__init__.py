"""The large-scale solver: queue prices found on samples and small linear programs, proven by one exact integer pass."""

from __future__ import annotations

from collections_opt.solvers.pricing.solver import solve_pricing

__all__ = ["solve_pricing"]
