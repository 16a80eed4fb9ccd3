"""Where accounts stand, or would stand, in the worklists of a recorded ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Entries

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RecordedDecisions:
    """What a ranking decided for m accounts; an account that it does not hold has disposition 0, no queue and place 0.

    Attributes:
        disposition: uint8 (m,).
        queue: int16 (m,), -1 for none.
        priority: int32 (m,) place in the queue, 1 first.
    """

    disposition: NDArray[np.uint8]
    queue: NDArray[np.int16]
    priority: NDArray[np.int32]


class WorklistOrder:
    """The order of a recorded ranking's queues, ready to say where further accounts would stand.

    Attributes:
        account_id: bytes (n,) of all its accounts, sorted.
        used_seconds: int64 (q,) time its worklists take.
        worked_count: int64 (q,) accounts they hold.
    """

    def __init__(self, entries: Entries, queue_count: int) -> None:
        self.account_id = entries.account_id
        self._recorded = RecordedDecisions(
            disposition=np.append(entries.disposition, np.uint8(0)),
            queue=np.append(entries.queue, np.int16(UNASSIGNED)),
            priority=np.append(entries.priority, np.int32(0)),
        )
        self.used_seconds = np.zeros(queue_count, dtype=np.int64)
        worked = np.flatnonzero(entries.queue != UNASSIGNED)
        np.add.at(self.used_seconds, entries.queue[worked], entries.seconds[worked])
        self._span = entries.account_id.size + 1
        self._densities: list[NDArray[np.float64]] = []
        self._keys: list[Ints] = []
        for index in range(queue_count):
            rows = np.flatnonzero(entries.queue == index)
            rows = rows[np.argsort(entries.priority[rows])]
            falling = -entries.increment_minor[rows] / entries.seconds[rows]
            distinct, place_of = np.unique(falling, return_inverse=True)
            self._densities.append(distinct)
            self._keys.append(place_of * self._span + rows)
        self.worked_count = np.array([keys.size for keys in self._keys], dtype=np.int64)

    def rows(self, account_id: NDArray[np.bytes_]) -> Ints:
        """Return the row of each account in the ranking, int64 (m,), -1 for one that it does not hold."""
        if not self.account_id.size:
            return np.full(account_id.size, -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(self.account_id, account_id), self.account_id.size - 1)
        return np.where(self.account_id[found] == account_id, found, -1).astype(np.int64)

    def decisions(self, rows: Ints) -> RecordedDecisions:
        """Return what was decided for rows, which may be -1."""
        held = self._recorded
        return RecordedDecisions(held.disposition[rows], held.queue[rows], held.priority[rows])

    def positions(
        self,
        account_id: NDArray[np.bytes_],
        queue: NDArray[np.int16],
        increment_minor: NDArray[np.int32],
        seconds: NDArray[np.uint16],
    ) -> NDArray[np.int32]:
        """Return the place that each account would take in its queue, int32 (m,), 1 first; 0 without a queue.

        The order is the worklist's: D / h, highest first, ties by account id. An account that the worklist already holds is
        not counted against itself. Accounts of one call do not push each other back.
        """
        result = np.zeros(queue.size, dtype=np.int32)
        before = np.searchsorted(self.account_id, account_id)
        own = self.decisions(self.rows(account_id))
        for index in range(len(self._keys)):
            here = np.flatnonzero(queue == index)
            if not here.size:
                continue
            falling = -increment_minor[here] / seconds[here]
            distinct, keys = self._densities[index], self._keys[index]
            group = np.searchsorted(distinct, falling)
            tied = group < distinct.size
            tied[tied] = distinct[group[tied]] == falling[tied]
            ahead = np.searchsorted(keys, group * self._span + np.where(tied, before[here], 0))
            counted = (own.queue[here] == index) & (own.priority[here] <= ahead)
            result[here] = ahead + 1 - counted
        return result
