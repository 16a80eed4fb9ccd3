"""Make an instance smaller and its bound tighter without changing its optimum.

Capacities are rounded down to what whole handling times can fill. Queues with equal values, times and side coefficients (two
teams of the same kind) become one queue with their joint capacity; otherwise every worked account ties over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import UNASSIGNED, AssignmentProblem
from collections_opt.solvers.compiled import kernel
from collections_opt.solvers.survey import Survey

Ints = NDArray[np.int64]

_GLANCE_ROWS = 1_024


@dataclass(frozen=True)
class Presolved:
    """The reduced problem and the way back.

    Attributes:
        original: the problem with its usable capacities.
        problem: the problem with identical queues merged; the same object if there are none.
        owner: int64 (m,) merged queue of each original queue.
    """

    original: AssignmentProblem
    problem: AssignmentProblem
    owner: Ints

    @property
    def merged(self) -> bool:
        """True if some queues were merged."""
        return self.problem is not self.original


def usable_capacity(capacity: Ints, divisor: Ints) -> Ints:
    """Return capacities rounded down to the greatest common divisor of the handling times (unchanged where it is 0)."""
    step = np.maximum(divisor, 1)
    return capacity // step * step


def presolve(problem: AssignmentProblem, facts: Survey) -> Presolved:
    """Return the presolved problem."""
    original = replace(problem, capacity_seconds=usable_capacity(problem.capacity_seconds, facts.divisor))
    owner = _identical_queues(original, facts)
    _, first = np.unique(owner, return_index=True)
    if len(first) == len(owner):
        return Presolved(original, original, owner)
    capacity = np.zeros(len(first), dtype=np.int64)
    np.add.at(capacity, owner, original.capacity_seconds)
    side = original.side
    merged = AssignmentProblem(
        np.ascontiguousarray(original.value[:, first]),
        np.ascontiguousarray(original.seconds[:, first]),
        capacity,
        None if side is None else replace(side, table=np.ascontiguousarray(side.table[:, :, first])),
    )
    return Presolved(original, merged, owner)


def split_queues(presolved: Presolved, queue: NDArray[np.int16]) -> NDArray[np.int16]:
    """Give every account of a merged queue to one of its parts: longest handling time first, first part with room.

    An account that fits in no part stays in the first one, which is then over its capacity.
    """
    result = np.full(len(queue), UNASSIGNED, dtype=np.int16)
    for merged in range(presolved.problem.queue_count):
        rows = np.flatnonzero(queue == merged)
        parts = np.flatnonzero(presolved.owner == merged)
        seconds = presolved.original.seconds[rows, parts[0]].astype(np.int64)
        order = np.argsort(-seconds, kind="stable")
        place = np.zeros(len(rows), dtype=np.int64)
        place[order] = _first_fit(seconds[order], presolved.original.capacity_seconds[parts])
        result[rows] = parts[place]
    return result


@kernel
def _first_fit(seconds: Ints, capacity: Ints) -> Ints:
    """Return the part each item goes to, in order; part 0 if none has room."""
    left, place = capacity.copy(), np.zeros(seconds.shape[0], np.int64)
    for i in range(seconds.shape[0]):
        for part in range(left.shape[0]):
            if seconds[i] <= left[part]:
                left[part] -= seconds[i]
                place[i] = part
                break
    return place


def _identical_queues(problem: AssignmentProblem, facts: Survey) -> Ints:
    """Return the index of each queue's merged queue, numbered by first appearance."""
    m = problem.queue_count
    leaders: list[int] = []
    owner = np.zeros(m, dtype=np.int64)
    for q in range(m):
        twin = next((number for number, leader in enumerate(leaders) if _same(problem, facts, leader, q)), None)
        if twin is None:
            twin = len(leaders)
            leaders.append(q)
        owner[q] = twin
    return owner


def _same(problem: AssignmentProblem, facts: Survey, a: int, b: int) -> bool:
    if facts.demand_seconds[a] != facts.demand_seconds[b] or facts.demand_seconds[a] == 0:
        return False
    if problem.side is not None and not np.array_equal(problem.side.table[:, :, a], problem.side.table[:, :, b]):
        return False
    pairs = [(array[:, a], array[:, b]) for array in (problem.value, problem.seconds)]
    return all(np.array_equal(x[:_GLANCE_ROWS], y[:_GLANCE_ROWS]) for x, y in pairs) and all(
        np.array_equal(x, y) for x, y in pairs
    )
