"""How queues of a live worklist stand: what is left and held, who left and why, who came, and what was paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from collections_opt.application.day.contact_requests import HELD
from collections_opt.application.day.desk.gate import Gate, Verdict
from collections_opt.application.day.desk.live_desk import Ints, LiveDesk
from collections_opt.core.day.event_columns import EPOCH, microseconds

MOVED_AWAY = "MOVED_AWAY"
"""Another queue works it now, or none: it is not worth its price here any more."""

LOOKED_AT = 256
"""Accounts that are judged at a time."""


@dataclass(frozen=True)
class QueueState:
    """A queue as it stands.

    Attributes:
        queue_id: which.
        depth: accounts left to work.
        held_count: leases held.
        left_seconds: capacity without what contacts took and what held accounts are expected to take.
        spent_seconds: what contacts took.
        value_minor: what is expected of the accounts left.
        oldest_lease: since when the oldest lease is held.
        removed: accounts of its recorded or present order that are not to be worked now, by why, as ``LiveEntry.removed``.
        arrived_count: accounts left to work that events brought here.
        received_minor: what accounts that the ranking put here paid since the day began, without payments taken back.
        paid_count: how many of them paid.
    """

    queue_id: str
    depth: int
    held_count: int
    left_seconds: int
    spent_seconds: int
    value_minor: int
    oldest_lease: datetime | None
    removed: Mapping[str, int]
    arrived_count: int
    received_minor: int
    paid_count: int


def queue_states(desk: LiveDesk, gate: Gate, now: datetime) -> list[QueueState]:
    """Return every queue as it stands.

    Of accounts about which nothing happened and whose persons nobody holds nothing need be asked: rules let them be ranked.
    """
    spent, committed = desk.spent_seconds(), desk.committed_seconds()
    received, paid = desk.received_minor()
    found = []
    for index, queue in enumerate(desk.plan.queues):
        rows = desk.order(index).rows()
        asked = (desk.version[rows] > 0) | (desk.busy[rows] > 0)
        why = _gone(desk, gate, rows[asked], index, now, left=False)
        free = rows[(desk.busy[rows] == 0) & ~np.isin(rows, list(why))]
        why |= _gone(desk, gate, left_rows(desk, index), index, now, left=True)
        mine = [one for one in desk.held.values() if (one.ranking_id, one.queue_id) == (desk.record.ranking_id, queue.queue_id)]
        oldest = min((one.leased_at for one in mine if one.expires_at > microseconds(now)), default=None)
        moved = np.isin(free, list(desk.places))
        value = desk.entries.increment_minor[free[~moved]].sum() + sum(
            desk.places[row].increment_minor for row in free[moved].tolist()
        )
        found.append(
            QueueState(
                queue_id=queue.queue_id,
                depth=free.size,
                held_count=len(mine),
                left_seconds=queue.capacity_seconds - int(spent[index]) - int(committed[index]),
                spent_seconds=int(spent[index]),
                value_minor=int(value),
                oldest_lease=None if oldest is None else EPOCH + timedelta(microseconds=oldest),
                removed=dict(sorted(Counter(why.values()).items())),
                arrived_count=int((desk.entries.queue[free] != index).sum()),
                received_minor=int(received[index]),
                paid_count=int(paid[index]),
            )
        )
    return found


def left_rows(desk: LiveDesk, queue: int) -> Ints:
    """Return accounts that the ranking put into a queue and events took away, int64 (k,)."""
    left = [row for row in sorted(desk.places) if desk.entries.queue[row] == queue and desk.places[row].queue != queue]
    return np.array(left, dtype=np.int64)


def removed_by(desk: LiveDesk, row: int, verdict: Verdict, left: bool) -> tuple[str, int]:
    """Return why an account is not to be worked, "" where it is, and the event behind that, 0 where none is."""
    if verdict.barred and not verdict.by_hours:
        return verdict.barred, verdict.event
    if left:
        return MOVED_AWAY, last_event(desk, row)
    return (HELD, 0) if desk.busy[row] else ("", 0)


def last_event(desk: LiveDesk, row: int) -> int:
    """Return the sequence of the last event about an account or its person, 0 for none."""
    _, told = desk.events_of([row])
    return max((one.sequence for one in told), default=0)


def _gone(desk: LiveDesk, gate: Gate, rows: Ints, queue: int, now: datetime, left: bool) -> dict[int, str]:
    """Return which of some accounts are not to be worked in a queue, and why; ``left`` says that events took them away."""
    found: dict[int, str] = {}
    for start in range(0, rows.size, LOOKED_AT):
        part = rows[start : start + LOOKED_AT].tolist()
        for row, verdict in zip(part, gate.verdicts(part, queue, now), strict=True):
            if why := removed_by(desk, row, verdict, left)[0]:
                found[row] = why
    return found
