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

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.compiled import kernel, map_chunks
from collections_opt.solvers.pricing.instance import Instance, Ints, charges

_BITS = PRICE_SCALE.bit_length() - 1
_NOTHING = -(1 << 62)
_MOST_KINDS = 1 << 14
_HASH_SEED = 1_618


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
    """Give the rows of persons their groups: a person whose accounts are of several has one of its own kind, cell by cell.

    Where there are too many kinds only the best cell of each account is kept: the person's best is among them, so that the
    bound at these prices is the same.
    """
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
    cells = np.where(picked >= 0, accounts.group[np.maximum(picked, 0)], 0)
    value, seconds = rows.value[mixed].astype(np.int64), rows.seconds[mixed].astype(np.int64)
    gain = value * PRICE_SCALE - prices[: rows.queues] * seconds - charges(accounts, prices)[cells, queues]
    loss = np.where(picked >= 0, np.where(picked >= 0, gain, 0).max(axis=1)[:, np.newaxis] - gain, -_NOTHING)
    kinds, place, kept = _kinds(cells, loss, picked)
    dropped, at = np.nonzero((picked >= 0) & ~kept)
    rows.value[mixed[dropped], at] = INELIGIBLE
    groups = accounts.table.shape[1]
    table = np.empty((len(accounts.table), groups + len(kinds), accounts.queues), dtype=np.int64)
    table[:, :groups] = accounts.table
    table[:, groups:] = accounts.table[:, kinds, queues]
    group[mixed] = groups + place
    return replace(rows, group=group, table=table)


def _kinds(cells: NDArray[np.int32], loss: Ints, picked: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints, NDArray[np.bool_]]:
    """Return the distinct rows of groups, each row's place among them, and which cells they speak of.

    All cells, or where that makes too many kinds the best one of each account, or only that of each person.
    """
    workable = picked >= 0
    of_account = np.full(int(picked.max(initial=0)) + 1, -_NOTHING)
    np.minimum.at(of_account, picked[workable], loss[workable])
    best = workable & (loss == of_account[np.maximum(picked, 0)])
    alone = best & (loss == loss.min(axis=1, keepdims=True))
    for kept in (workable, best):
        spoken = np.where(kept, cells, 0)
        if len(cells) > 4 * _MOST_KINDS and len(_distinct(spoken[: 2 * _MOST_KINDS])[0]) > _MOST_KINDS:
            continue
        kinds, place = _distinct(spoken)
        if len(kinds) <= _MOST_KINDS:
            return kinds, place, kept
    return *_distinct(np.where(alone, cells, 0)), alone


def _distinct(cells: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints]:
    """Return the distinct rows of an array and the place of each row among them."""
    weights = np.random.default_rng(_HASH_SEED).integers(1, 1 << 62, cells.shape[1], dtype=np.uint64) | np.uint64(1)
    key = (cells.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    if (cells[first][place] == cells).all():
        return cells[first], place.astype(np.int64)
    kinds, place = np.unique(cells, axis=0, return_inverse=True)
    return kinds, place.ravel().astype(np.int64)
