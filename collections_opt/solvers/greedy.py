"""The greedy baseline: accounts by value per second, each to its densest queue that still has room.

It is always built first, so that there is always something feasible to return, and its threshold densities are prices
that prove a first bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import (
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    SolverIdentity,
    Termination,
    ignore_progress,
)
from collections_opt.solvers.compiled import kernel, map_chunks
from collections_opt.solvers.side_rows import shortages
from collections_opt.solvers.survey import survey
from collections_opt.solvers.verifier import MAX_PRICE, lagrangian_bound

IDENTITY = SolverIdentity("greedy", "1")


@dataclass(frozen=True)
class GreedyList:
    """A feasible list: int16 (n,) queue per account, int64 (k,) room left in the side rows (negative: short), (q,) thresholds."""

    queue: NDArray[np.int16]
    side_room: NDArray[np.int64]
    threshold_density: NDArray[np.float64]

    @property
    def prices(self) -> NDArray[np.int64]:
        """The thresholds as prices on the grid."""
        return np.minimum(np.ceil(self.threshold_density * PRICE_SCALE), MAX_PRICE).astype(np.int64)


def solve_greedy(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Return the greedy list with the bound of its threshold prices.

    Accounts go by their best value per second, ties by row, each to the densest open queue where it fits without breaking
    a side row; one that fits nowhere is skipped and the queue stays open, and so is one whose person is worked already.
    Floors are served first. A floor that stays unmet is reported as a shortage at price 0: greedy gave up, it has not proven
    the floor impossible.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    survey(problem, options.threads)
    progress(SolveProgress("greedy", 0.0))
    answer = greedy_list(problem, options.threads)
    prices = answer.prices
    side = problem.side
    chosen = np.flatnonzero(answer.queue != UNASSIGNED)
    result = Assignment(
        queue=answer.queue,
        prices=prices,
        side_prices=np.zeros(len(side.names) if side else 0, dtype=np.int64),
        objective_minor=int(problem.value[chosen, answer.queue[chosen]].astype(np.int64).sum()),
        bound_minor=lagrangian_bound(problem, prices),
        termination=Termination.HEURISTIC,
        solver=IDENTITY,
        shortages=shortages(side, answer.side_room),
    )
    progress(SolveProgress("greedy", 1.0, result.gap))
    return result


def greedy_list(problem: AssignmentProblem, threads: int = 1) -> GreedyList:
    """Return the greedy list of an instance that has passed its survey; O(n log n + n q)."""
    value, seconds, side = problem.value, problem.seconds, problem.side
    queue = np.full(len(value), UNASSIGNED, dtype=np.int16)
    room = problem.capacity_seconds.copy()
    if side is None:
        group, table = np.zeros(1, np.int32), np.zeros((0, 1, problem.queue_count), np.int64)
        side_room = np.zeros(0, np.int64)
    else:
        group, table, side_room = side.group, side.table, np.array(side.limit, dtype=np.int64)
    everyone, persons = np.arange(len(value)), problem.persons
    person = None if persons is None else persons.of
    threshold = serve_in_order(Cells(value, seconds, group, table), everyone, queue, room, side_room, threads, person)
    return GreedyList(queue, side_room, threshold)


class Cells(NamedTuple):
    """What n accounts are worth in q queues and take there, and what they count for in k side rows.

    Attributes:
        value: int32 (n, q), in minor units; 0 or less where an account may not be.
        seconds: uint16 (n, q).
        group: int32 (n,), each account's group; anything where there are no side rows.
        table: int64 (k, groups, q), what an account of a group in a queue takes of a side row.
    """

    value: NDArray[np.int32]
    seconds: NDArray[np.uint16]
    group: NDArray[np.int32]
    table: NDArray[np.int64]


def serve_in_order(
    cells: Cells,
    rows: NDArray[np.int64],
    queue: NDArray[np.int16],
    room: NDArray[np.int64],
    side_room: NDArray[np.int64],
    threads: int = 1,
    person: NDArray[np.int32] | None = None,
) -> NDArray[np.float64]:
    """Serve ``rows`` by density, first those that unmet floors need, updating ``queue``, ``room`` and ``side_room``.

    Args:
        cells: of all accounts.
        rows: int64 (m,), the accounts to serve.
        queue: int16 (n,), each account's queue, UNASSIGNED for none.
        room: int64 (q,), seconds left in each queue.
        side_room: int64 (k,), what is left of each side row; below 0 what a floor lacks.
        threads: that look for the best cell of each account.
        person: int32 (n,), numbers the persons of whom one account is served at most; None if every account is its own.

    Returns float64 (q,): the largest density each queue had to turn away for want of time.
    """
    value, seconds, group, table = cells
    best = np.concatenate([
        np.zeros(0),
        *map_chunks(lambda a, b: _best_density(value, seconds, rows[a:b]), len(rows), threads),
    ])  # fmt: skip
    workable = np.flatnonzero(best > 0)
    order = rows[workable[np.argsort(-best[workable], kind="stable")]]
    threshold = np.zeros(len(room))
    person = np.zeros(0, np.int32) if person is None else person
    met = np.zeros(int(person.max(initial=-1)) + 1, np.bool_)
    if (side_room < 0).any():
        _serve(order, value, seconds, group, table, person, met, queue, room, side_room, np.zeros_like(threshold), True)
    _serve(order, value, seconds, group, table, person, met, queue, room, side_room, threshold, False)
    return threshold


@kernel
def _best_density(value: NDArray[np.int32], seconds: NDArray[np.uint16], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    best = np.zeros(rows.shape[0])
    for j in range(rows.shape[0]):
        i = rows[j]
        for q in range(value.shape[1]):
            if value[i, q] > 0:
                best[j] = max(best[j], value[i, q] / seconds[i, q])
    return best


@kernel
def _allowed(table: NDArray[np.int64], group: int, queue: int, side_room: NDArray[np.int64], floors_only: bool) -> bool:
    """Tell whether one more account of a group may enter a queue; in the floor phase only if it serves an unmet row."""
    serves = not floors_only
    for k in range(table.shape[0]):
        a = table[k, group, queue]
        if a > 0 and a > side_room[k]:
            return False
        if a < 0 and side_room[k] < 0:
            serves = True
    return serves


@kernel
def _serve(  # noqa: PLR0913, PLR0917 - one pass over flat arrays
    order: NDArray[np.int64],
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    table: NDArray[np.int64],
    person: NDArray[np.int32],
    met: NDArray[np.bool_],
    queue: NDArray[np.int16],
    room: NDArray[np.int64],
    side_room: NDArray[np.int64],
    threshold: NDArray[np.float64],
    floors_only: bool,
) -> None:
    """Serve accounts in order; updates met, queue, room, side_room and the largest density each queue had to turn away."""
    rows = table.shape[0]
    shared = person.shape[0] > 0
    initial = room.copy()
    for i in order:
        if queue[i] >= 0 or (shared and met[person[i]]):
            continue
        own = group[i] if rows > 0 else 0
        best, best_v, best_t = -1, np.int64(0), np.int64(1)
        for q in range(value.shape[1]):
            v, t = np.int64(value[i, q]), np.int64(seconds[i, q])
            if v <= 0 or v * best_t <= best_v * t or (rows > 0 and not _allowed(table, own, q, side_room, floors_only)):
                continue
            if t <= room[q]:
                best, best_v, best_t = q, v, t
            elif t <= initial[q]:
                threshold[q] = max(threshold[q], v / t)
        if best >= 0:
            queue[i] = best
            if shared:
                met[person[i]] = True
            room[best] -= best_t
            for k in range(rows):
                side_room[k] -= table[k, own, best]
