"""Record what happens, and read it back in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from collections_opt.application.day.sight import AccountsInSight, out_of_sight, sees_all
from collections_opt.application.records.recorder import Recorder
from collections_opt.core.actors import Actor
from collections_opt.core.day.event_checks import check_events, require_no_reviews, subject_fault
from collections_opt.core.day.events import Event, RecordedEvent
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.events.event_ids import InSight
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.stored_events import NOBODY, Told

PUBLISH_AFTER = timedelta(seconds=30)
"""How long the log may grow by events before a checkpoint is signed: one for each call would hash the log each time."""


_PAGE = 1_000


class EventBook:
    """Records events and tells them.

    Args:
        log: where they are kept.
        sight: which accounts a limited caller may tell or hear of.
        recorder: what signs the log.
        now: the clock.
    """

    def __init__(self, log: EventLog, sight: AccountsInSight, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self.log = log
        self._sight = sight
        self._recorder = recorder
        self._now = now
        self._lock = threading.Lock()
        self._published_at: datetime | None = None

    def record(self, events: Sequence[Event], actor: Actor, validate_only: bool = False) -> list[Told]:
        """Record 1 to 1,000 events: all, or none where any is at fault.

        Raises:
            CollectionsError: as ``check_events`` and ``EventLog.record``; PERMISSION_DENIED to a limited caller,
                naming every event that names no account in sight.
        """
        now = self._now()
        check_events(events, now)
        require_no_reviews(events)
        self.require_in_sight(events)
        return [] if validate_only else self.tell(events, actor, now)

    def tell(self, events: Sequence[Event], actor: Actor, now: datetime) -> list[Told]:
        """Record events that were checked.

        Raises:
            CollectionsError: as ``EventLog.record``.
        """
        in_sight = self.in_sight()
        with seeing(EVERYTHING):  # their numbers are given over all events
            told = self.log.record(events, actor, now, in_sight)
            self.publish_soon()
        return told

    def in_sight(self) -> InSight:
        """Return what tells the accounts that the present caller sees."""
        return self._sight.of_caller()

    def require_in_sight(self, events: Sequence[Event], path: str = "events") -> None:
        """Refuse what a limited caller tells of accounts out of sight.

        Raises:
            CollectionsError: PERMISSION_DENIED naming every such event.
        """
        if sees_all():
            return
        numbers = [self.log.number_of(event.account_id) if event.account_id else NOBODY for event in events]
        unseen = np.flatnonzero(~self._sight.mask(np.array(numbers, dtype=np.int64)))
        if unseen.size:
            found = [out_of_sight(f"{path}[{index}].account_id").violations[0] for index in unseen.tolist()]
            raise CollectionsError(Reason.PERMISSION_DENIED, str(found[0]), tuple(found))

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
        if sees_all():
            return [stored.recorded for stored in self.log.after(sequence, size)]
        return list(islice(self._seen_after(sequence), size))

    def _seen_after(self, sequence: int) -> Iterator[RecordedEvent]:
        """Yield the events about accounts in sight; of what concerns a person alone nothing is told."""
        while True:
            require_wanted()
            with seeing(EVERYTHING):
                page = self.log.after(sequence, _PAGE)
            mine = self._sight.mask(np.array([stored.account_no for stored in page], dtype=np.int64))
            yield from (page[index].recorded for index in np.flatnonzero(mine).tolist())
            if len(page) < _PAGE:
                return
            sequence = page[-1].recorded.sequence

    def of_account(self, account_id: str, customer_id: str, before: int | None, size: int) -> list[RecordedEvent]:
        """Return the events of an account, those told about a person alone, or both, newest first.

        Raises:
            CollectionsError: INVALID_ARGUMENT unless one is named, and for what is no id; PERMISSION_DENIED to a limited caller
                for an account out of sight, and for a person unless an account in sight is named that the person owes.
        """
        if not account_id and not customer_id:
            raise refuse(Reason.INVALID_ARGUMENT, "account_id", "name an account or a person.", "Send one of the two.")
        found = subject_fault("account_id", account_id) or subject_fault("customer_id", customer_id)
        if found:
            raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))
        if not sees_all():
            self._sight.require_account("account_id", account_id, customer_id)
        with seeing(EVERYTHING):
            return [stored.recorded for stored in self.log.of_account(account_id, customer_id, before, size)]
