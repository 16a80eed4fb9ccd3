"""Find the optimal prices of one level: screen a box, solve the open rest, move the box, until the box no longer binds.

Small programs and more of the cheap passes beat large programs, so the box is sized until few accounts stay open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.pricing.instance import Instance, Ints, screen
from collections_opt.solvers.pricing.reduced_lp import Box, ReducedSolution, open_accounts, solve_reduced

Floats = NDArray[np.float64]

_PATIENT_ROUNDS = 8
_SMALLEST_HALF_WIDTH = 2e-5
_CELLS_PER_OPEN_ROW = 3
_SIZING_STEPS = 12
_TIED_ROOM = 1.3
_LEAST_COLLAPSE = 0.1


@dataclass(frozen=True)
class Level:
    """One sample (or the whole) and how many open accounts its programs may have.

    Attributes:
        instance: the accounts of the level.
        sizing: a smaller sample on which boxes are sized, or None to size on the level itself.
        open_limit: accounts that may stay open.
        most_tied: give up when more accounts than this stay open in the narrowest box.
        rounds: most rounds.
    """

    instance: Instance
    sizing: Instance | None
    open_limit: int
    most_tied: int = 60_000
    rounds: int = 40


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

    top = on_grid(cap)

    def grid(prices: Floats) -> Ints:
        return np.clip(np.clip(prices, 0, cap) * PRICE_SCALE, 0, top).astype(np.int64)

    return Box(grid(centre - half), grid(centre), np.minimum(grid(centre + half) + 1, top))


def on_grid(cap: Floats) -> Ints:
    """Return prices rounded down to the grid."""
    return np.asarray(np.floor(cap * PRICE_SCALE), dtype=np.int64)


def boxstep(
    level: Level,
    centre: Floats,
    half: Floats,
    cap: Floats,
    deadline: Deadline,
    report: Callable[[int, Floats], None] = lambda _number, _prices: None,
) -> LevelResult:
    """Return optimal prices of a level, starting from a box of half-widths ``half`` around ``centre``.

    Args:
        level: the accounts.
        centre: float64 (m + k) starting prices in minor units.
        half: float64 (m + k) half-widths; infinite for "anything up to the cap", 0 for a side price fixed where it is.
        cap: float64 (m + k) largest sane prices; capacity bought there is a real shortage.
        deadline: wall-clock guard.
        report: called after each round with its number and the prices by then.
    """
    result = LevelResult(centre, False, None, None, np.zeros_like(centre))
    collapse = 1.0
    for round_number in range(level.rounds):
        if deadline.expired():
            break
        scale = price_scale(result.prices, level.instance.queues)
        limit = level.open_limit << (max(0, round_number - _PATIENT_ROUNDS) // 3)
        fixed = half == 0
        fitted = _fit(level, result.prices, half, cap, scale, int(limit / collapse))
        if fitted is None:
            break
        half = fitted
        box = box_around(result.prices, half, cap)
        screening = screen(level.instance, box.low, box.high)
        merge = len(screening.undecided) > 2 * level.open_limit
        solution = solve_reduced(level.instance, screening, box, merge, deadline)
        if solution is None:
            break
        classes, open_rows = len(solution.accounts.base), len(solution.accounts.members)
        collapse = max(_LEAST_COLLAPSE, classes / open_rows) if open_rows else 1.0
        moves = np.abs(solution.prices - result.prices)
        at_cap = box.high >= on_grid(cap)
        stuck = (solution.bought & ~at_cap) | solution.sold
        result = LevelResult(solution.prices, not stuck.any(), box, solution, moves)
        report(round_number, result.prices)
        if result.settled:
            break
        growth = 2.0 if round_number < _PATIENT_ROUNDS else 4.0
        half = np.where(stuck, np.maximum(half, _SMALLEST_HALF_WIDTH * scale) * growth, np.maximum(half * 0.6, 1.5 * moves))
        half[(fixed | _impossible(level.instance, solution, at_cap)) & ~solution.sold] = 0.0
    return result


def _impossible(instance: Instance, solution: ReducedSolution, at_cap: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the side rows short at their cap, bool (m + k): the price of a floor that cannot be met is the cap itself.

    It is fixed there, until a later program finds units to spare: a wide box up to the cap would leave every account of the
    floor open between all queues, although the price is the same in each.
    """
    short = solution.bought & at_cap
    short[: instance.queues] = False
    return short


def _fit(level: Level, centre: Floats, half: Floats, cap: Floats, scale: Floats, limit: int) -> Floats | None:
    """Shrink the half-widths until the predicted number of open accounts is within the limit; None if that is hopeless.

    A half-width never goes below a small share of the price: in a box of no width tied masses make elastic capacity free
    and the program's answer would rest on minutes that nobody has. Accounts that tie at any width do not count against it.
    A fixed side price has no width: what is bought of its limit is a real shortage.
    """
    smallest = np.where(half == 0, 0.0, _SMALLEST_HALF_WIDTH * scale)
    half = np.maximum(np.minimum(half, cap), smallest)
    probe = level.sizing or level.instance
    share = max(1, probe.rows) / max(1, level.instance.rows)

    def load(half: Floats) -> float:
        box = box_around(centre, half, cap)
        seen = screen(probe, box.low, box.high)
        return max(len(seen.undecided), seen.cells / _CELLS_PER_OPEN_ROW) / share

    tied: float | None = None
    for _ in range(_SIZING_STEPS):
        now = load(half)
        if now > limit and tied is None:
            tied = load(smallest)
            if tied > level.most_tied and _distinct(probe, box_around(centre, smallest, cap)) / share > level.most_tied:
                return None
        allowed = max(limit, _TIED_ROOM * (tied or 0.0))
        if now <= allowed or (half <= smallest).all():
            break
        half = np.maximum(half * np.clip(0.9 * allowed / now, 0.1, 0.8), smallest)
    return half


def _distinct(probe: Instance, box: Box) -> float:
    """Return how many classes the open accounts of a sample form; 0 if they collapse into few."""
    rows = screen(probe, box.low, box.high).undecided
    classes = len(open_accounts(probe, box, rows, merge=True).base)
    return classes if 2 * classes > len(rows) else 0
