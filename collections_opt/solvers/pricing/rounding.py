"""From prices to a list: choices at the prices, near-tied accounts switched until every queue is full to the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.greedy import serve_in_order
from collections_opt.solvers.pricing.chain import NEVER, settle_queues
from collections_opt.solvers.pricing.instance import Instance, Ints, charges, losses_of, near_ties, tally
from collections_opt.solvers.side_rows import may_be_short

Choices = NDArray[np.int16]

_PASSES = 4
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
    feasible = fill(instance, drop_overload(instance, prices, choice), rows)
    best, best_worth = feasible, worth(instance, feasible, penalty_minor)
    current = choice
    for number in range(_PASSES):
        left = instance.limit - tally(instance, current)[1]
        local = np.where(current[rows] == UNASSIGNED, m, current[rows]).astype(np.int64)
        turned = order if number % 2 == 0 else order[::-1].copy()
        guard = _GUARD_SWITCHES * max(1, int(np.abs(instance.table).max(initial=0)))
        settle_queues(
            turned, loss, seconds, local, left[:m].copy(), prices[:m], reach, group, instance.table, left[m:].copy(), guard
        )
        current = current.copy()
        current[rows] = np.where(local == m, UNASSIGNED, local)
        current = fill(instance, drop_overload(instance, prices, current), rows)
        current_worth = worth(instance, current, penalty_minor)
        if current_worth > best_worth:
            best, best_worth = current, current_worth
        elif number > 0:
            break
    return best


def worth(instance: Instance, choice: Choices, penalty_minor: int) -> int:
    """Return value minus penalties of a list; far below any list that respects the hard limits if this one does not."""
    value, used = tally(instance, choice)
    over, m = np.maximum(used - instance.limit, 0), instance.queues
    hard = np.concatenate([np.ones(m, np.bool_), ~may_be_short(instance.table, instance.limit[m:])])
    return value - penalty_minor * int(over[~hard].sum()) - (NEVER if over[hard].any() else 0)


def drop_overload(instance: Instance, prices: Ints, choice: Choices) -> Choices:
    """Drop the accounts with the smallest reduced value from every queue and cap that is over its limit."""
    m, kept = instance.queues, choice
    over = tally(instance, kept)[1] - instance.limit
    hard = np.concatenate([np.ones(m, np.bool_), ~may_be_short(instance.table, instance.limit[m:])])
    for limit in np.flatnonzero((over > 0) & hard):
        excess = int((tally(instance, kept)[1] - instance.limit)[limit])
        inside, weight = _members(instance, kept, int(limit))
        order = np.argsort(_gains(instance, prices, kept, inside), kind="stable")
        dropped = int(np.searchsorted(np.cumsum(weight[order]), excess)) + 1 if excess > 0 else 0
        kept = kept.copy()
        kept[inside[order[:dropped]]] = UNASSIGNED
    return kept


def _members(instance: Instance, choice: Choices, limit: int) -> tuple[Ints, Ints]:
    """Return the assigned accounts that use a limit, and how much of it each does."""
    m = instance.queues
    if limit < m:
        inside = np.flatnonzero(choice == limit)
        return inside, instance.seconds[inside, limit].astype(np.int64)
    worked = np.flatnonzero(choice != UNASSIGNED)
    weight = instance.table[limit - m, instance.group[worked], choice[worked]]
    return worked[weight > 0], weight[weight > 0]


def _gains(instance: Instance, prices: Ints, choice: Choices, rows: Ints) -> Ints:
    """Return the reduced value of the choice of some assigned accounts."""
    queue = choice[rows]
    gain = instance.value[rows, queue].astype(np.int64) * PRICE_SCALE
    gain -= prices[queue] * instance.seconds[rows, queue].astype(np.int64)
    return gain - charges(instance, prices)[instance.group[rows], queue] if len(instance.table) else gain


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
