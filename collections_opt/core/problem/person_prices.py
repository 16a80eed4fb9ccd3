"""The highest price of a queue at which an account is its person's choice there, as other accounts of the person pay it too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.problem.assignment import AssignmentProblem
from collections_opt.core.problem.person_choice import NEVER, Standing, rivals

Ints = NDArray[np.int64]

IMPOSSIBLE = -1
"""Highest price of a queue that would not take the account at any price."""


def highest_prices(
    problem: AssignmentProblem, margin: Ints, prices: Ints, own: Ints, cells: Ints, standing: Standing | None
) -> Ints:
    """Return int64 (m, q): the largest price of the queue at which the account takes it, ``IMPOSSIBLE`` if none.

    A dearer queue also costs the person's other accounts their place in it, and the more the longer they take: against each
    of them the account wins up to a price, from a price on, or always. Cells in other queues do not move.

    Args:
        problem: increments and times.
        margin: int64 (m, q) of ``placement.margins``.
        prices: int64 (q,) prices that the margins were made with.
        own: int64 (m, q) margin needed to beat the account's own other queues.
        cells: int64 (m, q) of ``candidate_cells``.
        standing: what a ranking decided, None if it decided nothing.
    """
    kept = np.zeros(len(margin), dtype=bool) if standing is None else standing.kept
    mine, other = _pairs(problem.persons)
    loses_ties = np.where(kept[mine] == kept[other], mine > other, kept[other])
    seconds = problem.seconds.astype(np.int64)
    result = np.full(margin.shape, IMPOSSIBLE, dtype=np.int64)
    for q in range(problem.queue_count):
        elsewhere = np.delete(cells, q, axis=1).max(axis=1, initial=NEVER)
        outside = None if standing is None else np.where(standing.beside.queue == q, NEVER, standing.beside.margin)
        fixed = np.maximum(own[:, q], rivals(problem.persons, elsewhere, elsewhere != NEVER, kept, outside).needed)
        free = margin[:, q] + prices[q] * seconds[:, q]
        highest, lowest = (free - fixed) // np.maximum(seconds[:, q], 1), np.zeros(len(margin), dtype=np.int64)
        there = cells[other, q] != NEVER
        i, j = mine[there], other[there]
        _compete(i, free[i] - free[j] - loses_ties[there], seconds[i, q] - seconds[j, q], lowest, highest)
        if standing is not None:
            i = np.flatnonzero(standing.beside.queue == q)
            dear, long = standing.beside.margin[i], standing.beside.seconds[i]
            _compete(i, free[i] - dear - prices[q] * long - 1, seconds[i, q] - long, lowest, highest)
        result[:, q] = np.where(highest >= lowest, highest, IMPOSSIBLE)
    return result


def _compete(row: Ints, more: Ints, longer: Ints, lowest: Ints, highest: Ints) -> None:
    """Narrow the prices at which accounts win: those with ``price * longer <= more``."""
    size = np.maximum(np.abs(longer), 1)
    np.minimum.at(
        highest, row, np.where(longer > 0, more // size, np.where((longer == 0) & (more < 0), IMPOSSIBLE, highest[row]))
    )
    np.maximum.at(lowest, row, np.where(longer < 0, -(more // size), 0))


def _pairs(persons: Persons | None) -> tuple[Ints, Ints]:
    """Return (account, other account of its person) for every such pair."""
    if persons is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    count = persons.account_count[persons.of[persons.order]]
    first = np.repeat(persons.start[:-1], persons.account_count)
    mine = np.repeat(np.arange(len(count)), count)
    other = np.repeat(first, count) + np.arange(len(mine)) - np.repeat(np.cumsum(count) - count, count)
    pair = np.flatnonzero(mine != other)
    return persons.order[mine[pair]].astype(np.int64), persons.order[other[pair]].astype(np.int64)
