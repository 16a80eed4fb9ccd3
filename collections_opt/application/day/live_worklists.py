"""The worklist as it stands: the recorded order without who may not be worked any more, and with who moved in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from collections_opt.application.day.desks import Desks
from collections_opt.application.day.dispatch import Dispatch
from collections_opt.application.day.gate import Gate, Verdict
from collections_opt.application.day.live_desk import LiveDesk, Place
from collections_opt.application.day.turns import Turns
from collections_opt.core.day.event_columns import EPOCH, microseconds
from collections_opt.ledger.events.leases import LeaseTurn

HELD = "HELD"
"""An agent holds the account, or another of the person."""

MOVED_AWAY = "MOVED_AWAY"
"""Another queue works it now, or none: it is not worth its price here any more."""

_LOOKED_AT = 256


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


@dataclass(frozen=True)
class QueueState:
    """A queue as it stands: accounts left and held, seconds and money left, and since when the oldest lease is held."""

    queue_id: str
    depth: int
    held_count: int
    left_seconds: int
    spent_seconds: int
    value_minor: int
    oldest_lease: datetime | None


class LiveWorklists:
    """Shows live worklists.

    Args:
        desks: rankings in work.
        turns: where leases are read.
        dispatch: opens rankings.
        now: the clock.
    """

    def __init__(self, desks: Desks, turns: Turns, dispatch: Dispatch, now: Callable[[], datetime]) -> None:
        self._desks = desks
        self._turns = turns
        self._dispatch = dispatch
        self._now = now

    def page(self, ranking_id: str, queue_id: str, after: int, size: int, include_removed: bool) -> list[LiveEntry]:
        """Return entries after a position, at most ``size``.

        Raises:
            CollectionsError: NOT_FOUND; RANKING_NOT_IN_FORCE.
        """
        self._dispatch.prepare(ranking_id)

        def act(turn: LeaseTurn) -> list[LiveEntry]:
            now = self._now()
            desk, gate = self._caught_up(turn, ranking_id, now)
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
        self._dispatch.prepare(ranking_id)

        def act(turn: LeaseTurn) -> list[QueueState]:
            now = self._now()
            desk, gate = self._caught_up(turn, ranking_id, now)
            spent, committed = desk.spent_seconds(), desk.committed_seconds()
            return [_state(desk, gate, index, int(spent[index]), int(committed[index]), now) for index in range(spent.size)]

        return self._turns.look(act)

    def _caught_up(self, turn: LeaseTurn, ranking_id: str, now: datetime) -> tuple[LiveDesk, Gate]:
        desk, gate = self._desks.open(ranking_id, now)
        self._desks.catch_up(desk, gate, turn, now)
        return desk, gate


def _entries(desk: LiveDesk, gate: Gate, queue: int, after: int, now: datetime, include_removed: bool) -> Iterator[LiveEntry]:
    """Yield entries after a position; those that left the queue stand at its end."""
    here = desk.order(queue)
    left = [row for row in sorted(desk.places) if desk.entries.queue[row] == queue and desk.places[row].queue != queue]
    rows = np.concatenate([here, np.array(left, dtype=np.int64)]) if include_removed else here
    for start in range(after, rows.size, _LOOKED_AT):
        part = rows[start : start + _LOOKED_AT].tolist()
        for offset, (row, verdict) in enumerate(zip(part, gate.verdicts(part, queue, now), strict=True)):
            position = start + offset + 1
            removed, event = _removed(desk, row, verdict, position > here.size)
            if include_removed or not removed:
                yield _entry(desk, row, queue, position, verdict, (removed, event))


def _removed(desk: LiveDesk, row: int, verdict: Verdict, left: bool) -> tuple[str, int]:
    if verdict.barred and not verdict.by_hours:
        return verdict.barred, verdict.event
    if left:
        return MOVED_AWAY, _last_event(desk, row)
    return (HELD, 0) if desk.busy[row] else ("", 0)


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
        event=event or (_last_event(desk, row) if arrived else 0),
        waits=verdict.by_hours,
        attempts=verdict.attempts,
    )


def _last_event(desk: LiveDesk, row: int) -> int:
    _, told = desk.events_of([row])
    return max((one.sequence for one in told), default=0)


def _state(desk: LiveDesk, gate: Gate, queue: int, spent: int, committed: int, now: datetime) -> QueueState:
    """Return a queue as it stands; of accounts about which nothing happened nothing need be asked: rules let them be ranked."""
    rows = desk.order(queue)
    touched = rows[desk.version[rows] > 0].tolist()
    gone = {
        row
        for start in range(0, len(touched), _LOOKED_AT)
        for row, verdict in zip(
            touched[start : start + _LOOKED_AT],
            gate.verdicts(touched[start : start + _LOOKED_AT], queue, now),
            strict=True,
        )
        if verdict.barred and not verdict.by_hours
    }
    free = [row for row in rows.tolist() if row not in gone and not desk.busy[row]]
    queue_id = desk.plan.queues[queue].queue_id
    mine = [one for one in desk.held.values() if (one.ranking_id, one.queue_id) == (desk.record.ranking_id, queue_id)]
    oldest = min((one.leased_at for one in mine if one.expires_at > microseconds(now)), default=None)
    moved = sum(desk.places[row].increment_minor for row in free if row in desk.places)
    stays = np.array([row for row in free if row not in desk.places], dtype=np.int64)
    return QueueState(
        queue_id=queue_id,
        depth=len(free),
        held_count=len(mine),
        left_seconds=desk.plan.queues[queue].capacity_seconds - spent - committed,
        spent_seconds=spent,
        value_minor=int(desk.entries.increment_minor[stays].sum()) + moved,
        oldest_lease=None if oldest is None else EPOCH + timedelta(microseconds=oldest),
    )
