"""How near the bound of prices any list can come: what whole accounts cost a plan of many queues with few accounts each.

At prices with bound D a list of worth P leaves D - P = sum over accounts of what their choice loses against their best one,
plus the price of all seconds left. Each loss is split between the queue that an account leaves and the one that it enters,
by weights. Every queue then has a part of D - P that depends on its own accounts alone, and the least it can be is a 0/1
program over that queue's seconds, solved exactly. The sum of these minima is a lower bound on D - P for every list
(Lagrangian decomposition), whichever the weights.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, AssignmentProblem
from collections_opt.solvers.compiled import kernel
from collections_opt.solvers.pricing.instance import Instance, flatten, losses_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BLOCK_ROWS = 4_096
_FIRST_SWITCHES = 80
_FIRST_LOSS = 10_000 * PRICE_SCALE
_LEAST_WEIGHT = 1 / 20
_NEVER = 1 << 61


def least_gap(problem: AssignmentProblem, prices: Ints, bound_minor: int) -> float:
    """Return a relative gap that no list goes below, measured against the bound of these prices; no side rows.

    Args:
        problem: the instance; capacities must be what whole handling times can fill.
        prices: int64 (m,) on the grid.
        bound_minor: their bound.
    """
    instance = flatten(problem, 1)
    slack = _slack(instance, prices)
    whole = [_cheapest(switches, _FIRST_SWITCHES) for switches in _switches(instance, prices, None, _FIRST_LOSS)]
    alone = np.array([_least(s, int(slack[q]), int(prices[q]), _NEVER) for q, s in enumerate(whole)], dtype=np.float64)
    weights = np.maximum(alone, _LEAST_WEIGHT * alone.max()) + 1.0
    shared = _switches(instance, prices, weights, alone)
    parts = [_least(s, int(slack[q]), int(prices[q]), int(alone[q])) for q, s in enumerate(shared)]
    return max(0.0, (sum(parts) / PRICE_SCALE - 1) / bound_minor)  # one unit: the bound is rounded down


@dataclass(frozen=True)
class Switches:
    """Ways to change a queue's seconds left: int64 cost in ``1 / PRICE_SCALE`` minor units and seconds won, by cost."""

    cost: Ints
    change: Ints


def _slack(instance: Instance, prices: Ints) -> Ints:
    """Return int64 (m,) the seconds left when every account is where it loses nothing."""
    left = instance.limit.copy()
    for start in range(0, instance.rows, _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, instance.rows))
        best = losses_of(instance, prices, rows).argmin(axis=1)
        on = np.flatnonzero(best < instance.queues)
        np.subtract.at(left, best[on], instance.seconds[rows[on], best[on]].astype(np.int64))
    return left


def _switches(instance: Instance, prices: Ints, weights: Floats | None, most: Floats | int) -> list[Switches]:
    """Return each queue's switches that cost it at most ``most`` (m,); without weights every queue bears all of a loss."""
    m = instance.queues
    limit = np.append(np.broadcast_to(np.asarray(most, dtype=np.float64), (m,)), -1.0)
    found: list[tuple[Ints, Ints, Ints]] = []
    for start in range(0, instance.rows, _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, instance.rows))
        loss = losses_of(instance, prices, rows).astype(np.float64)
        best = loss.argmin(axis=1)
        loss[np.arange(len(rows)), best] = float(_NEVER)
        entering, leaving = loss, loss
        if weights is not None:
            own, other = np.append(weights, 0.0), np.append(weights, 0.0)[best][:, None]
            share = own / np.maximum(own + other, 1e-9)
            entering, leaving = loss * share, loss * (1.0 - share)
        row, queue = np.nonzero(entering <= limit)
        found.append((queue, np.floor(entering[row, queue]).astype(np.int64), -_seconds(instance, rows[row], queue)))
        cheapest = leaving.min(axis=1)
        row = np.flatnonzero((best < m) & (cheapest <= limit[best]))
        found.append((best[row], np.floor(cheapest[row]).astype(np.int64), _seconds(instance, rows[row], best[row])))
    queue, cost, change = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((cost, queue))
    cuts = np.searchsorted(queue[order], np.arange(m + 1))
    return [Switches(cost[order[a:b]], change[order[a:b]]) for a, b in itertools.pairwise(cuts)]


def _seconds(instance: Instance, rows: Ints, queues: Ints) -> Ints:
    return instance.seconds[rows, queues].astype(np.int64)


def _cheapest(switches: Switches, count: int) -> Switches:
    return Switches(switches.cost[:count], switches.change[:count])


def _least(switches: Switches, slack: int, price: int, most: int) -> int:
    """Return the least of cost plus price of the seconds left, over all sets of switches that leave none negative.

    ``most`` is an upper bound on it: how far a set that costs no more can move the seconds bounds the states to look at.
    """
    kept = np.flatnonzero(switches.cost <= most)
    cost, change = switches.cost[kept], switches.change[kept]
    up, down = (_farthest(cost[mine], np.abs(change[mine]), most) for mine in (change > 0, change < 0))
    return int(_program(cost, change, slack, price, slack - down, slack + up))


def _farthest(cost: Ints, seconds: Ints, most: int) -> int:
    """Return at least how many seconds switches of a joint cost of at most ``most`` move: the fractional knapsack."""
    order = np.argsort(cost / seconds, kind="stable")
    spent = np.cumsum(cost[order].astype(np.float64))
    whole = int(np.searchsorted(spent, float(most), side="right"))
    return int(seconds[order[: whole + 1]].sum())


@kernel
def _program(cost: Ints, change: Ints, slack: int, price: int, low: int, high: int) -> int:
    best = np.full(high - low + 1, np.int64(_NEVER))
    best[slack - low] = 0
    width = best.shape[0]
    for j in range(cost.shape[0]):
        d, c = change[j], cost[j]
        if d > 0:
            for s in range(width - 1, d - 1, -1):
                best[s] = min(best[s], best[s - d] + c)
        else:
            for s in range(width + d):
                best[s] = min(best[s], best[s - d] + c)
    least = np.int64(_NEVER)
    for s in range(max(0, -low), width):
        if best[s] < _NEVER >> 1:
            least = min(least, best[s] + price * (s + low))
    return least
