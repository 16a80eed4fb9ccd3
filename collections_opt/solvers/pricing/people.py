"""Persons with several accounts, read as one row per person.

At given prices a person who is contacted in a queue is contacted about the account that leaves most there, so that each person
is a row of at most one cell per queue and everything that works on accounts works on persons. The bound of these rows is the
bound of the accounts at those prices, exactly; at other prices it may be below it, and the rows are read again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED
from collections_opt.core.persons import Persons
from collections_opt.solvers.compiled import kernel, map_chunks
from collections_opt.solvers.pricing.instance import Instance, Ints, charges

_BITS = PRICE_SCALE.bit_length() - 1
_NOTHING = -(1 << 62)
_MOST_MIXED_GROUPS = 1 << 16


@dataclass(frozen=True)
class People:
    """The accounts of an instance and the persons that they belong to; None if each account is its own person."""

    accounts: Instance
    persons: Persons | None

    @property
    def rows(self) -> int:
        """Number of persons."""
        return self.accounts.rows if self.persons is None else self.persons.count

    @property
    def threads(self) -> int:
        """Worker threads of the passes."""
        return self.accounts.threads

    def take(self, rows: Ints) -> People:
        """Return some persons with all limits scaled to their share."""
        if self.persons is None:
            return People(self.accounts.take(rows), None)
        share = len(rows) / max(1, self.rows)
        accounts, persons = self.persons.take(rows)
        limit = np.rint(self.accounts.limit * share).astype(np.int64)
        return People(self.accounts.part(accounts, limit), persons)

    @cached_property
    def several(self) -> Ints:
        """The persons with more than one account, ascending."""
        return np.flatnonzero(self.persons.account_count > 1) if self.persons else np.zeros(0, np.int64)

    def at(self, prices: Ints, onto: Instance | None = None) -> Instance:
        """Return the rows of all persons at prices (m + k) on the grid; the accounts themselves if nobody has several.

        ``onto`` are rows of the same people at other prices that are not needed any more: only those that may differ are
        written again, in their place.
        """
        if self.persons is None:
            return self.accounts
        accounts, persons = self.accounts, self.persons
        if onto is None:
            first = persons.order[persons.start[:-1]]
            value, seconds = (
                np.empty((persons.count, accounts.queues), np.int32),
                np.empty((persons.count, accounts.queues), np.uint16),
            )
            map_chunks(lambda a, b: _copy_rows(first[a:b], accounts, value[a:b], seconds[a:b]), persons.count, accounts.threads)
        else:
            value, seconds = onto.value, onto.seconds
        charge, several = charges(accounts, prices), self.several

        def work(start: int, stop: int) -> None:
            part = (several[start:stop], persons.order, persons.start, prices[: accounts.queues], charge)
            _read_rows(accounts.value, accounts.seconds, accounts.group, *part, value, seconds)

        map_chunks(work, len(several), accounts.threads)
        rows = replace(accounts, value=value, seconds=seconds)
        return _grouped(self, rows, prices) if len(accounts.table) else rows

    def picks(self, prices: Ints, persons: Ints, queues: NDArray[np.int16]) -> NDArray[np.int32]:
        """Return the account that a cell (person, queue) stands for at prices, int32 (c,); -1 where none is workable."""
        accounts = self.accounts
        if self.persons is None:
            return persons.astype(np.int32)
        picked = np.empty(len(persons), dtype=np.int32)
        cells = (accounts.value, accounts.seconds, accounts.group, self.persons.order, self.persons.start)
        _pick(*cells, prices[: accounts.queues], charges(accounts, prices), persons, queues, picked)
        return picked

    def of_accounts(self, prices: Ints, choice: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return int16 (n,) the queue of each account, from the queue of each person at the prices of his row."""
        if self.persons is None:
            return choice
        worked = np.flatnonzero(choice != UNASSIGNED)
        queue = np.full(self.accounts.rows, UNASSIGNED, dtype=np.int16)
        queue[self.picks(prices, worked, choice[worked])] = choice[worked]
        return queue

    def of_persons(self, queue: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return int16 (p,) the queue of each person, from a list in which one account of each is worked at most."""
        if self.persons is None:
            return queue
        choice = np.full(self.rows, UNASSIGNED, dtype=np.int16)
        worked = np.flatnonzero(queue != UNASSIGNED)
        choice[self.persons.of[worked]] = queue[worked]
        return choice


def _copy_rows(rows: NDArray[np.int32], accounts: Instance, value: NDArray[np.int32], seconds: NDArray[np.uint16]) -> None:
    np.take(accounts.value, rows, axis=0, out=value, mode="clip")
    np.take(accounts.seconds, rows, axis=0, out=seconds, mode="clip")


@kernel
def _read_rows(  # noqa: PLR0913, PLR0917 - flat arrays of one pass
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    persons: Ints,
    order: NDArray[np.int32],
    start: Ints,
    price: Ints,
    charge: Ints,
    row_value: NDArray[np.int32],
    row_seconds: NDArray[np.uint16],
) -> None:
    """Write for some persons and each queue the cell that leaves most, the first account's among equals."""
    m = value.shape[1]
    grouped = group.shape[0] == value.shape[0]
    best = np.empty(m, np.int64)
    for p in persons:
        best[:] = _NOTHING
        for place in range(start[p], start[p + 1]):
            i = order[place]
            g = group[i] if grouped else 0
            for q in range(m):
                v = np.int64(value[i, q])
                r = (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[g, q]
                if (v > 0 and r > best[q]) or place == start[p]:
                    best[q] = r if v > 0 else _NOTHING
                    row_value[p, q] = value[i, q]
                    row_seconds[p, q] = seconds[i, q]


@kernel
def _pick(  # noqa: PLR0913, PLR0917
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    order: NDArray[np.int32],
    start: Ints,
    price: Ints,
    charge: Ints,
    persons: Ints,
    queues: NDArray[np.int16],
    picked: NDArray[np.int32],
) -> None:
    """Write which account each cell (person, queue) is, as ``_read_rows`` chooses it."""
    grouped = group.shape[0] == value.shape[0]
    for cell in range(persons.shape[0]):
        p, q = persons[cell], queues[cell]
        best, picked[cell] = np.int64(_NOTHING), -1
        for place in range(start[p], start[p + 1]):
            i = order[place]
            v = np.int64(value[i, q])
            r = (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[group[i] if grouped else 0, q]
            if v > 0 and r > best:
                best, picked[cell] = r, i


def _grouped(people: People, rows: Instance, prices: Ints) -> Instance:
    """Give the rows of persons their groups: a person whose accounts are of several has one of its own, cell by cell."""
    accounts, persons = people.accounts, people.persons
    assert persons is not None
    of_order = accounts.group[persons.order]
    group = of_order[persons.start[:-1]].copy()
    most, least = (f.reduceat(of_order, persons.start[:-1]) for f in (np.maximum, np.minimum))
    mixed = np.flatnonzero(most != least)
    if not mixed.size or not accounts.queues:
        return replace(rows, group=group)
    queues = np.arange(accounts.queues)
    every = np.tile(queues.astype(np.int16), len(mixed))
    picked = people.picks(prices, np.repeat(mixed, accounts.queues), every).reshape(len(mixed), -1)
    cells = np.where(picked >= 0, accounts.group[np.maximum(picked, 0)], group[mixed][:, np.newaxis])
    own, place = _distinct(cells)
    value = rows.value
    if len(own) > _MOST_MIXED_GROUPS:  # keep of each such person the accounts of his best cell's group: the bound is the same
        gain = rows.value[mixed].astype(np.int64) * PRICE_SCALE - prices[: rows.queues] * rows.seconds[mixed].astype(np.int64)
        gain -= charges(accounts, prices)[cells, queues]
        best = np.where(rows.value[mixed] > 0, gain, _NOTHING).argmax(axis=1)
        group[mixed] = cells[np.arange(len(mixed)), best]
        value[mixed] = np.where(cells == group[mixed][:, np.newaxis], rows.value[mixed], INELIGIBLE)
        return replace(rows, group=group, value=value)
    groups = accounts.table.shape[1]
    table = np.empty((len(accounts.table), groups + len(own), accounts.queues), dtype=np.int64)
    table[:, :groups] = accounts.table
    table[:, groups:] = accounts.table[:, own, queues]
    group[mixed] = groups + place
    return replace(rows, group=group, table=table)


def _distinct(cells: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints]:
    """Return the distinct rows of an array and the place of each row among them."""
    whole = np.ascontiguousarray(cells).view(np.dtype((np.void, cells.dtype.itemsize * cells.shape[1]))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return cells[first], place.astype(np.int64)
