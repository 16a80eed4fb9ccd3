"""The linear program over the accounts that a price box leaves open.

Every open account starts at its base choice (the best at the box's centre); a column moves it, or a class of identical accounts,
to another surviving choice. Elastic columns buy capacity at the box's upper price and sell it at the lower one, so the
program is always feasible and its duals lie in the box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.linear_program import maximize
from collections_opt.solvers.pricing.instance import Instance, Ints, Screening, box_charges, charges, usage

_ELASTIC_TOLERANCE = 1e-6
_WHOLE = 1e-6


@dataclass(frozen=True)
class Box:
    """A box of prices and its centre, all int64 (m + k) on the price grid."""

    low: Ints
    centre: Ints
    high: Ints


@dataclass(frozen=True)
class OpenAccounts:
    """The open rows of a box, merged into classes of identical ones.

    Attributes:
        value, seconds: int64 (c, m) of each class.
        group: int64 (c,) group of each class.
        survives: bool (c, m + 1) surviving choices, "not worked" last.
        base: int64 (c,) best choice at the centre; m is "not worked".
        count: int64 (c,) accounts in the class.
        members: open rows sorted by class; ``starts`` (c + 1,) cuts them.
    """

    value: Ints
    seconds: Ints
    group: Ints
    survives: NDArray[np.bool_]
    base: Ints
    count: Ints
    members: Ints
    starts: Ints


@dataclass(frozen=True)
class ReducedSolution:
    """Optimal duals in minor units, limits bought or sold elastically, and where the open accounts move.

    Attributes:
        prices: float64 (m + k).
        bound: the program's value: the least Lagrangian bound, in minor units, of any prices in the box.
        lacking: float64 (m + k): units of each limit bought at the upper price, net of those sold.
        sold: bool (m + k): limits sold at the lower price.
        slack: float64 (m + k): what is left of each limit.
        accounts: the open classes.
        moves: (class, choice) of each column, both int64.
        moved: float64 accounts moved by each column.
    """

    prices: NDArray[np.float64]
    bound: float
    lacking: NDArray[np.float64]
    sold: NDArray[np.bool_]
    slack: NDArray[np.float64]
    accounts: OpenAccounts
    moves: tuple[Ints, Ints]
    moved: NDArray[np.float64]

    @property
    def bought(self) -> NDArray[np.bool_]:
        """Limits of which units are bought at the upper price, bool (m + k)."""
        return np.asarray(self.lacking > _ELASTIC_TOLERANCE, dtype=np.bool_)


def open_accounts(instance: Instance, box: Box, rows: Ints, merge: bool) -> OpenAccounts:
    """Gather the open rows; with ``merge``, rows that agree on every surviving choice become one class."""
    m = instance.queues
    part = instance.passes.take(rows).columns
    value, seconds = part["value"].astype(np.int64), part["seconds"].astype(np.int64)
    group = part["group"].astype(np.int64) if len(instance.table) else np.zeros(len(rows), np.int64)
    least, most = box_charges(instance, box.low, box.high)
    workable = value > 0
    scaled = value * PRICE_SCALE
    floor = np.where(workable, scaled - box.high[:m] * seconds - most[group], 0).max(axis=1, initial=0)
    reach = scaled - box.low[:m] * seconds - least[group]
    survives = np.column_stack([workable & (reach >= floor[:, None]), floor == 0])
    gain = scaled - box.centre[:m] * seconds - charges(instance, box.centre)[group]
    lowest = np.iinfo(np.int64).min
    ranked = np.column_stack([np.where(survives[:, :m], gain, lowest), np.where(survives[:, m], 0, lowest)])
    base = np.argmax(ranked, axis=1)
    if not merge:
        ones = np.ones(len(rows), np.int64)
        return OpenAccounts(value, seconds, group, survives, base, ones, rows, np.arange(len(rows) + 1))
    key = np.column_stack([np.where(survives[:, :m], value, 0), np.where(survives[:, :m], seconds, 0), group, base])
    key = np.ascontiguousarray(np.column_stack([key, survives[:, m]]))
    _, first, inverse, count = np.unique(
        key.view(np.dtype((np.void, key.dtype.itemsize * key.shape[1]))).ravel(),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    members = rows[np.argsort(inverse, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(count)])
    return OpenAccounts(
        value[first], seconds[first], group[first], survives[first], base[first], count.astype(np.int64), members, starts
    )


def solve_reduced(
    instance: Instance, screening: Screening, box: Box, merge: bool = False, deadline: Deadline | None = None
) -> ReducedSolution | None:
    """Solve the reduced program of a box; None if GLOP does not report an optimum, or not in time."""
    accounts = open_accounts(instance, box, screening.undecided, merge)
    rows, classes = len(instance.limit), len(accounts.base)
    alternative = accounts.survives.copy()
    alternative[np.arange(classes), accounts.base] = False
    cls, target = np.nonzero(alternative)
    columns = len(cls)
    wide = np.flatnonzero(accounts.survives.sum(axis=1) >= 3)
    in_wide = np.full(classes, -1)
    in_wide[wide] = np.arange(len(wide))
    convex = np.flatnonzero(in_wide[cls] >= 0)
    gain, entry, row, column = _move_columns(instance, accounts, cls, target)
    sellers = np.flatnonzero(box.low > 0)
    matrix = csr_matrix(
        (
            np.concatenate([entry, np.ones(len(convex)), np.full(rows, -1.0), np.ones(len(sellers))]),
            (
                np.concatenate([row, rows + in_wide[cls[convex]], np.arange(rows), sellers]),
                np.concatenate([column, convex, columns + np.arange(rows), columns + rows + np.arange(len(sellers))]),
            ),
        ),
        shape=(rows + len(wide), columns + rows + len(sellers)),
    )
    left = instance.limit - screening.used - _base_usage(instance, accounts)
    objective = np.concatenate([gain, -box.high / PRICE_SCALE, box.low[sellers] / PRICE_SCALE])
    upper = np.concatenate([accounts.count[cls].astype(np.float64), np.full(rows + len(sellers), np.inf)])
    time_left = deadline.left() if deadline else None
    solution = maximize(objective, upper, matrix, np.concatenate([left, accounts.count[wide]]).astype(np.float64), time_left)
    if deadline is not None and deadline.expired():
        return None
    if solution is None:
        return None
    lacking = solution.columns[columns : columns + rows].copy()
    lacking[sellers] -= solution.columns[columns + rows :]
    sold = lacking < -_ELASTIC_TOLERANCE
    prices = np.clip(solution.duals[:rows], box.low / PRICE_SCALE, box.high / PRICE_SCALE)
    on = np.flatnonzero(accounts.base < instance.queues)
    base_value = int((accounts.value[on, accounts.base[on]] * accounts.count[on]).sum())
    bound = screening.value + base_value + solution.objective
    slack = left - matrix[:rows] @ solution.columns
    return ReducedSolution(
        prices, bound, np.maximum(lacking, 0), sold, slack, accounts, (cls, target), solution.columns[:columns]
    )


def open_choices(solution: ReducedSolution) -> tuple[Ints, NDArray[np.int16], Ints]:
    """Return (rows, choices, split rows) of the open accounts; -1 for none, a split account keeps its base choice.

    The accounts of a class are interchangeable: they are moved in row order, and the remainder of each class is split.
    """
    accounts, (cls, target) = solution.accounts, solution.moves
    none = accounts.survives.shape[1] - 1
    choice = np.repeat(accounts.base, accounts.count)
    whole = np.floor(solution.moved + _WHOLE).astype(np.int64)
    before = np.cumsum(whole) - whole
    first = np.searchsorted(cls, cls)
    start = accounts.starts[cls] + before - before[first]
    places = np.repeat(start - before, whole) + np.arange(int(whole.sum()))
    choice[places] = np.repeat(target, whole)
    classes = len(accounts.base)
    taken = np.bincount(cls, whole, minlength=classes).astype(np.int64)
    part = np.where(solution.moved - whole > _WHOLE, solution.moved - whole, 0.0)
    split = np.ceil(np.bincount(cls, part, minlength=classes) - _WHOLE).astype(np.int64)
    split = np.minimum(split, accounts.count - taken)
    here = np.flatnonzero(split > 0)
    shift = np.cumsum(split[here]) - split[here]
    spots = np.repeat(accounts.starts[here] + taken[here] - shift, split[here]) + np.arange(int(split.sum()))
    choice[choice == none] = -1
    return accounts.members, choice.astype(np.int16), np.sort(accounts.members[spots])


def _move_columns(
    instance: Instance, accounts: OpenAccounts, cls: Ints, target: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64], Ints, Ints]:
    """Return the gain of each move and its entries (value, row, column) in the limits."""
    m, base, columns = instance.queues, accounts.base[cls], np.arange(len(cls))
    to, off = np.flatnonzero(target < m), np.flatnonzero(base < m)
    gain = np.zeros(len(cls))
    gain[to] += accounts.value[cls[to], target[to]]
    gain[off] -= accounts.value[cls[off], base[off]]
    entries = [accounts.seconds[cls[to], target[to]], -accounts.seconds[cls[off], base[off]]]
    rows, cols = [target[to], base[off]], [columns[to], columns[off]]
    for k, table in enumerate(instance.table):
        padded = np.column_stack([table, np.zeros(len(table), np.int64)])
        weight = padded[accounts.group[cls], target] - padded[accounts.group[cls], base]
        here = np.flatnonzero(weight)
        entries.append(weight[here])
        rows.append(np.full(len(here), m + k))
        cols.append(here)
    return gain, np.concatenate(entries).astype(np.float64), np.concatenate(rows), np.concatenate(cols)


def _base_usage(instance: Instance, accounts: OpenAccounts) -> Ints:
    """Return int64 (m + k): what the base choices of all open accounts use of each limit."""
    m = instance.queues
    on = np.flatnonzero(accounts.base < m)
    base, count = accounts.base[on], accounts.count[on]
    used, counts = np.zeros(m, np.int64), np.zeros(instance.table.shape[1:], np.int64)
    np.add.at(used, base, accounts.seconds[on, base] * count)
    np.add.at(counts, (accounts.group[on], base), count)
    return usage(instance, used, counts)
