"""Seeded instances of any size for the solver benches, built in blocks so that making them costs no memory beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collections_opt.core.problem.assignment import INELIGIBLE, AssignmentProblem, SideConstraints

BLOCK_ROWS = 1 << 15


def portfolio_like(n: int, m: int, seed: int, load: float) -> AssignmentProblem:
    """Values mostly near 0 with a heavy tail, queues that differ in effect, handling time and eligibility.

    ``load`` is the capacity as a share of the time that working every account once would take; queues share it unevenly.
    """
    rng = np.random.default_rng(seed)
    effect, handling = rng.uniform(0.3, 1.2, m).astype(np.float32), rng.integers(180, 900, m).astype(np.float32)
    shares = rng.dirichlet(np.full(m, 8.0))
    value, seconds = np.empty((n, m), np.int32), np.empty((n, m), np.uint16)
    total = 0.0
    for number, start in enumerate(range(0, n, BLOCK_ROWS)):
        rows = min(BLOCK_ROWS, n - start)
        draw = np.random.default_rng([seed, number])
        worth = np.exp(7 + 1.6 * draw.standard_normal((rows, 1), np.float32))
        worth = worth * effect * np.exp(0.4 * draw.standard_normal((rows, m), np.float32))
        worth -= 100 + 500 * draw.random((rows, 1), np.float32)
        worth = np.minimum(worth, 5e7)
        cells = worth.astype(np.int32)
        cells[draw.random((rows, m), np.float32) < 0.35] = INELIGIBLE
        times = np.clip(handling * np.exp(0.3 * draw.standard_normal((rows, m), np.float32)), 30, 3600)
        value[start : start + rows], seconds[start : start + rows] = cells, times
        total += float(times.sum(dtype=np.float64)) / m
    return AssignmentProblem(value, seconds, np.floor(shares * total * load).astype(np.int64))


def six_side_rows(problem: AssignmentProblem, seed: int = 3) -> AssignmentProblem:
    """Add two floors, two segment caps, a count cap and a segment-in-queues cap over four segments of accounts.

    All six are set against what the instance works without them, so that most of them bind at any load.
    """
    n, m = problem.value.shape
    group = np.random.default_rng(seed).choice(4, n, p=[0.6, 0.25, 0.1, 0.05]).astype(np.int32)
    sizes = np.bincount(group, minlength=4)
    worked = float((problem.capacity_seconds / problem.seconds.mean(axis=0)).sum()) / n
    table = np.zeros((6, 4, m), dtype=np.int64)
    table[0, 2, :], table[1, 3, :] = -1, -1
    table[2, 0, :], table[3, 1, :] = 1, 1
    table[4, :, 0] = 1
    table[5, 0, : m // 2] = 1
    floor, cap = -min(1.6 * worked, 0.75), min(worked, 0.7)
    names = ("floor C", "floor D", "cap A", "cap B", "queue cap", "A in half of the queues")
    sides = [floor * sizes[2], floor * sizes[3], 0.95 * cap * sizes[0], 0.9 * cap * sizes[1], 0.9 * cap * n / m]
    limit = np.floor([*sides, 0.45 * cap * sizes[0]]).astype(np.int64)
    return replace(problem, side=SideConstraints(names, group, table, limit))


def equal_times(n: int, m: int, seed: int, load: float) -> AssignmentProblem:
    """One handling time per queue, as in a plan whose queues differ and whose accounts do not."""
    problem = portfolio_like(n, m, seed, load)
    times = np.random.default_rng(seed).integers(180, 900, m)
    seconds = np.ascontiguousarray(np.broadcast_to(times, (n, m)), dtype=np.uint16)
    slots = np.maximum(problem.capacity_seconds // times, 1)
    return AssignmentProblem(problem.value, seconds, (slots * times).astype(np.int64))


def next_day(problem: AssignmentProblem, seed: int) -> AssignmentProblem:
    """The same portfolio a day later: every value moved by some percent, every twentieth account another one."""
    rng = np.random.default_rng(seed)
    value = problem.value.copy()
    eligible = value > INELIGIBLE
    moved = value * (1 + 0.05 * rng.standard_normal((len(value), 1), np.float32))
    value[eligible] = moved[eligible].astype(np.int32)
    swapped = rng.choice(len(value), len(value) // 20, replace=False)
    value[swapped] = value[rng.permutation(swapped)]
    return replace(problem, value=value)
