"""Recovered value against minutes: points of re-solves, and what to read off them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

ALL_QUEUES = ""
"""Id of the curve that scales every queue together."""


@dataclass(frozen=True)
class CurvePoint:
    """One re-solve of a curve.

    Attributes:
        factor: factor on the planned minutes.
        seconds: minutes of the curve's queue, or of all, in seconds.
        value_minor: increment of the assignment found, over all queues.
        bound_minor: no assignment at these minutes adds more, by the prices alone. The best such bounds are concave in the
            minutes, which values of whole accounts are only up to the gap.
        slope_minor_per_minute: what one minute more is worth there: the queue's price, or for all queues the price of a
            minute spread over them as planned.
    """

    factor: float
    seconds: int
    value_minor: int
    bound_minor: int
    slope_minor_per_minute: float


@dataclass(frozen=True)
class CapacityCurve:
    """The curve of one queue (the others as planned) or of ``ALL_QUEUES``; points by rising factor, 1 among them."""

    queue_id: str
    points: tuple[CurvePoint, ...]

    def at(self, factor: float) -> CurvePoint | None:
        """Return the point at a factor, None if the curve has none."""
        return next((point for point in self.points if point.factor == factor), None)


@dataclass(frozen=True)
class SameRecovery:
    """The share of the planned minutes with which a value is reached.

    Attributes:
        factor: smallest factor solved at which the assignment reaches the value; the minutes saved are ``1 - factor``.
        short_factor: largest factor solved at which no assignment reaches it, by its bound; 0 if none was found.
        value_minor: value of the assignment found at ``factor``.
    """

    factor: float
    short_factor: float
    value_minor: int


SolveAt = Callable[[float], CurvePoint]
"""Re-solves a curve at a factor."""


def same_recovery(
    points: Sequence[CurvePoint], target_minor: int, solve_at: SolveAt, width: float = 0.002
) -> SameRecovery | None:
    """Return with how few minutes a value is reached, or None if no point reaches it.

    Starts from the curve's points and halves the bracket by re-solves until it is at most ``width`` of the planned minutes
    wide; every factor named was solved, nothing is interpolated.
    """
    reaching = [point for point in points if point.value_minor >= target_minor]
    if not reaching:
        return None
    best = min(reaching, key=lambda point: point.factor)
    below = max((p.factor for p in points if p.factor < best.factor), default=0.0)
    short = max((p.factor for p in points if p.bound_minor < target_minor), default=0.0)
    while best.factor - below > width:
        point = solve_at((best.factor + below) / 2)
        if point.value_minor >= target_minor:
            best = point
        else:
            below = point.factor
            if point.bound_minor < target_minor:
                short = max(short, point.factor)
    return SameRecovery(best.factor, short, best.value_minor)


@dataclass(frozen=True)
class PriceRange:
    """The minutes between which a price keeps.

    Attributes:
        low_factor, high_factor: smallest and largest factor solved at which the price is within the tolerance.
        low_open, high_open: True where the search ended at its limit and the price still kept.
    """

    low_factor: float
    high_factor: float
    low_open: bool
    high_open: bool


def price_range(price: float, tolerance: float, solve_at: SolveAt, limit: float = 4.0, width: float = 0.005) -> PriceRange:
    """Return between which minutes a queue's price stays within a tolerance of what it is now.

    A price falls as minutes grow (the value is concave), so each side is one bracket: steps that double, then halving until
    it is at most ``width`` of the planned minutes wide.

    Args:
        price: the price now, per minute.
        tolerance: relative, such as 0.1.
        solve_at: re-solves at a factor; only ``slope_minor_per_minute`` is read.
        limit: largest factor tried; the smallest is 0.
        width: of the bracket at which the search ends.
    """
    low, low_open = _edge(price, tolerance, solve_at, -1.0, 0.0, width)
    high, high_open = _edge(price, tolerance, solve_at, 1.0, limit, width)
    return PriceRange(low, high, low_open, high_open)


def _edge(price: float, tolerance: float, solve_at: SolveAt, direction: float, end: float, width: float) -> tuple[float, bool]:
    def keeps(factor: float) -> bool:
        return abs(solve_at(factor).slope_minor_per_minute - price) <= tolerance * price

    inside, step = 1.0, 0.01
    while inside != end:
        factor = inside + direction * step
        factor = max(factor, end) if direction < 0 else min(factor, end)
        if not keeps(factor):
            break
        inside, step = factor, step * 2
    else:
        return inside, True
    outside = factor
    while abs(outside - inside) > width:
        middle = (inside + outside) / 2
        if keeps(middle):
            inside = middle
        else:
            outside = middle
    return inside, False
