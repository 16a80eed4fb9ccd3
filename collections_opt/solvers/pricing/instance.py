"""What the passes read: the instance with its side rows flattened, and the exact passes over it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, AssignmentProblem
from collections_opt.solvers.compiled import CHUNK_ROWS, map_chunks
from collections_opt.solvers.pricing import kernels
from collections_opt.solvers.pricing.chain import NEVER
from collections_opt.solvers.side_rows import may_be_short

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """An assignment problem as flat arrays; without side rows ``group`` has one entry and ``table`` no rows.

    Attributes:
        value: int32 (n, m).
        seconds: uint16 (n, m).
        group: int32 (n,) or (1,).
        table: int64 (k, g, m) coefficients of the side rows.
        limit: int64 (m + k,) capacities, then limits of the side rows.
        elastic: bool (m + k,) limits that may be impossible (floors); all others are hard.
        threads: worker threads of the passes.
    """

    value: NDArray[np.int32]
    seconds: NDArray[np.uint16]
    group: NDArray[np.int32]
    table: Ints
    limit: Ints
    elastic: NDArray[np.bool_]
    threads: int = 1

    @property
    def rows(self) -> int:
        """Number of accounts n."""
        return len(self.value)

    @property
    def queues(self) -> int:
        """Number of queues m."""
        return int(self.value.shape[1])

    def take(self, rows: Ints) -> Instance:
        """Return the accounts at ``rows`` with all limits scaled to their share."""
        share = len(rows) / max(1, self.rows)
        return self.part(rows, np.rint(self.limit * share).astype(np.int64))

    def part(self, rows: Ints, limit: Ints) -> Instance:
        """Return the accounts at ``rows`` under other limits (m + k)."""
        group = self.group[rows] if len(self.table) else self.group
        return replace(self, value=self.value[rows], seconds=self.seconds[rows], group=group, limit=limit)


@dataclass(frozen=True)
class Evaluation:
    """One price vector's pass: exact bound in ``1 / PRICE_SCALE`` minor units, best choices, and what they use of each limit."""

    bound: int
    choice: NDArray[np.int16]
    used: Ints


@dataclass(frozen=True)
class Screening:
    """One box's pass: rows still open, their surviving cells, and what the decided rows use (m + k) and are worth."""

    undecided: Ints
    cells: int
    used: Ints
    value: int


@dataclass(frozen=True)
class NearTies:
    """Narrowly decided rows, ascending: how much the second-best choice loses, and the two choices (p, 2), m for none."""

    rows: Ints
    losses: Ints
    between: NDArray[np.int16]


def flatten(problem: AssignmentProblem, threads: int) -> Instance:
    """Return the flat arrays of a problem; nothing of size n x m is copied if it is contiguous."""
    value, seconds = np.ascontiguousarray(problem.value), np.ascontiguousarray(problem.seconds)
    side, m = problem.side, problem.queue_count
    hard = np.zeros(m, np.bool_)
    if side is None:
        table, limit = np.zeros((0, 1, m), dtype=np.int64), problem.capacity_seconds.copy()
        return Instance(value, seconds, np.zeros(1, np.int32), table, limit, hard, threads)
    limit = np.concatenate([problem.capacity_seconds, side.limit])
    elastic = np.concatenate([hard, may_be_short(side.table, side.limit)])
    group = np.ascontiguousarray(side.group, dtype=np.int32)
    return Instance(value, seconds, group, np.ascontiguousarray(side.table), limit, elastic, threads)


def charges(instance: Instance, prices: Ints) -> Ints:
    """Return int64 (g, m): what the side prices charge an account of a group in a queue."""
    side, table = prices[instance.queues :], instance.table
    result = np.empty(table.shape[1:], dtype=np.int64)
    kernels.least_charges(table, side, side, result)
    return result


def box_charges(instance: Instance, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return the smallest and the largest charge (g, m) over all side prices in a box."""
    table, low, high = instance.table, low[instance.queues :], high[instance.queues :]
    least, most = (np.empty(table.shape[1:], dtype=np.int64) for _ in range(2))
    kernels.least_charges(table, low, high, least)
    kernels.least_charges(table, high, low, most)
    return least, most


def usage(instance: Instance, used: Ints, counts: Ints) -> Ints:
    """Return int64 (m + k): time per queue followed by the left-hand sides of the side rows."""
    return np.concatenate([used, (instance.table * counts).sum(axis=(1, 2))])


def evaluate(instance: Instance, prices: Ints) -> Evaluation:
    """Return the exact Lagrangian bound at ``prices`` (m + k) and the choices that attain it."""
    charge = charges(instance, prices)
    choice = np.empty(instance.rows, dtype=np.int16)

    def work(start: int, stop: int) -> tuple[tuple[int, int], Ints, Ints]:
        used, counts = np.zeros(instance.queues, np.int64), np.zeros(charge.shape, np.int64)
        surplus = kernels.evaluate_rows(
            *_part(instance, start, stop), prices[: instance.queues], charge, choice[start:stop], used, counts
        )
        return surplus, used, counts

    parts = map_chunks(work, instance.rows, instance.threads)
    bound = sum(int(p) * int(b) for p, b in zip(prices, instance.limit, strict=True))
    bound += sum(part[0][0] * PRICE_SCALE + part[0][1] for part in parts)
    return Evaluation(bound, choice, _sum_usage(instance, [part[1:] for part in parts]))


def screen(instance: Instance, low: Ints, high: Ints) -> Screening:
    """Return what is decided for all prices in the box ``low <= prices <= high`` (m + k), and the rows that are not."""
    least, most = box_charges(instance, low, high)
    m = instance.queues

    def work(start: int, stop: int) -> tuple[Ints, int, int, Ints, Ints]:
        used, counts, undecided = np.zeros(m, np.int64), np.zeros(least.shape, np.int64), np.empty(stop - start, np.int64)
        found, cells, total = kernels.screen_rows(
            *_part(instance, start, stop), low[:m], high[:m], least, most, undecided, used, counts
        )
        return undecided[:found] + start, cells, total, used, counts

    parts = map_chunks(work, instance.rows, instance.threads)
    undecided = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
    used = _sum_usage(instance, [part[3:] for part in parts])
    return Screening(undecided, sum(part[1] for part in parts), used, sum(part[2] for part in parts))


def tally(instance: Instance, choice: NDArray[np.int16]) -> tuple[int, Ints]:
    """Return the value of a list and int64 (m + k) what it uses of each limit."""

    def work(start: int, stop: int) -> tuple[int, Ints, Ints]:
        used, counts = np.zeros(instance.queues, np.int64), np.zeros(instance.table.shape[1:], np.int64)
        total = kernels.tally_rows(*_part(instance, start, stop), choice[start:stop], used, counts)
        return total, used, counts

    parts = map_chunks(work, instance.rows, instance.threads)
    return sum(part[0] for part in parts), _sum_usage(instance, [part[1:] for part in parts])


def losses_of(instance: Instance, prices: Ints, rows: Ints) -> Ints:
    """Return int64 (r, m + 1): how far each choice of some rows is below their best; the last choice is "not worked"."""
    value = instance.value[rows].astype(np.int64)
    gain = value * PRICE_SCALE - prices[: instance.queues] * instance.seconds[rows]
    if len(instance.table):
        gain -= charges(instance, prices)[instance.group[rows]]
    best = np.where(value > 0, gain, 0).max(axis=1, initial=0)
    return np.column_stack([np.where(value > 0, best[:, None] - gain, NEVER), best])


def near_ties(instance: Instance, prices: Ints, reach: Ints) -> NearTies:
    """Return the rows whose second-best choice loses at most the reach (m + 1,) of one of the two; "not worked" is last."""
    charge = charges(instance, prices)

    def work(start: int, stop: int) -> NearTies:
        size = stop - start
        rows, losses, between = np.empty(size, np.int64), np.empty(size, np.int64), np.empty((size, 2), np.int16)
        found = kernels.second_losses(
            *_part(instance, start, stop), prices[: instance.queues], charge, reach, rows, losses, between
        )
        return NearTies(rows[:found] + start, losses[:found], between[:found])

    parts = map_chunks(work, instance.rows, instance.threads)
    empty = np.zeros(0, np.int64)
    return NearTies(
        np.concatenate([empty, *(part.rows for part in parts)]),
        np.concatenate([empty, *(part.losses for part in parts)]),
        np.concatenate([np.empty((0, 2), np.int16), *(part.between for part in parts)]),
    )


def to_grid(prices: NDArray[np.float64]) -> Ints:
    """Return prices in minor units as integers in ``1 / PRICE_SCALE`` minor units."""
    return np.rint(prices * PRICE_SCALE).astype(np.int64)


class HasRows(Protocol):
    """What may be sampled: accounts, or persons."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        ...

    @property
    def threads(self) -> int:
        """Worker threads of the passes."""
        ...


def sample(of: HasRows, size: int, seed: int) -> Ints:
    """Return about ``size`` row indices, ascending, uniform by a hash of the index; samples of one seed are nested."""
    threshold = min(1 << 32, round(size / max(1, of.rows) * (1 << 32)))

    def work(start: int, stop: int) -> Ints:
        rows = np.empty(stop - start, np.int64)
        return rows[: kernels.sample_rows(start, stop, seed, threshold, rows)]

    parts = map_chunks(work, of.rows, of.threads, CHUNK_ROWS * 4)
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _part(instance: Instance, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32]]:
    group = instance.group[start:stop] if len(instance.table) else instance.group
    return instance.value[start:stop], instance.seconds[start:stop], group


def _sum_usage(instance: Instance, parts: list[tuple[Ints, Ints]]) -> Ints:
    used = np.zeros(instance.queues, np.int64) + sum(part[0] for part in parts)
    counts = np.zeros(instance.table.shape[1:], np.int64) + sum(part[1] for part in parts)
    return usage(instance, used, counts)
