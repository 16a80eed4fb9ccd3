"""Find the optimal prices of one level: screen a box, solve the open rest, move the box, until the box no longer binds.

Small programs and more of the cheap passes beat large programs, so the box is sized until few accounts stay open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import PRICE_SCALE
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.pricing.instance import Instance, Ints, screen
from collections_opt.solvers.pricing.reduced_lp import Box, ReducedSolution, solve_reduced

Floats = NDArray[np.float64]

MAX_ROUNDS = 40
_PATIENT_ROUNDS = 8
_SMALLEST_HALF_WIDTH = 2e-5
_CELLS_PER_OPEN_ROW = 3
_SIZING_STEPS = 12


@dataclass(frozen=True)
class Level:
    """One sample (or the whole) and how many open accounts its programs may have.

    Attributes:
        instance: the accounts of the level.
        sizing: a smaller sample on which boxes are sized, or None to size on the level itself.
        open_limit: accounts that may stay open.
    """

    instance: Instance
    sizing: Instance | None
    open_limit: int


@dataclass(frozen=True)
class LevelResult:
    """Prices of a level, float64 (m + k) in minor units.

    Attributes:
        prices: the best prices found.
        settled: True if they are optimal for the level, so that ``box`` and ``solution`` describe its optimum.
        box: the last box.
        solution: the last reduced program's solution; None if there was none.
        moves: float64 (m + k) last movement of each price.
    """

    prices: Floats
    settled: bool
    box: Box | None
    solution: ReducedSolution | None
    moves: Floats


def price_scale(prices: Floats, queues: int) -> Floats:
    """Return the size against which a price's box is measured: itself, but at least 5 % of the median of its kind."""
    scale = prices.copy()
    for part in (slice(0, queues), slice(queues, None)):
        positive = prices[part][prices[part] > 0]
        least = 0.05 * float(np.median(positive)) if positive.size else 0.0
        scale[part] = np.maximum(prices[part], least)
    return np.maximum(scale, 1.0 / PRICE_SCALE)


def box_around(centre: Floats, half: Floats, cap: Floats) -> Box:
    """Return the box of grid prices around a centre, within [0, cap]."""

    def grid(prices: Floats) -> Ints:
        return np.clip(prices * PRICE_SCALE, 0, cap * PRICE_SCALE).astype(np.int64)

    return Box(grid(centre - half), grid(centre), grid(centre + half) + 1)


def boxstep(
    level: Level, centre: Floats, half: Floats, cap: Floats, deadline: Deadline, report: Callable[[int], None]
) -> LevelResult:
    """Return optimal prices of a level, starting from a box of half-widths ``half`` around ``centre``.

    Args:
        level: the accounts.
        centre: float64 (m + k) starting prices in minor units.
        half: float64 (m + k) half-widths; infinite for "anything up to the cap".
        cap: float64 (m + k) largest sane prices; capacity bought there is a real shortage.
        deadline: wall-clock guard.
        report: called with the number of each round.
    """
    result = LevelResult(centre, False, None, None, np.zeros_like(centre))
    for round_number in range(MAX_ROUNDS):
        if deadline.expired():
            break
        report(round_number)
        scale = price_scale(result.prices, level.instance.queues)
        limit = level.open_limit << (max(0, round_number - _PATIENT_ROUNDS) // 3)
        half = _fit(level, result.prices, half, cap, scale, limit)
        box = box_around(result.prices, half, cap)
        screening = screen(level.instance, box.low, box.high)
        solution = solve_reduced(level.instance, screening, box, merge=len(screening.undecided) > 2 * limit)
        if solution is None:
            break
        moves = np.abs(solution.prices - result.prices)
        at_cap = box.high >= cap * PRICE_SCALE
        stuck = (solution.bought & ~at_cap) | solution.sold
        result = LevelResult(solution.prices, not stuck.any(), box, solution, moves)
        if result.settled:
            break
        growth = 2.0 if round_number < _PATIENT_ROUNDS else 4.0
        half = np.where(stuck, half * growth, np.maximum(half * 0.6, 1.5 * moves))
    return result


def _fit(level: Level, centre: Floats, half: Floats, cap: Floats, scale: Floats, limit: int) -> Floats:
    """Shrink the half-widths until the predicted number of open accounts is within the limit.

    A half-width never goes below a small share of the price: in a box of no width tied masses make elastic capacity free
    and the program's answer would rest on minutes that nobody has.
    """
    smallest = _SMALLEST_HALF_WIDTH * scale
    half = np.maximum(np.minimum(half, cap), smallest)
    probe = level.sizing or level.instance
    share = probe.rows / max(1, level.instance.rows)
    allowed = limit * share
    for _ in range(_SIZING_STEPS):
        box = box_around(centre, half, cap)
        seen = screen(probe, box.low, box.high)
        load = max(len(seen.undecided), seen.cells / _CELLS_PER_OPEN_ROW)
        if load <= allowed or (half <= smallest).all():
            break
        half = np.maximum(half * np.clip(0.9 * allowed / load, 0.1, 0.8), smallest)
    return half
