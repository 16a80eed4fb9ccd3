"""Bugs planted on purpose: a harness that does not notice one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collections_opt.application.day.live_desk import LiveDesk
from collections_opt.core.day.events import EventKind
from collections_opt.ledger.events.event_log import EventLog, Subjects, Told

PLANTS: dict[str, Callable[[], None]] = {}
_LOSE_EVERY = 7


def planted(function: Callable[[], None]) -> Callable[[], None]:
    """Register a bug by its name."""
    PLANTS[function.__name__] = function
    return function


@planted
def two_holders() -> None:
    """Let nobody know who is held; the harness takes the database's own guard away too."""
    LiveDesk._hold = lambda self, lease, change: None  # type: ignore[method-assign]


@planted
def two_of_a_person() -> None:
    """Take every account for a person of its own."""
    LiveDesk.person_of = lambda self, row: f"account/{row}"  # type: ignore[method-assign]
    LiveDesk.rows_of_person = lambda self, row: [row]  # type: ignore[method-assign]


@planted
def lost_completions() -> None:
    """Say of some contacts that they are recorded, and record none of them."""
    record, count = EventLog.record_within, [0]

    def losing(self: EventLog, connection: Any, events: Any, subjects: Subjects, actor: Any, now: Any) -> list[Told]:
        count[0] += any(event.kind is EventKind.CONTACT for event in events)
        if count[0] % _LOSE_EVERY == 0 and len(events) > 1:
            kept = Subjects(subjects.account_no[-1:], subjects.person_no[-1:])
            last = record(self, connection, events[-1:], kept, actor, now)
            return [*[Told(1, repeated=False)] * (len(events) - 1), *last]
        return record(self, connection, events, subjects, actor, now)

    EventLog.record_within = losing  # type: ignore[method-assign]
