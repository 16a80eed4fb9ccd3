"""Record what happens, and read it back in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from collections_opt.application.records.recorder import Recorder
from collections_opt.core.actors import Actor
from collections_opt.core.day.event_checks import check_events, subject_fault
from collections_opt.core.day.events import Event, RecordedEvent
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.events.event_log import EventLog, Told

PUBLISH_AFTER = timedelta(seconds=30)
"""How long the log may grow by events before a checkpoint is signed: one for each call would hash the log each time."""


class EventBook:
    """Records events and tells them.

    Args:
        log: where they are kept.
        recorder: what signs the log.
        now: the clock.
    """

    def __init__(self, log: EventLog, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self.log = log
        self._recorder = recorder
        self._now = now
        self._lock = threading.Lock()
        self._published_at: datetime | None = None

    def record(self, events: Sequence[Event], actor: Actor, validate_only: bool = False) -> list[Told]:
        """Record 1 to 1,000 events: all, or none where any is at fault.

        Raises:
            CollectionsError: as ``check_events`` and ``EventLog.record``.
        """
        now = self._now()
        check_events(events, now)
        if validate_only:
            return []
        told = self.log.record(events, actor, now)
        self.publish_soon()
        return told

    def publish_soon(self) -> None:
        """Sign a checkpoint unless one was signed a moment ago."""
        now = self._now()
        with self._lock:
            due = self._published_at is None or now - self._published_at >= PUBLISH_AFTER
            if due:
                self._published_at = now
        if due:
            self._recorder.publish()

    def after(self, sequence: int, size: int) -> list[RecordedEvent]:
        """Return events in order, after one, at most ``size``.

        Raises:
            CollectionsError: INVALID_ARGUMENT for a negative number.
        """
        if sequence < 0:
            raise refuse(Reason.INVALID_ARGUMENT, "after_sequence", "is negative.", "Send 0 to start from the first event.")
        return [stored.recorded for stored in self.log.after(sequence, size)]

    def of_account(self, account_id: str, customer_id: str, before: int | None, size: int) -> list[RecordedEvent]:
        """Return the events of an account, those told about a person alone, or both, newest first.

        Raises:
            CollectionsError: INVALID_ARGUMENT unless one is named, and for what is no id.
        """
        if not account_id and not customer_id:
            raise refuse(Reason.INVALID_ARGUMENT, "account_id", "name an account or a person.", "Send one of the two.")
        found = subject_fault("account_id", account_id) or subject_fault("customer_id", customer_id)
        if found:
            raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))
        return [stored.recorded for stored in self.log.of_account(account_id, customer_id, before, size)]
