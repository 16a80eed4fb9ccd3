"""Make an instance tighter and its price search smaller without changing its optimum.

Capacities are rounded down to what whole handling times can fill. Queues that are alike (two teams of the same kind) tie over
almost every account they work, which no small program can resolve; their prices are found as those of one joint queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.engines.passes import Columns
from collections_opt.solvers.pricing.instance import Instance, Ints, sample
from collections_opt.solvers.survey import Survey
from collections_opt.solvers.verifier import MAX_PRICE

_Scalar = TypeVar("_Scalar", bound=np.generic)

_GLANCE_ROWS = 4_096
_ALIKE = 1e-3
_ALIKE_MINOR = 2


@dataclass(frozen=True)
class Joined:
    """An instance whose alike queues are one queue with their joint capacity and, per account, their best value.

    At prices that are equal within each joint queue the bound of the original instance is that of this one (up to accounts
    whose handling times differ between alike queues, so the original's own bound is what is reported).

    Attributes:
        instance: the joined instance; the original object if no queues are alike.
        owner: int64 (m,) joint queue of each original queue.
    """

    instance: Instance
    owner: Ints

    def expand(self, of_limits: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Return what holds for the original queues, then for the side rows, from what holds for the joint queues."""
        count = self.instance.queues
        return np.concatenate([of_limits[:count][self.owner], of_limits[count:]])

    def kept(self) -> Ints:
        """Return the places, among the limits of the original instance, whose prices are those of the joined one."""
        first = np.unique(self.owner, return_index=True)[1]
        return np.concatenate([first, len(self.owner) + np.arange(len(self.instance.table))])


def usable_capacity(capacity: Ints, divisor: Ints) -> Ints:
    """Return capacities rounded down to the greatest common divisor of the handling times (unchanged where it is 0)."""
    step = np.maximum(divisor, 1)
    return capacity // step * step


def price_caps(facts: Survey, side_rows: int, penalty_minor: int) -> NDArray[np.float64]:
    """Return the largest sane prices, float64 (m + k): well above any value per second; the penalty for side rows.

    Where a floor may be unmet a second can be worth the penalty; the grid's limit is then the only other cap.
    """
    cap = np.minimum(4 * facts.max_density + 1 + penalty_minor, MAX_PRICE / PRICE_SCALE - 1)
    return np.concatenate([cap, np.full(side_rows, float(penalty_minor))])


def join_alike_queues(instance: Instance, seed: int) -> Joined:
    """Return the instance with alike queues joined, judged on a sample: equal times and side coefficients, like values."""
    glance = instance.take(sample(instance, _GLANCE_ROWS, seed)) if instance.rows > _GLANCE_ROWS else instance
    owner = _alike(glance)
    leaders, first = np.unique(owner, return_index=True)
    if len(leaders) == len(owner):
        return Joined(instance, owner)

    def join(part: Columns) -> Columns:
        value = np.empty((len(part["value"]), len(leaders)), dtype=np.int32)
        for leader in leaders:
            value[:, leader] = part["value"][:, owner == leader].max(axis=1)
        return {**part, "value": value, "seconds": np.ascontiguousarray(part["seconds"][:, first])}

    limit = np.zeros(len(leaders), dtype=np.int64)
    np.add.at(limit, owner, instance.limit[: instance.queues])
    joint = replace(
        instance,
        passes=instance.passes.changed(join),
        table=np.ascontiguousarray(instance.table[:, :, first]),
        limit=np.concatenate([limit, instance.limit[instance.queues :]]),
        elastic=np.concatenate([np.zeros(len(leaders), np.bool_), instance.elastic[instance.queues :]]),
    )
    return Joined(joint, owner)


def _alike(instance: Instance) -> Ints:
    """Return the joint queue of each queue, numbered by first appearance."""
    leaders: list[int] = []
    owner = np.zeros(instance.queues, dtype=np.int64)
    for q in range(instance.queues):
        twin = next((joint for joint, leader in enumerate(leaders) if _same(instance, leader, q)), len(leaders))
        if twin == len(leaders):
            leaders.append(q)
        owner[q] = twin
    return owner


def _same(instance: Instance, a: int, b: int) -> bool:
    first, second = (np.maximum(instance.value[:, q].astype(np.int64), 0) for q in (a, b))
    worked = (first > 0) | (second > 0)
    return bool(
        worked.any()
        and (np.abs(first - second) <= np.maximum(_ALIKE * np.maximum(first, second), _ALIKE_MINOR)).all()
        and np.array_equal(instance.seconds[worked, a], instance.seconds[worked, b])
        and np.array_equal(instance.table[:, :, a], instance.table[:, :, b])
    )
