"""The order of a queue as it stands, kept as accounts move: a change costs by who moved, not by who is in the queue."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_ROW_BITS, _RANK_BITS = 26, 27
_MOST_RETURNED = (1 << 63 - _ROW_BITS - _RANK_BITS) - 1
"""Who was given back more often stands with those given back so often."""

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Stands:
    """Where an account stands that does not stand where the ranking put it.

    Attributes:
        queue: index of the queue, -1 for none.
        rank: twice its place there; odd, just before, for whom events brought.
        returned: how often it was given back; who was comes after all others.
    """

    queue: int
    rank: int
    returned: int


class QueueOrder:
    """The k rows of one queue in order: those that the ranking put there and that stay, with others among and after them.

    Args:
        base: int64 (k,) the rows that the ranking put there, in order.
        rank: int64 (k,) twice the place of each, rising.
    """

    def __init__(self, base: Ints, rank: Ints) -> None:
        self._base, self._rank = base, rank
        self._gone = _NONE  # places in base of rows that stand elsewhere now, rising
        self._gap = _NONE  # of each of those, how many stay before it
        self._keys = _NONE  # of others: returned, rank and row in one number, rising
        self._anchor = _NONE  # of others, the place in base before which their rank puts them
        self._among = 0  # how many of others were never given back
        self._by_row: Ints | None = None

    @property
    def size(self) -> int:
        """Rows in the queue."""
        return self._base.size - self._gone.size + self._keys.size

    def rows(self, start: int = 0, stop: int | None = None) -> Ints:
        """Return the rows from one place to before another, 0 first, int64; all by default."""
        stop = self.size if stop is None else min(stop, self.size)
        front = self.size - (self._keys.size - self._among)
        parts = [self._front(start, min(stop, front))] if start < min(stop, front) else []
        if stop > front:
            parts.append(_rows_of(self._keys[self._among + max(start - front, 0) : self._among + stop - front]))
        return np.concatenate(parts) if parts else _NONE

    def settle(self, left: Ints, came: Ints, gone: Ints, again: Ints) -> None:
        """Take in changes.

        Args:
            left: keys of others that are here no longer.
            came: keys of others that are new here.
            gone: rows of base that stand elsewhere now.
            again: rows of base that stand again where the ranking put them.
        """
        if gone.size or again.size:
            places = np.delete(self._gone, np.searchsorted(self._gone, self._places_in_base(again)))
            new = np.sort(self._places_in_base(gone))
            self._gone = np.insert(places, np.searchsorted(places, new), new)
            self._gap = self._gone - np.arange(self._gone.size)
        if left.size or came.size:
            at = np.searchsorted(self._keys, left)
            keys, anchor, new = np.delete(self._keys, at), np.delete(self._anchor, at), np.sort(came)
            at = np.searchsorted(keys, new)
            self._keys = np.insert(keys, at, new)
            self._anchor = np.insert(anchor, at, np.searchsorted(self._rank, _ranks_of(new)))
            self._among = int(np.searchsorted(self._keys, 1 << _ROW_BITS + _RANK_BITS))

    def _places_in_base(self, rows: Ints) -> Ints:
        if not rows.size:
            return _NONE
        if self._by_row is None:
            self._by_row = np.argsort(self._base, kind="stable")
        return self._by_row[np.searchsorted(self._base, rows, sorter=self._by_row)]

    def _front(self, start: int, stop: int) -> Ints:
        """Return the rows of some places, before those that were given back."""
        first, last = self._others_before(start), self._others_before(stop)
        is_other = np.zeros(stop - start, dtype=bool)
        is_other[self._places(first, last) - start] = True
        found = np.empty(stop - start, dtype=np.int64)
        found[is_other] = _rows_of(self._keys[first:last])
        staying = np.arange(start - first, stop - last)
        found[~is_other] = self._base[staying + np.searchsorted(self._gap, staying, side="right")]
        return found

    def _places(self, first: int, last: int) -> Ints:
        """Return the places of some others that were never given back."""
        anchor = self._anchor[first:last]
        return anchor - np.searchsorted(self._gone, anchor) + np.arange(first, last)

    def _others_before(self, place: int) -> int:
        """Return how many others stand before a place."""
        return bisect_left(range(self._among), place, key=lambda at: int(self._places(at, at + 1)[0]))


class LiveOrders:
    """The orders of all queues of a ranking.

    Args:
        queue: int16 (n,) where the ranking put accounts, -1 for nowhere.
        priority: int (n,) their places there, 1 first.
        stands: says where a row stands that does not stand where the ranking put it, None for one that does.
    """

    def __init__(self, queue: NDArray[np.int16], priority: NDArray[np.integer], stands: Callable[[int], Stands | None]) -> None:
        self._queue, self._priority, self._stands = queue, priority, stands
        self._orders: dict[int, QueueOrder] = {}
        self._elsewhere: dict[int, tuple[int, int]] = {}
        self._changed: set[int] = set()

    def changed(self, row: int) -> None:
        """Say that a row may stand elsewhere now."""
        self._changed.add(row)

    def of(self, queue: int) -> QueueOrder:
        """Return the order of a queue as it stands; it holds until somebody moves."""
        if self._changed:
            self._settle()
        if queue not in self._orders:
            rows = np.flatnonzero(self._queue == queue).astype(np.int64)
            rank = self._priority[rows].astype(np.int64) * 2
            sort = np.lexsort((rows, rank))
            order = self._orders[queue] = QueueOrder(rows[sort], rank[sort])
            came = [key for at, key in self._elsewhere.values() if at == queue]
            gone = [row for row in self._elsewhere if self._queue[row] == queue]
            order.settle(_NONE, _ints(came), _ints(gone), _NONE)
        return self._orders[queue]

    def _settle(self) -> None:
        """Let all rows that changed stand where they stand."""
        left: dict[int, list[int]] = {}
        came: dict[int, list[int]] = {}
        gone: dict[int, list[int]] = {}
        again: dict[int, list[int]] = {}
        for row in self._changed:
            before, stands = self._elsewhere.pop(row, None), self._stands(row)
            now = None if stands is None else (stands.queue, _key(stands, row))
            if now is not None:
                self._elsewhere[row] = now
            if before == now:
                continue
            if before is not None:
                left.setdefault(before[0], []).append(before[1])
            if now is not None:
                came.setdefault(now[0], []).append(now[1])
            if (before is None) != (now is None):
                (again if now is None else gone).setdefault(int(self._queue[row]), []).append(row)
        self._changed.clear()
        for queue, order in self._orders.items():
            order.settle(*(_of(changes, queue) for changes in (left, came, gone, again)))


def _key(stands: Stands, row: int) -> int:
    """Return one number by which others are in order."""
    returned = min(stands.returned, _MOST_RETURNED)
    return (returned << _RANK_BITS | stands.rank) << _ROW_BITS | row


def _rows_of(keys: Ints) -> Ints:
    return keys & ((1 << _ROW_BITS) - 1)


def _ranks_of(keys: Ints) -> Ints:
    return keys >> _ROW_BITS & ((1 << _RANK_BITS) - 1)


def _of(changes: Mapping[int, list[int]], queue: int) -> Ints:
    return _ints(changes.get(queue, []))


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
