"""The worklist as it stands: the recorded order without who may not be worked any more, and with who moved in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from collections_opt.application.day.desk.gate import Gate, Verdict
from collections_opt.application.day.desk.live_desk import LiveDesk, Place
from collections_opt.application.day.desk.openings import Openings
from collections_opt.application.day.queue_states import (
    LOOKED_AT,
    QueueState,
    last_event,
    left_rows,
    queue_states,
    removed_by,
)
from collections_opt.application.day.turns import Turns
from collections_opt.ledger.events.leases import LeaseTurn


@dataclass(frozen=True)
class LiveEntry:
    """An account of a live worklist.

    Attributes:
        position: its place in the whole order, removed ones counted, 1 first.
        account_id: which.
        place: where it stands, or stood.
        arrived: events brought it here; the ranking did not.
        removed: why it is not to be worked, "" where it is: as ``Verdict.barred``, HELD or MOVED_AWAY.
        rule_id: the rule that forbids it, "" where none does.
        event: sequence of the event behind its arrival or removal, 0 where none is.
        waits: it comes when lawful or chosen hours open.
        attempts: attempts that rules leave.
    """

    position: int
    account_id: str
    place: Place
    arrived: bool
    removed: str
    rule_id: str
    event: int
    waits: bool
    attempts: int


class LiveWorklists:
    """Shows live worklists.

    Args:
        openings: opens rankings.
        turns: where leases are read.
        now: the clock.
    """

    def __init__(self, openings: Openings, turns: Turns, now: Callable[[], datetime]) -> None:
        self._openings = openings
        self._turns = turns
        self._now = now

    def page(self, ranking_id: str, queue_id: str, after: int, size: int, include_removed: bool) -> list[LiveEntry]:
        """Return entries after a position, at most ``size``.

        Raises:
            CollectionsError: NOT_FOUND; RANKING_NOT_IN_FORCE.
        """
        self._openings.prepare(ranking_id)

        def act(turn: LeaseTurn) -> list[LiveEntry]:
            now = self._now()
            desk, gate = self._openings.caught_up(turn, ranking_id, now)
            queue = desk.plan.queue_index(queue_id)
            found: list[LiveEntry] = []
            for entry in _entries(desk, gate, queue, after, now, include_removed):
                found.append(entry)
                if len(found) == size:
                    break
            return found

        return self._turns.look(act)

    def states(self, ranking_id: str) -> list[QueueState]:
        """Return every queue as it stands.

        Raises:
            CollectionsError: as ``page``.
        """
        self._openings.prepare(ranking_id)

        def act(turn: LeaseTurn) -> list[QueueState]:
            now = self._now()
            desk, gate = self._openings.caught_up(turn, ranking_id, now)
            return queue_states(desk, gate, now)

        return self._turns.look(act)


def _entries(desk: LiveDesk, gate: Gate, queue: int, after: int, now: datetime, include_removed: bool) -> Iterator[LiveEntry]:
    """Yield entries after a position; those that left the queue stand at its end."""
    here = desk.order(queue)
    left = left_rows(desk, queue) if include_removed else np.zeros(0, dtype=np.int64)
    for start in range(after, here.size + left.size, LOOKED_AT):
        stop = start + LOOKED_AT
        part = [*here.rows(start, stop).tolist(), *left[max(start - here.size, 0) : max(stop - here.size, 0)].tolist()]
        for offset, (row, verdict) in enumerate(zip(part, gate.verdicts(part, queue, now), strict=True)):
            position = start + offset + 1
            removed, event = removed_by(desk, row, verdict, position > here.size)
            if include_removed or not removed:
                yield _entry(desk, row, queue, position, verdict, (removed, event))


def _entry(desk: LiveDesk, row: int, queue: int, position: int, verdict: Verdict, why: tuple[str, int]) -> LiveEntry:
    removed, event = why
    arrived = desk.entries.queue[row] != queue
    place = desk.place_of(row)
    return LiveEntry(
        position=position,
        account_id=desk.account_id[row].decode(),
        place=place if place.queue == queue else desk.recorded_place(row),
        arrived=bool(arrived),
        removed=removed,
        rule_id=verdict.rule_id,
        event=event or (last_event(desk, row) if arrived else 0),
        waits=verdict.by_hours,
        attempts=verdict.attempts,
    )
