"""When prices stay optimal: every choice that an optimal solution uses leaves at least as much as each one that it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from collections_opt.solvers.pricing.instance import Instance, Ints, evaluate
from collections_opt.solvers.pricing.intervals.rivals import RivalCells
from collections_opt.solvers.pricing.reduced_lp import ReducedSolution

Floats = NDArray[np.float64]

ACTIVE = 1e-6


@dataclass(frozen=True)
class _Cells:
    """Cells side by side: queue int64 (c,), m for "not worked", value and seconds, and the weight in each side row (k, c)."""

    queue: Ints
    value: Ints
    seconds: Ints
    weight: Ints

    def gain(self, prices: Floats, queues: int) -> Floats:
        """Return what each leaves at prices, float64 (c,)."""
        gain = self.value - np.append(prices[:queues], 0.0)[self.queue] * self.seconds - prices[queues:] @ self.weight
        return np.asarray(gain, dtype=np.float64)


def conditions(instance: Instance, solution: ReducedSolution, prices: Floats, rivals: RivalCells) -> tuple[csr_matrix, Floats]:
    """Return G, h with ``G d <= h`` for the changes d of ``prices`` that leave every choice optimal.

    One row per open class, choice it uses and other surviving choice: the gain of the used one must not fall below. Likewise
    one per choice of a person and rival cell of another account of his.
    """
    accounts, m = solution.accounts, instance.queues
    used = _used(solution)
    row, mine = np.nonzero(used)
    pair, other = np.nonzero(accounts.survives[row] & (np.arange(m + 1) != mine[:, None]))
    row, mine = row[pair], mine[pair]
    slopes, room = _compared(_of_classes(instance, solution, row, mine), _of_classes(instance, solution, row, other), prices, m)
    if not len(rivals.person):
        return slopes, room
    order = np.argsort(accounts.members)
    members = accounts.members[order]
    place = np.searchsorted(members, rivals.person)
    is_open = np.isin(rivals.person, members)
    class_of = np.repeat(np.arange(len(accounts.base)), accounts.count)[order[place[is_open]]]
    pair, mine = np.nonzero(used[class_of])
    pairs = (
        (_of_classes(instance, solution, class_of[pair], mine), np.flatnonzero(is_open)[pair]),
        (_decided(instance, rivals, np.flatnonzero(~is_open)), np.flatnonzero(~is_open)),
    )
    for ours, which in pairs:
        more, more_room = _compared(ours, _of_rivals(rivals, which), prices, m)
        slopes, room = csr_matrix(vstack([slopes, more])), np.concatenate([room, more_room])
    return slopes, room


def _used(solution: ReducedSolution) -> NDArray[np.bool_]:
    """Return which choices the open classes use, bool (c, m + 1)."""
    accounts, (cls, target) = solution.accounts, solution.moves
    used = np.zeros(accounts.survives.shape, np.bool_)
    used[cls, target] = solution.moved > ACTIVE
    leaving = np.bincount(cls, solution.moved, minlength=len(accounts.base))
    used[np.arange(len(accounts.base)), accounts.base] = leaving < accounts.count - ACTIVE
    return used


def _of_classes(instance: Instance, solution: ReducedSolution, row: Ints, choice: Ints) -> _Cells:
    accounts, place = solution.accounts, np.minimum(choice, instance.queues - 1)
    return _cells(instance, choice, accounts.value[row, place], accounts.seconds[row, place], accounts.group[row])


def _of_rivals(rivals: RivalCells, which: Ints) -> _Cells:
    accounts, row, queue = rivals.people.accounts, rivals.account[which], rivals.queue[which]
    return _of_rows(accounts, row, queue)


def _decided(instance: Instance, rivals: RivalCells, which: Ints) -> _Cells:
    """Return what the persons of some rivals choose, whom the box decides."""
    person = rivals.person[which]
    choice = evaluate(instance.part(person, instance.limit), rivals.centre).choice.astype(np.int64)
    return _of_rows(instance, person, np.where(choice < 0, instance.queues, choice))


def _of_rows(instance: Instance, row: Ints, queue: Ints) -> _Cells:
    place = np.minimum(queue, instance.queues - 1)
    group = instance.group[row].astype(np.int64) if len(instance.table) else np.zeros(len(row), np.int64)
    value, seconds = instance.value[row, place].astype(np.int64), instance.seconds[row, place].astype(np.int64)
    return _cells(instance, queue, value, seconds, group)


def _cells(instance: Instance, queue: Ints, value: Ints, seconds: Ints, group: Ints) -> _Cells:
    on, place = queue < instance.queues, np.minimum(queue, instance.queues - 1)
    return _Cells(queue, np.where(on, value, 0), np.where(on, seconds, 0), np.where(on, instance.table[:, group, place], 0))


def _compared(mine: _Cells, other: _Cells, prices: Floats, m: int) -> tuple[csr_matrix, Floats]:
    """Return the conditions that one cell leaves at least as much as the other, and what it leaves more now."""
    room = mine.gain(prices, m) - other.gain(prices, m)
    entries: list[Floats] = [np.zeros(0)]
    rows: list[Ints] = [np.zeros(0, np.int64)]
    columns: list[Ints] = [np.zeros(0, np.int64)]
    for cells, sign in ((mine, 1.0), (other, -1.0)):
        on = np.flatnonzero(cells.queue < m)
        k, here = np.nonzero(cells.weight)
        entries += [np.asarray(sign * cells.seconds[on], np.float64), np.asarray(sign * cells.weight[k, here], np.float64)]
        rows += [on, here]
        columns += [cells.queue[on], m + k]
    shape = (len(room), len(prices))
    return csr_matrix((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape), room
