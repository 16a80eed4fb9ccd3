"""One capacity plan beside another on the same accounts: money, minutes, prices, and the accounts that move."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED, Assignment, AssignmentProblem

Ints = NDArray[np.int64]


class Move(IntEnum):
    """What a change of plan does to an account."""

    ENTERS = 1
    """Worked after, not before."""
    LEAVES = 2
    """Worked before, not after."""
    CHANGES_QUEUE = 3
    """Worked before and after, in different queues."""


@dataclass(frozen=True)
class PlannedAnswer:
    """A plan with its assignment; q queues.

    Attributes:
        plan: the queues.
        problem: increments, times and capacities.
        assignment: who is worked where, with prices and bound.
    """

    plan: CapacityPlan
    problem: AssignmentProblem
    assignment: Assignment

    def used_seconds(self) -> Ints:
        """Return the time each worklist takes, int64 (q,)."""
        return self._sums(self.problem.seconds)

    def value_minor(self) -> Ints:
        """Return the increment each worklist adds, int64 (q,) minor units."""
        return self._sums(self.problem.value)

    def worked_count(self) -> Ints:
        """Return how many accounts each queue works, int64 (q,)."""
        worked = self.assignment.queue[self.assignment.queue != UNASSIGNED]
        return np.bincount(worked, minlength=self.problem.queue_count).astype(np.int64)

    def account_value_minor(self) -> Ints:
        """Return the increment of each worked account, 0 for the others, int64 (n,) minor units."""
        queue = self.assignment.queue
        cell = self.problem.value[np.arange(queue.size), np.maximum(queue, 0)].astype(np.int64)
        return np.where(queue == UNASSIGNED, 0, cell)

    def _sums(self, cells: NDArray[np.int32] | NDArray[np.uint16]) -> Ints:
        rows = np.flatnonzero(self.assignment.queue != UNASSIGNED)
        result = np.zeros(self.problem.queue_count, dtype=np.int64)
        np.add.at(result, self.assignment.queue[rows], cells[rows, self.assignment.queue[rows]].astype(np.int64))
        return result


@dataclass(frozen=True)
class Moves:
    """The accounts that a change moves, the most valuable first.

    Attributes:
        row: int64 (k,) rows of the accounts.
        kind: uint8 (k,), a ``Move``.
        before, after: int16 (k,) queue in each plan's own numbering, -1 for none.
        value_before_minor, value_after_minor: int64 (k,) increment, 0 where not worked.
    """

    row: Ints
    kind: NDArray[np.uint8]
    before: NDArray[np.int16]
    after: NDArray[np.int16]
    value_before_minor: Ints
    value_after_minor: Ints

    def count(self, kind: Move) -> int:
        """Return how many accounts move in one way."""
        return int((self.kind == kind).sum())


def moves(before: PlannedAnswer, after: PlannedAnswer) -> Moves:
    """Return who is worked in another queue, or no longer, or newly; queues are the same if their ids are.

    Raises:
        ValueError: when the two are of different numbers of accounts.
    """
    if before.problem.account_count != after.problem.account_count:
        raise ValueError("the answers are of different accounts")
    old, new = before.assignment.queue, after.assignment.queue
    same = renumbered(after.plan, before.plan)
    stays = np.where(new == UNASSIGNED, old == UNASSIGNED, (same[np.maximum(new, 0)] == old) & (old != UNASSIGNED))
    rows = np.flatnonzero(~stays)
    kind = np.select([old[rows] == UNASSIGNED, new[rows] == UNASSIGNED], [Move.ENTERS, Move.LEAVES], Move.CHANGES_QUEUE)
    value_before, value_after = before.account_value_minor()[rows], after.account_value_minor()[rows]
    order = np.lexsort((rows, -np.maximum(value_before, value_after)))
    picked = rows[order]
    return Moves(
        row=picked,
        kind=kind[order].astype(np.uint8),
        before=old[picked],
        after=new[picked],
        value_before_minor=value_before[order],
        value_after_minor=value_after[order],
    )


def renumbered(plan: CapacityPlan, other: CapacityPlan) -> NDArray[np.int64]:
    """Return the place of each queue of a plan in another one by its id, int64 (q,), -2 where the other has no such queue."""
    places = {queue.queue_id: index for index, queue in enumerate(other.queues)}
    return np.array([places.get(queue.queue_id, -2) for queue in plan.queues], dtype=np.int64)


def predicted_change_minor(prices: Ints, before_seconds: Ints, after_seconds: Ints) -> NDArray[np.float64]:
    """Return what the prices say a change of capacity is worth per queue: lambda_q (C'_q - C_q), float64 (q,) minor units.

    The value of the best assignment is concave in the capacities and the prices are a supergradient of it, so that no
    re-solve can gain more than the sum plus the gap of the answer that the prices come from.
    """
    return prices.astype(np.float64) * (after_seconds - before_seconds) / PRICE_SCALE


def carried_prices(prices: Ints, plan: CapacityPlan, target: CapacityPlan) -> Ints:
    """Return the prices of a plan's queues in the order of another plan; 0 for a queue that has none yet."""
    places = renumbered(target, plan)
    return np.where(places >= 0, np.append(prices, 0)[np.maximum(places, -1)], 0).astype(np.int64)
