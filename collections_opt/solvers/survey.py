"""One pass over an instance: refuse what cannot be solved exactly, and learn the few numbers every solver needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import AssignmentProblem
from collections_opt.engines.here import Here
from collections_opt.engines.passes import Columns, Passes
from collections_opt.solvers.compiled import kernel

MAX_TOTAL_VALUE = 1 << 61
"""Sums of values stay below this, so that no total can leave int64."""


@dataclass(frozen=True)
class Survey:
    """Facts of an instance, over its workable cells (value > 0).

    Attributes:
        max_value: largest value, 0 if nothing is workable.
        max_density: (q,) largest value per second in each queue.
        divisor: int64 (q,) greatest common divisor of the handling times in each queue, 0 if it has no workable cell.
        demand_seconds: int64 (q,) sum of the handling times in each queue.
        max_seconds: largest handling time.
    """

    max_value: int
    max_density: NDArray[np.float64]
    divisor: NDArray[np.int64]
    demand_seconds: NDArray[np.int64]
    max_seconds: int


@kernel
def _survey_rows(
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    density: NDArray[np.float64],
    divisor: NDArray[np.int64],
    demand: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Fill the per-queue facts of a chunk; return (max value, max seconds, sum of row maxima, first row with zero time)."""
    top, longest, total, zero_row = 0, 0, 0, -1
    for i in range(value.shape[0]):
        best = 0
        for q in range(value.shape[1]):
            v, t = int(value[i, q]), int(seconds[i, q])
            if v <= 0:
                continue
            if t == 0:
                if zero_row < 0:
                    zero_row = i
                continue
            best = max(best, v)
            longest = max(longest, t)
            demand[q] += t
            density[q] = max(density[q], v / t)
            if divisor[q] != t and divisor[q] != 1:
                a, b = t, divisor[q]
                while b:
                    a, b = b, a % b
                divisor[q] = a
        top = max(top, best)
        total += best
    return top, longest, total, zero_row


def survey(problem: AssignmentProblem, threads: int = 1) -> Survey:
    """Check an instance in memory and return its facts.

    Raises:
        CollectionsError: as ``survey_rows``, and INVALID_ARGUMENT for shapes or types that differ.
    """
    _check_shapes(problem)
    return survey_rows(Here({"value": problem.value, "seconds": problem.seconds}, threads), problem.queue_count)


def survey_rows(passes: Passes, count: int) -> Survey:
    """Check the cells of ``count`` queues in one pass and return their facts.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a workable cell without time; VALUE_OVERFLOW when the sum of values could leave
            int64.
    """

    def work(part: Columns, start: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], tuple[int, ...]]:
        density, divisor, demand = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
        top, longest, total, zero_row = _survey_rows(part["value"], part["seconds"], density, divisor, demand)
        return density, divisor, demand, (top, longest, total, zero_row + start if zero_row >= 0 else -1)

    parts = passes.over(work)
    timeless = [part[3][3] for part in parts if part[3][3] >= 0]
    if timeless:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"seconds[{timeless[0]}]",
            "a cell with positive value has no handling time",
            "Give every eligible cell at least one second.",
        )
    if sum(part[3][2] for part in parts) >= MAX_TOTAL_VALUE:
        raise refuse(Reason.VALUE_OVERFLOW, "value", "the sum of values could leave int64", "Use larger units or fewer accounts.")
    zeros = np.zeros(count, np.int64)
    return Survey(
        max_value=max((part[3][0] for part in parts), default=0),
        max_density=np.max([part[0] for part in parts], axis=0) if parts else np.zeros(count),
        divisor=np.gcd.reduce(np.array([part[1] for part in parts]), axis=0) if parts else zeros,
        demand_seconds=np.sum([part[2] for part in parts], axis=0) if parts else zeros,
        max_seconds=max((part[3][1] for part in parts), default=0),
    )


def _check_shapes(problem: AssignmentProblem) -> None:
    def need(ok: bool, field: str, description: str) -> None:
        if not ok:
            raise refuse(Reason.INVALID_ARGUMENT, field, description, "Build the arrays with one row per account.")

    value, seconds, capacity, side = problem.value, problem.seconds, problem.capacity_seconds, problem.side
    need(value.ndim == 2 and value.dtype == np.int32, "value", "must be int32 (n, q)")
    need(value.shape[1] <= np.iinfo(np.int16).max, "value", "has more queues than an int16 can number")
    need(seconds.shape == value.shape and seconds.dtype == np.uint16, "seconds", "must be uint16 with value's shape")
    need(capacity.shape == value.shape[1:] and capacity.dtype == np.int64, "capacity_seconds", "must be int64 (q,)")
    need(bool((capacity >= 0).all() and (capacity < MAX_TOTAL_VALUE).all()), "capacity_seconds", "must be in [0, 2**61)")
    need(problem.persons is None or problem.persons.of.shape == value.shape[:1], "persons", "must have one entry per account")
    if side is None:
        return
    rows, groups = len(side.names), side.table.shape[1] if side.table.ndim == 3 else -1
    need(len(set(side.names)) == rows, "side.names", "must be distinct")
    need(side.table.shape == (rows, groups, value.shape[1]), "side.table", "must be (rows, groups, queues)")
    need(side.limit.shape == (rows,), "side.limit", "must have one entry per name")
    need(side.group.shape == value.shape[:1], "side.group", "must have one entry per account")
    need(
        side.group.size == 0 or bool(side.group.min() >= 0 and side.group.max() < groups),
        "side.group",
        "must index the groups of side.table",
    )
    size = int(np.abs(side.table).max(initial=0))
    need(size <= 1 << 20, "side.table", "has a coefficient above 2**20")
