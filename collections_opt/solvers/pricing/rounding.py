"""From prices to a list: choices at the prices, near-tied accounts switched until every queue is full to the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.greedy import Cells, serve_in_order
from collections_opt.solvers.pricing.chain import NEVER, settle_queues
from collections_opt.solvers.pricing.instance import Instance, Ints, losses_of, near_ties, tally
from collections_opt.solvers.pricing.relief import relieve

Choices = NDArray[np.int16]

_PASSES, _PATIENCE = 6, 2
_SMALL_PASSES, _SMALL_PATIENCE = 60, 15
_SMALL_WORK = 3_000_000
_NEGLIGIBLE_GAP = 1e-9
_ORDER_SEED = 1_991
_POOL_ROWS = 4_000
_POOL_ROWS_PER_QUEUE = 200
_LARGEST_POOL = 4
_DIFFICULT_SWITCH = 15
_JITTER = 0.1
_GUARD_SWITCHES = 2_000
_EVERYTHING = NEVER >> 1


@dataclass(frozen=True)
class Pool:
    """Accounts that prices decide only narrowly: rows ascending, their second-best losses, and the largest loss looked for."""

    rows: Ints
    losses: Ints
    reach: int

    def closest(self, count: int) -> Ints:
        """Return the rows with the smallest losses, ties by row, ascending."""
        return np.sort(self.rows[np.argsort(self.losses, kind="stable")[:count]])


def pool_of(instance: Instance, probe: Instance, prices: Ints) -> Pool:
    """Return the most narrowly decided accounts, overall and of every queue; how far to look is judged on ``probe``.

    ``probe`` is a sample or the instance itself. A queue that few accounts may enter has its own, wider reach.
    """
    m = instance.queues
    seen = near_ties(probe, prices, np.full(m + 1, _EVERYTHING))
    share = probe.rows / max(1, instance.rows)
    reach = np.full(m + 1, _reach(seen.losses, _POOL_ROWS * share))
    for q in range(m):
        reach[q] = max(reach[q], _reach(seen.losses[(seen.between == q).any(axis=1)], _POOL_ROWS_PER_QUEUE * share))
    found = near_ties(instance, prices, reach)
    order = np.argsort(found.losses, kind="stable")
    kept = np.zeros(len(order), np.bool_)
    kept[order[: _LARGEST_POOL * _POOL_ROWS]] = True
    ordered = found.between[order]
    for q in range(m):
        kept[order[(ordered == q).any(axis=1)][: 2 * _POOL_ROWS_PER_QUEUE]] = True
    losses = found.losses[kept]
    return Pool(found.rows[kept], losses, int(losses.max(initial=0)))


def _reach(losses: Ints, place: float) -> int:
    """Return the loss at a place in ascending order, at least the third."""
    at = max(2, round(place))
    return int(np.partition(losses, at)[at]) if at < losses.size else _EVERYTHING


@dataclass(frozen=True)
class Goal:
    """What a list is measured against.

    Attributes:
        prices: int64 (m + k) on the grid.
        penalty_minor: worth of one unit short in a side row.
        bound_minor: no list is worth more; the search stops near it.
    """

    prices: Ints
    penalty_minor: int
    bound_minor: int


def round_choices(instance: Instance, goal: Goal, choice: Choices, rows: Ints, reach: int, deadline: Deadline) -> Choices | None:
    """Return a list within all limits, starting from ``choice``; the best of a few passes of the chain program.

    Side rows with little room are left as they are, except by accounts that have to leave a queue that stays over.

    Args:
        instance: all accounts.
        goal: prices and bound.
        choice: int16 (n,) starting choices.
        rows: accounts that may be switched.
        reach: largest loss of a switch.
        deadline: wall-clock guard; None is returned if it expires before there is a list within all hard limits.
    """
    value, used = tally(instance, choice)
    own_value, own_used = tally(instance.part(rows, instance.limit), choice[rows])
    pool = instance.part(rows, instance.limit - used + own_used)
    enough = int(goal.bound_minor * (1 - _NEGLIGIBLE_GAP)) - (value - own_value)
    local, local_worth = _settled(pool, goal, choice[rows], reach, enough, deadline)
    if local_worth < 0 and (used > instance.limit)[~instance.elastic].any():
        if deadline.expired():
            return None
        relieved = relieve(instance, goal.prices, choice)
        if not np.array_equal(relieved, choice):
            return round_choices(instance, goal, relieved, rows, reach, deadline)
    rounded = choice.copy()
    rounded[rows] = local
    return rounded


def _settled(pool: Instance, goal: Goal, start: Choices, reach: int, enough: int, deadline: Deadline) -> tuple[Choices, int]:
    """Return the best list of the pool's accounts, and its worth; below 0 if none respects the pool's hard limits."""
    m, prices, penalty_minor = pool.queues, goal.prices, goal.penalty_minor
    loss, seconds = losses_of(pool, prices, np.arange(pool.rows)), pool.seconds.astype(np.int64)
    group = pool.group.astype(np.int64) if len(pool.table) else np.zeros(pool.rows, np.int64)
    difficulty = _difficulty(loss, reach)
    order = np.argsort(-difficulty, kind="stable")
    guard = _GUARD_SWITCHES * max(1, int(np.abs(pool.table).max(initial=0)))
    every = np.arange(pool.rows)
    best = fill(pool, relieve(pool, prices, start), every)
    best_worth = worth(pool, best, penalty_minor)
    small = pool.rows * m <= _SMALL_WORK // _PASSES
    patience = _SMALL_PATIENCE if small else _PATIENCE
    passes = int(np.clip(_SMALL_WORK // max(1, loss.size), _PASSES, _SMALL_PASSES))
    shuffle, failures = np.random.default_rng(_ORDER_SEED), 0
    for number in range(passes):
        if deadline.expired():
            break
        left = pool.limit - tally(pool, start)[1]
        local = np.where(start == UNASSIGNED, m, start).astype(np.int64)
        settle_queues(order, loss, seconds, local, left[:m].copy(), prices[:m], reach, group, pool.table, left[m:].copy(), guard)
        switched = np.where(local == m, UNASSIGNED, local).astype(np.int16)
        switched = fill(pool, relieve(pool, prices, switched), every)
        switched_worth = worth(pool, switched, penalty_minor)
        failures += 1
        if switched_worth > best_worth:
            best, best_worth, failures = switched, switched_worth, 0
        if failures >= patience or best_worth >= enough:
            break
        if small and number > 1:
            start, order = best, shuffle.permutation(m)
        else:
            order = np.argsort(-difficulty * np.exp(_JITTER * shuffle.standard_normal(m)), kind="stable")
    return best, best_worth


def _difficulty(loss: Ints, reach: int) -> NDArray[np.float64]:
    """Return float64 (m,): what it costs to fill or empty a queue by accounts that are otherwise not worked.

    The chain settles the dearest first, while their accounts may still go anywhere.
    """
    none = loss.shape[1] - 1
    near = loss[loss[:, none] <= reach]
    cost = near[:, :none] + near[:, none:]
    place = min(_DIFFICULT_SWITCH, len(cost) - 1)
    return np.partition(cost, place, axis=0)[place].astype(np.float64) if len(cost) else np.zeros(none)


def worth(instance: Instance, choice: Choices, penalty_minor: int) -> int:
    """Return value minus penalties of a list; far below 0 if it breaks a hard limit."""
    value, used = tally(instance, choice)
    over = np.maximum(used - instance.limit, 0)
    broken = bool(over[~instance.elastic].any())
    return value - penalty_minor * int(over[instance.elastic].sum()) - (NEVER if broken else 0)


def fill(instance: Instance, choice: Choices, rows: Ints) -> Choices:
    """Put unassigned accounts of ``rows`` where they still fit without breaking a side row, by value per second."""
    m = instance.queues
    left = instance.limit - tally(instance, choice)[1]
    idle = rows[choice[rows] == UNASSIGNED]
    filled = choice.copy()
    cells = Cells(instance.value, instance.seconds, instance.group, instance.table)
    serve_in_order(cells, idle, filled, left[:m].copy(), left[m:].copy())
    return filled
