"""Fill capacity in a raw order: accounts by key, under the same eligibility, capacity and side rows as the optimised answer.

Each account goes to the open queue in which its increment is largest: the routing is the most favourable one, so that orders
differ only in whom they choose. A queue closes at the first account that does not fit. Raw orders do not know increments, so
accounts that cost more than they earn are worked too. Of a person whose account is worked the others are passed over.

Caps are never broken. What floors need is served first, in the same order and without closing a queue: floors, then the rows
that some accounts serve and others use up (a cap on moves: who stays serves it, who is new uses it), then the floors that such
rows kept short. The middle step stops half-way to the room that serving all would leave, so that accounts can be exchanged.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import (
    INELIGIBLE,
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    SolverIdentity,
    Termination,
)
from collections_opt.core.problem.exploration import Exploration, limits_left
from collections_opt.core.ranking.ordering import InOrder, RawOrder
from collections_opt.core.value.payoffs import Floats
from collections_opt.solvers.compiled import kernel
from collections_opt.solvers.side_rows import shortages

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_NO_NEED = -(1 << 62)


def solve_in_order(order: RawOrder, problem: AssignmentProblem, exploration: Exploration | None = None) -> InOrder:
    """Return a raw order's answer; its bound is that of zero prices (every account in its best queue), 0 if no queue is open.

    A floor that stays unmet is a shortage at price 0: it was not served, it has not been proven impossible.

    Args:
        order: the order.
        problem: the instance before accounts were drawn.
        exploration: accounts that were drawn; their minutes and their part of the side rows are taken.
    """
    nobody = np.zeros(problem.account_count, dtype=np.bool_)
    drawn = exploration.of_drawn_persons(problem.persons) if exploration else nobody
    capacity, side = limits_left(problem, exploration) if exploration else (problem.capacity_seconds, problem.side)
    left = replace(problem, capacity_seconds=capacity, side=side)
    everyone, side_room = fill_in_order(order.key, left, drawn)
    queue = np.where(drawn, UNASSIGNED, everyone).astype(np.int16)
    worked = np.flatnonzero(queue != UNASSIGNED)
    closed = side is None and not capacity.any()
    best = np.where(drawn, 0, 0 if closed else problem.value.max(axis=1, initial=0))
    if problem.persons is not None:
        best = np.maximum.reduceat(best[problem.persons.order], problem.persons.start[:-1])
    answer = Assignment(
        queue=queue,
        prices=_prices_of_closed(problem) if closed else np.zeros(problem.queue_count, dtype=np.int64),
        side_prices=np.zeros(len(side.names) if side else 0, dtype=np.int64),
        objective_minor=int(problem.value[worked, queue[worked]].sum(dtype=np.int64)),
        bound_minor=int(best.sum(dtype=np.int64)),
        termination=Termination.HEURISTIC,
        solver=SolverIdentity("raw-order", "1", (("ordering", order.ordering.value), ("seed", str(order.seed)))),
        shortages=shortages(side, side_room),
    )
    return InOrder(order.key, answer, everyone)


def _prices_of_closed(problem: AssignmentProblem) -> Ints:
    """Return prices no lower than what any account is worth by the second, int64 (q,): with no time they prove a bound of 0."""
    worth = np.maximum(problem.value, 0).astype(np.int64) * PRICE_SCALE
    by_second = -(-worth // np.maximum(problem.seconds, 1).astype(np.int64))  # rounded up
    return np.asarray(by_second.max(axis=0, initial=0), dtype=np.int64)


def fill_in_order(key: Floats, problem: AssignmentProblem, onlookers: Flags | None = None) -> tuple[NDArray[np.int16], Ints]:
    """Return who is worked when accounts come by ``key`` (highest first, ties by row), and the room left in the side rows.

    Args:
        key: float64 (n,).
        problem: the instance.
        onlookers: bool (n,) accounts that take nothing: their queue is the one that they would get at their turn. With one
            account of a person all of them are.
    """
    n, m, side = problem.account_count, problem.queue_count, problem.side
    order = np.argsort(-key, kind="stable")
    queue, room, is_open = np.full(n, UNASSIGNED, dtype=np.int16), problem.capacity_seconds.copy(), np.ones(m, dtype=np.bool_)
    group, table, side_room = np.zeros(1, np.int32), np.zeros((0, 1, m), np.int64), np.zeros(0, np.int64)
    if side is not None:
        group, table, side_room = side.group, np.ascontiguousarray(side.table), np.array(side.limit, dtype=np.int64)
    onlookers = np.zeros(n, dtype=np.bool_) if onlookers is None else onlookers
    serves: Flags = np.asarray((table < 0).any(axis=(1, 2)), dtype=np.bool_)
    uses: Flags = np.asarray((table > 0).any(axis=(1, 2)), dtype=np.bool_)
    floors, exchanges, nobody = serves & ~uses, serves & uses, np.zeros_like(serves)
    need = np.where(floors, 0, _NO_NEED)
    for k in np.flatnonzero(exchanges):
        need[k] = max(0, (int(side_room[k]) + _most_served(problem.value, group, table[k], onlookers)) // 2)
    person = np.zeros(0, np.int32) if problem.persons is None else problem.persons.of
    met = np.zeros(0 if problem.persons is None else problem.persons.count, np.bool_)
    cells = (problem.value, problem.seconds, group, table, person)
    for called in (floors, exchanges, floors, nobody):
        if called is nobody or (side_room < need)[called].any():
            _admit(order, *cells, met, onlookers, queue, room, side_room, need, called, is_open)
    return queue, side_room


@kernel
def _most_served(value: NDArray[np.int32], group: NDArray[np.int32], row: Ints, onlookers: Flags) -> int:
    """Return by how much a side row's room grows if every account serves it as best it may."""
    total = np.int64(0)
    for i in range(value.shape[0]):
        most = np.int64(0)
        for q in range(value.shape[1]):
            if value[i, q] != INELIGIBLE and not onlookers[i]:
                most = max(most, -row[group[i], q])
        total += most
    return int(total)


@kernel
def _served(table: Ints, group: int, queue: int, side_room: Ints, need: Ints, called: Flags) -> tuple[bool, int, bool]:
    """Return for an account of a group in a queue: no row forbids it, how many needy rows it serves, whether one is called."""
    count, of_called = 0, False
    for k in range(table.shape[0]):
        a = table[k, group, queue]
        if a > 0 and a > side_room[k]:
            return False, 0, False
        if a < 0 and side_room[k] < need[k]:
            count += 1
            of_called = of_called or called[k]
    return True, count, of_called


@kernel
def _choice(  # noqa: PLR0913, PLR0917 - flat arrays of one account
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: int,
    table: Ints,
    room: Ints,
    side_room: Ints,
    need: Ints,
    called: Flags,
    usable: Flags,
) -> int:
    """Return the queue for an account: where it serves most if rows are called, then of the largest increment; -1 for none."""
    selective = called.any()
    best, best_count, best_value = -1, -1, np.int64(0)
    for q in range(value.shape[0]):
        v = np.int64(value[q])
        if v == INELIGIBLE or not usable[q] or (selective and seconds[q] > room[q]):
            continue
        allowed, count, wanted = _served(table, group, q, side_room, need, called)
        if not allowed or (selective and not wanted):
            continue
        count = count if selective else 0
        if best < 0 or count > best_count or (count == best_count and v > best_value):
            best, best_count, best_value = q, count, v
    return best


@kernel
def _admit(  # noqa: PLR0913, PLR0917 - one pass over flat arrays
    order: Ints,
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    table: Ints,
    person: NDArray[np.int32],
    met: Flags,
    onlookers: Flags,
    queue: NDArray[np.int16],
    room: Ints,
    side_room: Ints,
    need: Ints,
    called: Flags,
    is_open: Flags,
) -> None:
    """Admit accounts in order, updating ``met``, ``queue``, ``room``, ``side_room`` and ``is_open``.

    If rows are called, only accounts that serve one that is short of its need are admitted, and an account that does not fit
    is passed over. Otherwise everybody is, and a queue closes at the first one that does not fit.
    """
    rows = table.shape[0]
    shared = person.shape[0] > 0
    usable = np.empty_like(is_open)
    for i in order:
        if queue[i] >= 0 or (shared and met[person[i]]):
            continue
        own = group[i] if rows > 0 else 0
        usable[:] = is_open
        q = _choice(value[i], seconds[i], own, table, room, side_room, need, called, usable)
        while q >= 0 and seconds[i, q] > room[q]:
            usable[q] = False
            is_open[q] = onlookers[i]
            q = _choice(value[i], seconds[i], own, table, room, side_room, need, called, usable)
        queue[i] = q
        if q >= 0 and shared:
            met[person[i]] = True
        if q >= 0 and not onlookers[i]:
            room[q] -= seconds[i, q]
            for k in range(rows):
                side_room[k] -= table[k, own, q]
