"""From prices to a list: choices at the prices, near-tied accounts switched until every queue is full to the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import UNASSIGNED
from collections_opt.solvers.greedy import serve_in_order
from collections_opt.solvers.pricing.chain import NEVER, settle_queues
from collections_opt.solvers.pricing.instance import Instance, Ints, losses_of, near_ties, tally
from collections_opt.solvers.pricing.relief import relieve
from collections_opt.solvers.side_rows import may_be_short

Choices = NDArray[np.int16]

_SMALL_ROWS = 10_000
_PASSES, _PATIENCE = 6, 2
_SMALL_PASSES, _SMALL_PATIENCE = 60, 15
_SMALL_WORK = 3_000_000
_ORDER_SEED = 1_991
_POOL_ROWS = 4_000
_POOL_ROWS_PER_LIMIT = 200
_LARGEST_POOL = 4
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
    """Return the narrowly decided accounts; the reach is a quantile of the losses on ``probe``, a sample or the instance."""
    target = max(_POOL_ROWS, _POOL_ROWS_PER_LIMIT * len(prices))
    _, seen = near_ties(probe, prices, _EVERYTHING)
    place = round(target * probe.rows / max(1, instance.rows))
    reach = int(np.partition(seen, place)[place]) if place < seen.size else _EVERYTHING
    rows, losses = near_ties(instance, prices, reach)
    if len(rows) > _LARGEST_POOL * target:
        kept = np.sort(np.argsort(losses, kind="stable")[: _LARGEST_POOL * target])
        rows, losses = rows[kept], losses[kept]
    return Pool(rows, losses, reach if reach < _EVERYTHING else int(losses.max(initial=0)))


def round_choices(instance: Instance, prices: Ints, choice: Choices, rows: Ints, reach: int, penalty_minor: int) -> Choices:
    """Return a list within all capacities, starting from ``choice``; the best of a few passes of the chain program.

    Side rows with little room are left as they are, except by dropping accounts from queues that stay over.

    Args:
        instance: all accounts.
        prices: int64 (m + k) on the grid.
        choice: int16 (n,) starting choices.
        rows: accounts that may be switched.
        reach: largest loss of a switch.
        penalty_minor: worth of one unit short in a side row.
    """
    m = instance.queues
    loss, seconds = losses_of(instance, prices, rows), instance.seconds[rows].astype(np.int64)
    group = instance.group[rows].astype(np.int64) if len(instance.table) else np.zeros(len(rows), np.int64)
    order = np.argsort((loss[:, m] <= reach) @ (loss[:, :m] <= reach).astype(np.float64), kind="stable")
    best = fill(instance, relieve(instance, prices, choice), rows)
    best_worth = worth(instance, best, penalty_minor)
    guard = _GUARD_SWITCHES * max(1, int(np.abs(instance.table).max(initial=0)))
    small = instance.rows <= _SMALL_ROWS
    shuffle, failures = np.random.default_rng(_ORDER_SEED), 0
    start = choice
    passes = int(np.clip(_SMALL_WORK // max(1, loss.size), _PASSES, _SMALL_PASSES)) if small else _PASSES
    for _ in range(passes):
        left = instance.limit - tally(instance, start)[1]
        local = np.where(start[rows] == UNASSIGNED, m, start[rows]).astype(np.int64)
        settle_queues(
            order, loss, seconds, local, left[:m].copy(), prices[:m], reach, group, instance.table, left[m:].copy(), guard
        )
        switched = start.copy()
        switched[rows] = np.where(local == m, UNASSIGNED, local)
        switched = fill(instance, relieve(instance, prices, switched), rows)
        switched_worth = worth(instance, switched, penalty_minor)
        failures += 1
        if switched_worth > best_worth:
            best, best_worth, failures = switched, switched_worth, 0
        if failures >= (_SMALL_PATIENCE if small else _PATIENCE):
            break
        start, order = best, shuffle.permutation(m)
    return best


def worth(instance: Instance, choice: Choices, penalty_minor: int) -> int:
    """Return value minus penalties of a list; far below any list that respects the hard limits if this one does not."""
    value, used = tally(instance, choice)
    over, m = np.maximum(used - instance.limit, 0), instance.queues
    hard = np.concatenate([np.ones(m, np.bool_), ~may_be_short(instance.table, instance.limit[m:])])
    return value - penalty_minor * int(over[~hard].sum()) - (NEVER if over[hard].any() else 0)


def fill(instance: Instance, choice: Choices, rows: Ints) -> Choices:
    """Put unassigned accounts of ``rows`` where they still fit without breaking a side row, by value per second."""
    m = instance.queues
    left = instance.limit - tally(instance, choice)[1]
    idle = rows[choice[rows] == UNASSIGNED]
    filled = choice.copy()
    serve_in_order(
        instance.value, instance.seconds, instance.group, instance.table, idle, filled, left[:m].copy(), left[m:].copy()
    )
    return filled
