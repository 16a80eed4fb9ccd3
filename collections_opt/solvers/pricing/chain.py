"""Chain dynamic program: fill each queue's last seconds by switching near-tied accounts, at the smallest total loss.

Queues are settled one after the other. For queue q the items are near-tied accounts that may enter it from, or leave it
for, "not worked" or a queue not settled yet; a 0/1 program over the seconds left in q minimises

    sum of losses + price_q * seconds left,   seconds left >= 0,

which is exactly q's part of the gap between the bound and the list. What is moved to a later queue is absorbed there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.solvers.compiled import kernel

Ints = NDArray[np.int64]

NEVER = 1 << 61
_ITEMS_PER_DIRECTION = 75
_COPIES = 8
_LEAST_STATES = 3_000
_EXTRA_STATES = 2_400
_MOST_STATES = 40_000


@kernel
def permitted(table: Ints, room: Ints, guard: int, group: int, old: int, new: int) -> bool:
    """Tell whether a switch leaves every side row alone that has less than ``guard`` units of room; the last queue is "none"."""
    none = table.shape[2]
    for k in range(table.shape[0]):
        change = (table[k, group, new] if new < none else 0) - (table[k, group, old] if old < none else 0)
        if change != 0 and room[k] < guard:
            return False
    return True


@kernel
def _candidates(  # noqa: PLR0913, PLR0917
    q: int,
    loss: Ints,
    choice: Ints,
    used: NDArray[np.bool_],
    settled: NDArray[np.bool_],
    reach: int,
    group: Ints,
    table: Ints,
    room: Ints,
    guard: int,
) -> tuple[Ints, Ints, Ints]:
    """Return (account, new choice, cost) of every switch into or out of queue q that costs at most ``reach``."""
    accounts, none = loss.shape[0], loss.shape[1] - 1
    who, to, cost = np.empty(accounts, np.int64), np.empty(accounts, np.int64), np.empty(accounts, np.int64)
    found = 0
    for i in range(accounts):
        now = choice[i]
        if used[i] or (now != q and settled[now]):
            continue
        best, price = -1, reach + 1
        if now != q:
            if loss[i, q] - loss[i, now] < price and permitted(table, room, guard, group[i], now, q):
                best, price = q, loss[i, q] - loss[i, now]
        else:
            for a in range(none + 1):
                open_choice = a == none or (a != q and not settled[a])
                if open_choice and loss[i, a] - loss[i, q] < price and permitted(table, room, guard, group[i], q, a):
                    best, price = a, loss[i, a] - loss[i, q]
        if best >= 0:
            who[found], to[found], cost[found] = i, best, price
            found += 1
    return who[:found], to[:found], cost[:found]


@kernel
def _cheapest(to: Ints, cost: Ints, change: Ints, q: int) -> Ints:
    """Return the places of the cheapest switches: some in each direction, few copies of the same one; ties by account."""
    order = np.argsort(cost, kind="mergesort")
    kept, count = np.empty(2 * _ITEMS_PER_DIRECTION, np.int64), np.zeros(2, np.int64)
    last_cost, last_change, run = np.full(2, NEVER, np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64)
    for j in order:
        side = 0 if to[j] == q else 1
        same = cost[j] == last_cost[side] and change[j] == last_change[side]
        run[side] = run[side] + 1 if same else 0
        last_cost[side], last_change[side] = cost[j], change[j]
        if count[side] < _ITEMS_PER_DIRECTION and run[side] < _COPIES:
            kept[count[0] + count[1]] = j
            count[side] += 1
    return kept[: count[0] + count[1]]


@kernel
def _offer(best: Ints, taken: NDArray[np.bool_], change: int, cost: int) -> None:
    """Update the least cost of every state by one item that changes the state; ``taken`` marks where it is used."""
    width = best.shape[0]
    if change > 0:
        for s in range(width - 1, change - 1, -1):
            if best[s - change] + cost < best[s]:
                best[s] = best[s - change] + cost
                taken[s] = True
    else:
        for s in range(width + change):
            if best[s - change] + cost < best[s]:
                best[s] = best[s - change] + cost
                taken[s] = True


@kernel
def _knapsack(cost: Ints, change: Ints, slack: int, price: int) -> NDArray[np.bool_]:
    """Return which items to take so that cost + price * seconds left is smallest with seconds left >= 0.

    ``change`` is what an item adds to the seconds left. If no choice leaves a non-negative rest, nothing is taken.
    """
    half = max(_LEAST_STATES, abs(slack) + _EXTRA_STATES)
    best = np.full(2 * half + 1, NEVER, np.int64)
    taken = np.zeros((cost.shape[0], best.shape[0]), np.bool_)
    best[slack + half] = 0
    for j in range(cost.shape[0]):
        _offer(best, taken[j], change[j], cost[j])
    chosen = np.zeros(cost.shape[0], np.bool_)
    state, least = -1, np.int64(NEVER)
    for s in range(half, best.shape[0]):
        if best[s] < NEVER >> 1 and best[s] + price * (s - half) < least:
            state, least = s, best[s] + price * (s - half)
    for j in range(cost.shape[0] - 1, -1, -1):
        if state >= 0 and taken[j, state]:
            chosen[j] = True
            state -= change[j]
    return chosen


@kernel
def settle_queues(  # noqa: PLR0913, PLR0917
    order: Ints,
    loss: Ints,
    seconds: Ints,
    choice: Ints,
    slack: Ints,
    prices: Ints,
    reach: int,
    group: Ints,
    table: Ints,
    room: Ints,
    guard: int,
) -> None:
    """Settle the queues in order, updating ``choice``, ``slack`` and ``room`` in place.

    Args:
        order: queues, the one settled first in front.
        loss: (p, m + 1) loss of every choice of the near-tied accounts; the last one is "not worked".
        seconds: (p, m) handling times.
        choice: (p,) current choices; m is "not worked".
        slack: (m,) seconds left; negative if over.
        prices: (m,) prices on the grid.
        reach: largest cost of a switch.
        group: (p,) groups; table: (k, g, m); room: (k,) what is left of the side rows.
        guard: switches leave side rows with less room than this alone.
    """
    none = loss.shape[1] - 1
    used, settled = np.zeros(loss.shape[0], np.bool_), np.zeros(none + 1, np.bool_)
    for q in order:
        if (slack[q] < 0 or prices[q] > 0) and abs(slack[q]) < _MOST_STATES:
            who, to, cost = _candidates(q, loss, choice, used, settled, reach, group, table, room, guard)
            change = np.empty(who.shape[0], np.int64)
            for j in range(who.shape[0]):
                change[j] = -seconds[who[j], q] if to[j] == q else seconds[who[j], q]
            kept = _cheapest(to, cost, change, q)
            chosen = _knapsack(cost[kept], change[kept], slack[q], prices[q])
            for j in range(kept.shape[0]):
                if not chosen[j]:
                    continue
                i, new = who[kept[j]], to[kept[j]]
                old = choice[i]
                used[i] = True
                choice[i] = new
                if old < none:
                    slack[old] += seconds[i, old]
                if new < none:
                    slack[new] -= seconds[i, new]
                for k in range(table.shape[0]):
                    room[k] += table[k, group[i], old] if old < none else 0
                    room[k] -= table[k, group[i], new] if new < none else 0
        settled[q] = True
