"""What the passes read: the instance with its side rows flattened, and the exact passes over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, AssignmentProblem
from collections_opt.engines.here import CHUNK_ROWS, Here, map_chunks
from collections_opt.engines.passes import Columns, Passes
from collections_opt.solvers.pricing import kernels
from collections_opt.solvers.pricing.chain import NEVER
from collections_opt.solvers.side_rows import may_be_short

Ints = NDArray[np.int64]
_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class Instance:
    """An assignment problem whose rows are read in passes; without side rows they have no ``group`` and ``table`` is empty.

    Attributes:
        passes: n rows of ``value`` int32 (n, m), ``seconds`` uint16 (n, m) and, with side rows, ``group`` int32 (n,).
        table: int64 (k, g, m) coefficients of the side rows.
        limit: int64 (m + k,) capacities, then limits of the side rows.
        elastic: bool (m + k,) limits that may be impossible (floors); all others are hard.
    """

    passes: Passes
    table: Ints
    limit: Ints
    elastic: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """Number of accounts n."""
        return self.passes.rows

    @property
    def queues(self) -> int:
        """Number of queues m."""
        return int(self.table.shape[2])

    @property
    def threads(self) -> int:
        """Worker threads of what this process does by itself."""
        return self.passes.threads

    @property
    def value(self) -> NDArray[np.int32]:
        """The values, int32 (n, m), brought here if they lie elsewhere."""
        return self.passes.here().columns["value"]

    @property
    def seconds(self) -> NDArray[np.uint16]:
        """The handling times, uint16 (n, m), brought here if they lie elsewhere."""
        return self.passes.here().columns["seconds"]

    @property
    def group(self) -> NDArray[np.int32]:
        """The groups, int32 (n,) or without side rows (1,), brought here if they lie elsewhere."""
        return group_of(self.passes.here().columns)

    def take(self, rows: Ints) -> Instance:
        """Return the accounts at ``rows`` with all limits scaled to their share."""
        share = len(rows) / max(1, self.rows)
        return self.part(rows, np.rint(self.limit * share).astype(np.int64))

    def part(self, rows: Ints, limit: Ints) -> Instance:
        """Return the accounts at ``rows``, ascending, under other limits (m + k)."""
        return replace(self, passes=self.passes.some(rows), limit=limit)

    def brought(self, rows: Ints, limit: Ints) -> Instance:
        """Return the accounts at ``rows``, ascending, under other limits (m + k), in this process's memory."""
        return replace(self, passes=self.passes.take(rows), limit=limit)


@dataclass(frozen=True)
class Proven:
    """One price vector's pass: exact bound in ``1 / PRICE_SCALE`` minor units, and what the best choices use of each limit.

    Attributes:
        bound: exact.
        used: int64 (m + k).
        worked: int64 (m,) accounts that choose each queue.
    """

    bound: int
    used: Ints
    worked: Ints


@dataclass(frozen=True)
class Evaluation(Proven):
    """The same with the choices that attain the bound, int16 (n,)."""

    choice: NDArray[np.int16]


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


_ONE_GROUP = np.zeros(1, np.int32)


def group_of(columns: Columns) -> NDArray[np.int32]:
    """Return the groups of some rows, int32 (r,); (1,) without side rows, which is what kernels take for one group."""
    return columns.get("group", _ONE_GROUP)


def columns_of(problem: AssignmentProblem) -> Columns:
    """Return the rows of a problem in memory; nothing of size n x m is copied if it is contiguous."""
    columns: dict[str, NDArray[Any]] = {
        "value": np.ascontiguousarray(problem.value),
        "seconds": np.ascontiguousarray(problem.seconds),
    }
    if problem.side is not None:
        columns["group"] = np.ascontiguousarray(problem.side.group, dtype=np.int32)
    return columns


def flatten(problem: AssignmentProblem, threads: int) -> Instance:
    """Return the instance of a problem in memory."""
    passes, side = Here(columns_of(problem), threads), problem.side
    if side is None:
        return instance_of(passes, problem.capacity_seconds)
    return instance_of(passes, problem.capacity_seconds, side.table, side.limit)


def instance_of(passes: Passes, capacity_seconds: Ints, table: Ints | None = None, side_limit: Ints | None = None) -> Instance:
    """Return the instance of some rows under capacities (m,) and, if there are any, side rows (k, g, m) with limits (k,)."""
    m = len(capacity_seconds)
    hard = np.zeros(m, np.bool_)
    if table is None or side_limit is None:
        return Instance(passes, np.zeros((0, 1, m), dtype=np.int64), capacity_seconds.copy(), hard)
    elastic = np.concatenate([hard, may_be_short(table, side_limit)])
    return Instance(passes, np.ascontiguousarray(table), np.concatenate([capacity_seconds, side_limit]), elastic)


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
    """Return the exact Lagrangian bound at ``prices`` (m + k) and the choices that attain it, int16 (n,)."""
    proven, choices = _evaluated(instance, prices, _every_choice)
    return Evaluation(**vars(proven), choice=np.concatenate([np.zeros(0, np.int16), *choices]))


def prove(instance: Instance, prices: Ints) -> Proven:
    """Return the exact Lagrangian bound at ``prices`` (m + k), and no choices."""
    return _evaluated(instance, prices, _no_choice)[0]


def chosen(instance: Instance, prices: Ints) -> tuple[Proven, Ints]:
    """Return the exact Lagrangian bound at ``prices`` (m + k), and the accounts that choose a queue, ascending."""
    proven, rows = _evaluated(instance, prices, _worked_rows)
    return proven, np.concatenate([np.zeros(0, np.int64), *rows])


def _every_choice(choice: NDArray[np.int16], start: int) -> NDArray[np.int16]:  # noqa: ARG001
    return choice


def _no_choice(choice: NDArray[np.int16], start: int) -> None:  # noqa: ARG001
    return None


def _worked_rows(choice: NDArray[np.int16], start: int) -> Ints:
    return np.flatnonzero(choice >= 0) + start


def _evaluated(instance: Instance, prices: Ints, kept: Callable[[NDArray[np.int16], int], _Kept]) -> tuple[Proven, list[_Kept]]:
    """Return the proof at prices, and of each part what is ``kept`` of its choices."""
    charge, m = charges(instance, prices), instance.queues
    price = prices[:m]

    def work(part: Columns, start: int) -> tuple[tuple[int, int], Ints, Ints, _Kept]:
        used, counts = np.zeros(m, np.int64), np.zeros(charge.shape, np.int64)
        choice = np.empty(len(part["value"]), dtype=np.int16)
        surplus = kernels.evaluate_rows(*_arrays(part), price, charge, choice, used, counts)
        return surplus, used, counts, kept(choice, start)

    parts = instance.passes.over(work)
    bound = sum(int(p) * int(b) for p, b in zip(prices, instance.limit, strict=True))
    bound += sum(part[0][0] * PRICE_SCALE + part[0][1] for part in parts)
    used, counts = _sums(instance, [part[1:3] for part in parts])
    return Proven(bound, usage(instance, used, counts), counts.sum(axis=0)), [part[3] for part in parts]


def screen(instance: Instance, low: Ints, high: Ints) -> Screening:
    """Return what is decided for all prices in the box ``low <= prices <= high`` (m + k), and the rows that are not."""
    least, most = box_charges(instance, low, high)
    m = instance.queues

    def work(part: Columns, start: int) -> tuple[Ints, int, int, Ints, Ints]:
        used, counts, undecided = np.zeros(m, np.int64), np.zeros(least.shape, np.int64), np.empty(len(part["value"]), np.int64)
        found, cells, total = kernels.screen_rows(*_arrays(part), low[:m], high[:m], least, most, undecided, used, counts)
        return undecided[:found] + start, cells, total, used, counts

    parts = instance.passes.over(work)
    undecided = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
    used = usage(instance, *_sums(instance, [part[3:] for part in parts]))
    return Screening(undecided, sum(part[1] for part in parts), used, sum(part[2] for part in parts))


def tally(instance: Instance, choice: NDArray[np.int16]) -> tuple[int, Ints]:
    """Return the value of a list (n,) and int64 (m + k) what it uses of each limit."""
    m, shape = instance.queues, instance.table.shape[1:]

    def work(part: Columns, start: int) -> tuple[int, Ints, Ints]:
        used, counts = np.zeros(m, np.int64), np.zeros(shape, np.int64)
        total = kernels.tally_rows(*_arrays(part), choice[start : start + len(part["value"])], used, counts)
        return total, used, counts

    parts = instance.passes.over(work)
    return sum(part[0] for part in parts), usage(instance, *_sums(instance, [part[1:] for part in parts]))


def losses_of(instance: Instance, prices: Ints, rows: Ints) -> Ints:
    """Return int64 (r, m + 1): how far each choice of some rows is below their best; the last choice is "not worked"."""
    part = instance.passes.take(rows).columns
    value = part["value"].astype(np.int64)
    gain = value * PRICE_SCALE - prices[: instance.queues] * part["seconds"]
    if len(instance.table):
        gain -= charges(instance, prices)[part["group"]]
    best = np.where(value > 0, gain, 0).max(axis=1, initial=0)
    return np.column_stack([np.where(value > 0, best[:, None] - gain, NEVER), best])


def near_ties(instance: Instance, prices: Ints, reach: Ints) -> NearTies:
    """Return the rows whose second-best choice loses at most the reach (m + 1,) of one of the two; "not worked" is last."""
    charge, price = charges(instance, prices), prices[: instance.queues]

    def work(part: Columns, start: int) -> NearTies:
        size = len(part["value"])
        rows, losses, between = np.empty(size, np.int64), np.empty(size, np.int64), np.empty((size, 2), np.int16)
        found = kernels.second_losses(*_arrays(part), price, charge, reach, rows, losses, between)
        return NearTies(rows[:found] + start, losses[:found], between[:found])

    parts = instance.passes.over(work)
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


def _arrays(part: Columns) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32]]:
    return part["value"], part["seconds"], group_of(part)


def _sums(instance: Instance, parts: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Return time (m,) and counts (g, m) over all parts."""
    used = np.zeros(instance.queues, np.int64) + sum(part[0] for part in parts)
    counts = np.zeros(instance.table.shape[1:], np.int64) + sum(part[1] for part in parts)
    return used, counts
