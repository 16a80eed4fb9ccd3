"""How far each price may move and still be optimal: one more second of a limit is worth the lower end, one less costs the upper.

Prices are optimal exactly when every account's choices in an optimal solution of the linear program are among its best ones
at them, and limits with room cost nothing. Inside a price box only the open accounts can break this, so the optimal prices
are a small polyhedron; its extent along each price takes two linear programs with a column or two per price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from collections_opt.core.problem.assignment import PRICE_SCALE, Assignment, AssignmentProblem, SolveOptions
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.linear_program import maximize
from collections_opt.solvers.pricing.boxstep import price_scale
from collections_opt.solvers.pricing.instance import Instance, Ints, evaluate, flatten, to_grid
from collections_opt.solvers.pricing.intervals.optimal_face import ACTIVE, conditions
from collections_opt.solvers.pricing.intervals.rivals import RivalCells, rival_cells
from collections_opt.solvers.pricing.levels import refine_prices
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.presolve import join_alike_queues, price_caps, usable_capacity
from collections_opt.solvers.pricing.reduced_lp import Box, ReducedSolution
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import survey

Floats = NDArray[np.float64]

_FIRST_BOX = 1e-4
_WIDER = 8.0
_ATTEMPTS = 9
_EDGE = 1e-6
_SAME = 1e-9


@dataclass(frozen=True)
class PriceIntervals:
    """Least and greatest optimal price of each queue (q,) and side row (k,), int64 in ``1 / PRICE_SCALE`` minor units.

    ``low`` is what one more unit of the limit is worth, ``high`` what one unit less costs (to first order).

    Attributes:
        low, high: int64 (q,) ends per queue and second; they contain the answer's own price.
        side_low, side_high: int64 (k,) ends per side row and unit.
        complete: bool (q + k,) False where the interval may be wider than stated: it reaches beyond the boxes tried (a closed
            queue's has no upper end), or no optimum was found near the answer's prices.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    side_low: NDArray[np.int64]
    side_high: NDArray[np.int64]
    complete: NDArray[np.bool_]


def price_intervals(problem: AssignmentProblem, assignment: Assignment, options: SolveOptions) -> PriceIntervals:
    """Return the extent of the optimal prices around those of an answer to ``problem``.

    Prices are those of the linear relaxation. Queues that are alike share one price and one interval. O(n q) per box tried,
    of which there are at most a few, then two small linear programs per price.

    Raises:
        CollectionsError: as the solvers, for a problem that they refuse.
    """
    facts = survey(problem, options.threads)
    problem = replace(problem, capacity_seconds=usable_capacity(problem.capacity_seconds, facts.divisor))
    instance = flatten(problem, options.threads)
    joined = join_alike_queues(instance, options.seed)
    cap = price_caps(facts, len(instance.table), shortage_penalty_minor(problem.side, facts))
    kept = joined.kept()
    own = np.concatenate([assignment.prices, assignment.side_prices])
    people = People(joined.instance, problem.persons)
    low, high, complete = _extent(people, own[kept] / PRICE_SCALE, cap[kept], options.seed)
    low, high = np.minimum(_grid(joined.expand(low)), own), np.maximum(_grid(joined.expand(high)), own)
    m = problem.queue_count
    return PriceIntervals(low[:m], high[:m], low[m:], high[m:], joined.expand(complete))


def _grid(prices: Floats) -> Ints:
    return np.rint(prices * PRICE_SCALE).astype(np.int64)


def _extent(people: People, prices: Floats, cap: Floats, seed: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the ends of all prices, widening the box while an end rests on it, and which do not.

    Rows of persons are those at the prices given. Where an optimum works two accounts of a person in part it is not among
    their lists; then no end is told.
    """
    own = to_grid(prices)
    rows = people.at(own)
    half = _FIRST_BOX * price_scale(prices, rows.queues)
    low, high, cut = prices, prices, np.ones(len(prices), np.bool_)
    width = np.zeros(len(prices), np.int64)
    for _ in range(_ATTEMPTS):
        found = refine_prices(people, prices, cap, seed, Deadline(None), half, rows)
        if not found.settled or found.box is None or found.solution is None:
            break
        if people.persons is not None and not _reaches(people, rows, own, found.solution):
            break
        low, high, cut = _face(rows, found.box, found.solution, rival_cells(people, own, found.box))
        wider = found.box.high - found.box.low > width
        if not cut.any() or not wider.any():
            break
        width, half = found.box.high - found.box.low, half * _WIDER
    return low, high, ~cut


def _reaches(people: People, rows: Instance, own: Ints, solution: ReducedSolution) -> bool:
    """Tell whether the program over the rows of persons is worth as much as the least bound of all their accounts nearby."""
    found = to_grid(solution.prices)
    least = min(evaluate(rows, own).bound, evaluate(people.at(found), found).bound) / PRICE_SCALE
    return least - solution.bound <= _SAME * max(least, 1.0)


def _face(
    instance: Instance, box: Box, solution: ReducedSolution, rivals: RivalCells
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the least and the greatest optimal price inside a box, given an optimal solution of its reduced program.

    Also returns which of them an edge of the box other than 0 holds back.
    """
    start = box.centre / PRICE_SCALE
    slopes, room = conditions(instance, solution, start, rivals)
    if (room < -np.asarray(abs(slopes).sum(axis=1)).ravel() / PRICE_SCALE).any():
        start = solution.prices
        slopes, room = conditions(instance, solution, start, rivals)
    free = (solution.slack <= ACTIVE) & ~solution.bought & ~solution.sold
    floor, top = box.low / PRICE_SCALE, box.high / PRICE_SCALE
    down, up = np.where(free, np.maximum(start - floor, 0), 0.0), np.where(free, np.maximum(top - start, 0), 0.0)
    matrix, upper, count = csr_matrix(hstack([slopes, -slopes])), np.concatenate([up, down]), len(start)
    low, high, cut = start.copy(), start.copy(), np.zeros(count, np.bool_)
    for limit in np.flatnonzero(free).tolist():
        goal = np.zeros(2 * count)
        goal[limit], goal[count + limit] = 1.0, -1.0
        for ends, sign in ((high, 1.0), (low, -1.0)):
            found = maximize(sign * goal, upper, matrix, np.maximum(room, 0.0))
            if found is None:
                cut[limit] = True
                continue
            end = start + found.columns[:count] - found.columns[count:]
            near = _EDGE * (top - floor)
            cut[limit] |= bool((free & ((end >= top - near) | ((floor > 0) & (end <= floor + near)))).any())
            ends[limit] = end[limit]
    return low, high, cut
