"""Persons with several accounts, read as one row per person.

At given prices a person who is contacted in a queue is contacted about the account that leaves most there, so that each person
is a row of at most one cell per queue and everything that works on accounts works on persons. The bound of these rows is the
bound of the accounts at those prices, exactly; at other prices it may be below it, and the rows are read again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED
from collections_opt.engines.here import Here, map_chunks
from collections_opt.solvers.compiled import kernel
from collections_opt.solvers.pricing.instance import Instance, Ints, charges

_BITS = PRICE_SCALE.bit_length() - 1
_NOTHING = -(1 << 62)
_MOST_KINDS = 1 << 14
_HASH_SEED = 1_618
_LEVELS = 3


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

    @cached_property
    def groups(self) -> tuple[NDArray[np.int32], Ints]:
        """The group of each person's first account, int32 (p,), and the persons whose accounts are of several, ascending."""
        accounts, persons = self.accounts, self.persons
        assert persons is not None
        of_order = accounts.group[persons.order]
        most, least = (f.reduceat(of_order, persons.start[:-1]) for f in (np.maximum, np.minimum))
        return of_order[persons.start[:-1]], np.flatnonzero(most != least)

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
        rows = _with_cells(accounts, value, seconds)
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


def _with_cells(
    accounts: Instance, value: NDArray[np.int32], seconds: NDArray[np.uint16], group: NDArray[np.int32] | None = None
) -> Instance:
    """Return the instance with other rows in its place, and with their groups where there are side rows."""
    columns: dict[str, NDArray[Any]] = {"value": value, "seconds": seconds}
    if group is not None:
        columns["group"] = group
    return replace(accounts, passes=Here(columns, accounts.threads))


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


@kernel
def _mixed_cells(  # noqa: C901, PLR0913, PLR0917 - flat arrays of one pass
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    order: NDArray[np.int32],
    start: Ints,
    price: Ints,
    charge: Ints,
    persons: Ints,
    weights: NDArray[np.uint64],
    cells: NDArray[np.int32],
    kept: NDArray[np.uint8],
    keys: NDArray[np.uint64],
) -> None:
    """Write of some persons, cell by cell, the group of the account that ``_read_rows`` chooses, what speaks, and keys.

    A cell speaks at level 0 if it is workable, at level 1 if besides none of its account leaves more, at level 2 if none of the
    person does; ``kept`` counts the levels, and a key per level tells rows of equal cells apart.
    """
    m = value.shape[1]
    gain, account = np.empty(m, np.int64), np.empty(m, np.int64)
    for row in range(persons.shape[0]):
        p = persons[row]
        top = np.int64(_NOTHING)
        for q in range(m):
            gain[q], account[q] = _NOTHING, -1
            for place in range(start[p], start[p + 1]):
                i = order[place]
                v = np.int64(value[i, q])
                r = (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[group[i], q]
                if v > 0 and r > gain[q]:
                    gain[q], account[q] = r, i
            if account[q] >= 0 and gain[q] > top:
                top = gain[q]
        for q in range(m):
            cells[row, q], kept[row, q] = 0, 0
            if account[q] < 0:
                continue
            g = group[account[q]]
            level = 1
            best = True
            for other in range(m):
                if account[other] == account[q] and gain[other] > gain[q]:
                    best = False
            if best:
                level = 3 if gain[q] == top else 2
            cells[row, q], kept[row, q] = g, level
            for wanted in range(level):
                keys[wanted, row] += np.uint64(g) * weights[q]


def _grouped(people: People, rows: Instance, prices: Ints) -> Instance:
    """Give the rows of persons their groups: a person whose accounts are of several has one of its own kind, cell by cell.

    Where there are too many kinds only the best cell of each account is kept: the person's best is among them, so that the
    bound at these prices is the same.
    """
    accounts, persons = people.accounts, people.persons
    assert persons is not None
    group, mixed = people.groups
    if not mixed.size or not accounts.queues:
        return _with_cells(rows, rows.value, rows.seconds, group)
    weights = np.random.default_rng(_HASH_SEED).integers(1, 1 << 62, accounts.queues, dtype=np.uint64) | np.uint64(1)
    cells, kept = np.empty((len(mixed), accounts.queues), np.int32), np.empty((len(mixed), accounts.queues), np.uint8)
    keys, charge = np.zeros((_LEVELS, len(mixed)), np.uint64), charges(accounts, prices)

    def work(start: int, stop: int) -> None:
        held = (accounts.value, accounts.seconds, accounts.group, persons.order, persons.start, prices[: accounts.queues], charge)
        part = (cells[start:stop], kept[start:stop], keys[:, start:stop])
        _mixed_cells(*held, mixed[start:stop], weights, *part)

    map_chunks(work, len(mixed), accounts.threads)
    kinds, place, level = _kinds(cells, kept, keys)
    if level:
        dropped, at = np.nonzero((kept > 0) & (kept <= level))
        rows.value[mixed[dropped], at] = INELIGIBLE
    groups, queues = accounts.table.shape[1], np.arange(accounts.queues)
    table = np.empty((len(accounts.table), groups + len(kinds), accounts.queues), dtype=np.int64)
    table[:, :groups] = accounts.table
    table[:, groups:] = accounts.table[:, kinds, queues]
    group = group.copy()
    group[mixed] = groups + place
    return replace(_with_cells(rows, rows.value, rows.seconds, group), table=table)


def _kinds(cells: NDArray[np.int32], kept: NDArray[np.uint8], keys: NDArray[np.uint64]) -> tuple[NDArray[np.int32], Ints, int]:
    """Return the distinct rows of groups, each row's place among them, and the level of the cells that they speak of.

    All cells, or where that makes too many kinds the best one of each account, or only that of each person.
    """
    for level in range(_LEVELS):
        last = level == _LEVELS - 1
        if not last and len(cells) > 4 * _MOST_KINDS and len(np.unique(keys[level, : 2 * _MOST_KINDS])) > _MOST_KINDS:
            continue
        _, first, place = np.unique(keys[level], return_index=True, return_inverse=True)
        if last or len(first) <= _MOST_KINDS:
            spoken = np.where(kept > level, cells, 0)
            kinds = spoken[first]
            if (kinds[place] == spoken).all():
                return kinds, place.astype(np.int64), level
            kinds, place = np.unique(spoken, axis=0, return_inverse=True)  # two rows share a key
            if last or len(kinds) <= _MOST_KINDS:
                return kinds, place.ravel().astype(np.int64), level
    raise AssertionError("the last level always returns")
