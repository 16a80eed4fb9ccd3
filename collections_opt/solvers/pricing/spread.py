"""A problem whose accounts are read in passes, its answer, and the few accounts that a list is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.problem.assignment import Assignment, AssignmentProblem, SideConstraints
from collections_opt.engines.here import Here
from collections_opt.engines.passes import Columns, Passes
from collections_opt.solvers.pricing.instance import Instance, Ints, chosen, columns_of, group_of, instance_of
from collections_opt.solvers.pricing.presolve import Joined
from collections_opt.solvers.pricing.reduced_lp import ReducedSolution
from collections_opt.solvers.pricing.rounding import Pool


@dataclass(frozen=True)
class SpreadProblem:
    """An ``AssignmentProblem`` whose n accounts lie where an engine keeps them.

    Attributes:
        passes: rows of ``value`` int32 (n, m), ``seconds`` uint16 (n, m) and, with side rows, ``group`` int32 (n,).
        capacity_seconds: int64 (m,).
        side: the side rows; their ``group`` is not read.
        persons: of whom at most one account is worked; None if every account is its own person, as it must be where the
            accounts do not lie in this process's memory.
    """

    passes: Passes
    capacity_seconds: Ints
    side: SideConstraints | None = None
    persons: Persons | None = None

    @staticmethod
    def of(problem: AssignmentProblem, threads: int) -> SpreadProblem:
        """Return a problem in memory as one that is read in passes; nothing of size n x m is copied if it is contiguous."""
        return SpreadProblem(Here(columns_of(problem), threads), problem.capacity_seconds, problem.side, problem.persons)

    def instance(self) -> Instance:
        """Return what the passes of the solver read."""
        table, limit = (None, None) if self.side is None else (self.side.table, self.side.limit)
        return instance_of(self.passes, self.capacity_seconds, table, limit)

    def here(self) -> AssignmentProblem:
        """Return the problem with all its accounts in this process."""
        columns = self.passes.here().columns
        side = None if self.side is None else replace(self.side, group=group_of(columns))
        return AssignmentProblem(columns["value"], columns["seconds"], self.capacity_seconds, side, self.persons)


@dataclass(frozen=True)
class SpreadAssignment:
    """An answer for some accounts; all others are not worked.

    Attributes:
        rows: int64 (r,) ascending; None if the answer speaks of all accounts.
        assignment: the answer; its ``queue`` is that of these accounts.
    """

    rows: Ints | None
    assignment: Assignment


@dataclass(frozen=True)
class Band:
    """The accounts that a list is made of: those that prices choose or decide narrowly. All others are not worked by any step.

    Attributes:
        rows: int64 (r,) ascending.
        instance, joined: these accounts under the limits of all.
        pool: those decided narrowly, by their place among the rows.
        solution: the last program's, likewise.
    """

    rows: Ints
    instance: Instance
    joined: Joined
    pool: Pool
    solution: ReducedSolution | None


def band_of(instance: Instance, joined: Joined, prices: Ints, pool: Pool, solution: ReducedSolution | None) -> Band:
    """Bring the accounts that decide the list into this process.

    They are those that choose a queue at the prices, those of the pool and of the last program, and where alike queues tie
    those that a floor may have to be served with.
    """
    parts = [chosen(instance, prices)[1], pool.rows]
    if solution is not None:
        parts.append(solution.accounts.members)
    if joined.instance is not instance and instance.elastic.any():
        parts.append(_servers(instance))
    rows = np.unique(np.concatenate(parts))
    near = instance.brought(rows, instance.limit)
    alike = joined.instance is instance
    same = replace(joined, instance=near if alike else joined.instance.brought(rows, joined.instance.limit))
    if solution is not None:
        members = np.searchsorted(rows, solution.accounts.members)
        solution = replace(solution, accounts=replace(solution.accounts, members=members))
    return Band(rows, near, same, replace(pool, rows=np.searchsorted(rows, pool.rows)), solution)


def _servers(instance: Instance) -> Ints:
    """Return the accounts that may serve a row which counts against being short, ascending."""
    serves = np.min(instance.table, axis=0) < 0

    def work(part: Columns, start: int) -> Ints:
        able = np.where(serves[group_of(part)], part["value"], 0)
        return np.flatnonzero((able > 0).any(axis=1)) + start

    return np.concatenate([np.zeros(0, np.int64), *instance.passes.over(work)])
