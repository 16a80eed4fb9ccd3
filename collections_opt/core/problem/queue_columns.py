"""An assignment problem with its queues rearranged: columns kept, dropped and added, side rows included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import AssignmentProblem, SideConstraints

FRESH = -1
"""Source of a queue that the problem does not have."""


def rearranged(
    problem: AssignmentProblem,
    source: Sequence[int],
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    capacity_seconds: NDArray[np.int64],
) -> AssignmentProblem:
    """Return the problem with other queues.

    Args:
        problem: where columns come from.
        source: column of each queue, or ``FRESH``.
        value: int32 (n, f) columns of the fresh queues, in order.
        seconds: uint16 (n, f) likewise.
        capacity_seconds: int64 (q,) capacity of each queue.

    A side row counts a fresh queue as it counts all others if it counts all of them alike, and not at all otherwise: a limit on
    named queues does not speak of one that was not there.
    """
    fresh = [index for index, place in enumerate(source) if place == FRESH]
    kept = [index for index, place in enumerate(source) if place != FRESH]
    columns = [source[index] for index in kept]
    values = np.empty((problem.account_count, len(source)), dtype=np.int32)
    times = np.empty(values.shape, dtype=np.uint16)
    values[:, kept], times[:, kept] = problem.value[:, columns], problem.seconds[:, columns]
    values[:, fresh], times[:, fresh] = value, seconds
    side = problem.side
    if side is not None:
        side = _side(side, len(source), fresh, kept, columns)
    return AssignmentProblem(values, times, capacity_seconds, side, problem.persons)


def _side(side: SideConstraints, count: int, fresh: list[int], kept: list[int], columns: list[int]) -> SideConstraints:
    table = np.zeros((*side.table.shape[:2], count), dtype=np.int64)
    table[:, :, kept] = side.table[:, :, columns]
    alike = (side.table == side.table[:, :, :1]).all(axis=2)
    table[:, :, fresh] = np.where(alike, side.table[:, :, 0], 0)[:, :, np.newaxis]
    return replace(side, table=table)
