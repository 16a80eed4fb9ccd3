"""How far each price may move and still be optimal."""

from __future__ import annotations

from collections_opt.solvers.pricing.intervals.price_intervals import PriceIntervals, price_intervals

__all__ = ["PriceIntervals", "price_intervals"]
