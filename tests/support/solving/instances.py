"""Seeded instances for the solver tests: the realistic shape, and every named hard case of the method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collections_opt.core.accounts.persons import grouped, numbered
from collections_opt.core.problem.assignment import INELIGIBLE, AssignmentProblem, SideConstraints


def problem_of(value, seconds, capacity, side=None) -> AssignmentProblem:
    return AssignmentProblem(
        np.ascontiguousarray(value, dtype=np.int32),
        np.ascontiguousarray(seconds, dtype=np.uint16),
        np.asarray(capacity, dtype=np.int64),
        side,
    )


def realistic(n: int, m: int, seed: int = 0, load: float = 0.3) -> AssignmentProblem:
    """Values mostly near 0 with a heavy tail, queues with different effects, handling times and eligibility."""
    rng = np.random.default_rng(seed)
    effect, handling = rng.uniform(0.3, 1.2, m), rng.integers(180, 900, m)
    value = rng.lognormal(7, 1.6, (n, 1)) * effect * rng.lognormal(0, 0.4, (n, m)) - rng.uniform(100, 600, (n, 1))
    value = np.minimum(value, 5e7).astype(np.int32)
    value[rng.random((n, m)) < 0.35] = INELIGIBLE
    seconds = np.clip(handling * rng.lognormal(0, 0.3, (n, m)), 30, 3600).astype(np.uint16)
    return problem_of(value, seconds, seconds.mean(axis=0) * n / m * load)


def small_random(rng: np.random.Generator, n: int, m: int, side: bool = False) -> AssignmentProblem:
    """Tiny values and times with many ties, ineligible and worthless cells; optionally a cap and a floor."""
    value = rng.integers(-3, 12, (n, m)).astype(np.int32)
    value[rng.random((n, m)) < 0.2] = INELIGIBLE
    rows = None
    if side:
        table = np.zeros((2, 2, m), dtype=np.int64)
        table[0, :, 0] = 1
        table[1, 1, :] = -1
        limit = np.array([rng.integers(0, 3), -rng.integers(0, 3)], dtype=np.int64)
        rows = SideConstraints(("cap", "floor"), rng.integers(0, 2, n).astype(np.int32), table, limit)
    return problem_of(value, rng.integers(1, 6, (n, m)), rng.integers(0, 3 * n // m + 3, m), rows)


def with_persons(problem: AssignmentProblem, seed: int = 0, share: float = 0.8) -> AssignmentProblem:
    """Give the accounts to about ``share`` times as many persons, at random: most have one, some have several."""
    rng, n = np.random.default_rng(seed + 77), problem.account_count
    names = rng.integers(0, max(1, int(n * share)), n)
    return replace(problem, persons=grouped(numbered(names.astype("S12"))))


def with_side_rows(problem: AssignmentProblem, seed: int = 3) -> AssignmentProblem:
    """Six rows over four segments: two floors, two segment caps, a count cap, a segment-in-queues cap."""
    n, m = problem.value.shape
    group = np.random.default_rng(seed).choice(4, n, p=[0.6, 0.25, 0.1, 0.05]).astype(np.int32)
    sizes = np.bincount(group, minlength=4)
    table = np.zeros((6, 4, m), dtype=np.int64)
    table[0, 2, :] = -1
    table[1, 3, :] = -1
    table[2, 0, :] = 1
    table[3, 1, :] = 1
    table[4, :, 0] = 1
    table[5, 0, : m // 2] = 1
    limit = np.array([-0.22 * sizes[2], -0.2 * sizes[3], 0.1 * sizes[0], 0.12 * sizes[1], 0.3 * n / m, 0.05 * sizes[0]])
    names = ("at least 22 % of C", "at least 20 % of D", "at most A", "at most B", "count cap", "A in first half")
    return AssignmentProblem(
        problem.value,
        problem.seconds,
        problem.capacity_seconds,
        SideConstraints(names, group, table, limit.astype(np.int64)),
    )


def mass_ties(n: int = 4000, m: int = 6) -> AssignmentProblem:
    rng = np.random.default_rng(5)
    value, seconds = rng.integers(-5, 40, (n, m)) * 1000, rng.integers(1, 5, (n, m)) * 300
    return problem_of(value, seconds, np.full(m, n * 750 // (4 * m) + 17))


def equal_times(n: int = 4000, m: int = 6) -> AssignmentProblem:
    rng = np.random.default_rng(6)
    base = realistic(n, m, 6)
    times = rng.integers(100, 900, m)
    return problem_of(base.value, np.broadcast_to(times, (n, m)), times * (n // (4 * m)) + times // 2)


def copies(distinct: int = 1000, times: int = 200, m: int = 6) -> AssignmentProblem:
    base = realistic(distinct, m, 7)
    return problem_of(np.tile(base.value, (times, 1)), np.tile(base.seconds, (times, 1)), base.capacity_seconds * times)


def closed_and_empty_queues(n: int = 4000) -> AssignmentProblem:
    base = realistic(n, 5, 8)
    value = base.value.copy()
    value[:, 3] = INELIGIBLE
    capacity = base.capacity_seconds.copy()
    capacity[0], capacity[1] = 0, 10**9
    return problem_of(value, base.seconds, capacity)


def everything_slack(n: int = 4000) -> AssignmentProblem:
    base = realistic(n, 5, 9)
    return problem_of(base.value, base.seconds, np.full(5, 10**9))


def all_negative(n: int = 1000) -> AssignmentProblem:
    base = realistic(n, 5, 10)
    return problem_of(-np.abs(base.value.astype(np.int64)).clip(1, 10**6), base.seconds, base.capacity_seconds)


def identical_queues(n: int = 4000, m: int = 8, near: bool = False) -> AssignmentProblem:
    base = realistic(n, 2, 11)
    value, seconds = base.value[:, np.arange(m) % 2].copy(), base.seconds[:, np.arange(m) % 2].copy()
    if near:
        noise = np.random.default_rng(12).integers(0, 3, (n, m))
        value = np.where(value > 10, value + noise, value)
    return problem_of(value, seconds, base.capacity_seconds[np.arange(m) % 2] * 2 // m + np.arange(m) * 31)


def many_queues(n: int = 6000, m: int = 200) -> AssignmentProblem:
    return realistic(n, m, 13)


def one_whale(n: int = 4000) -> AssignmentProblem:
    base = realistic(n, 6, 14)
    value = base.value.copy()
    value[17, 2] = 2_000_000_000
    return problem_of(value, base.seconds, base.capacity_seconds)


def unmeetable_floor(n: int = 4000) -> AssignmentProblem:
    base = realistic(n, 5, 15)
    group = (np.arange(n) % 100 == 0).astype(np.int32)
    table = np.zeros((1, 2, 5), dtype=np.int64)
    table[0, 1, :] = -1
    limit = np.array([-2 * int(group.sum())], dtype=np.int64)
    return AssignmentProblem(base.value, base.seconds, base.capacity_seconds, SideConstraints(("floor",), group, table, limit))


HARD_CASES = {
    "mass_ties": mass_ties,
    "equal_times": equal_times,
    "copies": copies,
    "closed_and_empty_queues": closed_and_empty_queues,
    "everything_slack": everything_slack,
    "all_negative": all_negative,
    "identical_queues": identical_queues,
    "near_identical_queues": lambda: identical_queues(near=True),
    "many_queues": many_queues,
    "one_whale": one_whale,
    "unmeetable_floor": unmeetable_floor,
    "side_rows": lambda: with_side_rows(realistic(4000, 6, 16)),
}
