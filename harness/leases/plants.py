"""Bugs planted on purpose: a harness that does not notice one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collections_opt.application.day.desk.live_desk import LiveDesk
from collections_opt.core.day.events import EventKind
from collections_opt.ledger.events.event_writer import EventWriter
from collections_opt.ledger.events.stored_events import Subjects, Told


@dataclass(frozen=True)
class Plant:
    """A bug, and as what it must be found: a run that goes wrong in another way has not found it."""

    kind: str
    put: Callable[[], None]


PLANTS: dict[str, Plant] = {}
_LOSE_EVERY = 7


def planted(kind: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a bug by its name, that is found as a kind of fault."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        PLANTS[function.__name__] = Plant(kind, function)
        return function

    return register


@planted("double holder")
def two_holders() -> None:
    """Let nobody know who is held; the harness takes the database's own guard away too."""
    LiveDesk._hold = lambda self, lease, change: None  # type: ignore[method-assign]


@planted("person twice")
def two_of_a_person() -> None:
    """Take every account for a person of its own."""
    LiveDesk.person_of = lambda self, row: f"account/{row}"  # type: ignore[method-assign]
    LiveDesk.rows_of_person = lambda self, row: [row]  # type: ignore[method-assign]


@planted("lost")
def lost_completions() -> None:
    """Say of some contacts that they are recorded, and record none of them."""
    take, count = EventWriter.take, [0]

    def losing(self: EventWriter, events: Any, subjects: Subjects, *rest: Any) -> list[Told]:
        count[0] += any(event.kind is EventKind.CONTACT for event in events)
        if count[0] % _LOSE_EVERY == 0 and len(events) > 1:
            kept = Subjects(subjects.account_no[-1:], subjects.person_no[-1:])
            return [*[Told(1, repeated=False)] * (len(events) - 1), *take(self, events[-1:], kept, *rest)]
        return take(self, events, subjects, *rest)

    EventWriter.take = losing  # type: ignore[method-assign]
