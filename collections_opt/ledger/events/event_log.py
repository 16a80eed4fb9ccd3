"""Events in the order in which they were recorded: sealed, without gaps, each batch under a leaf of the log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event
from collections_opt.ledger.events.event_check import EventCheck, microseconds
from collections_opt.ledger.events.event_ids import InSight, everything
from collections_opt.ledger.events.event_writer import EventWriter
from collections_opt.ledger.events.stored_events import (
    NOBODY,
    PERSON,
    StoredEvent,
    Subjects,
    Told,
    events_after,
    name_of,
    opened,
    subjects_of,
)
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Store, check_size
from collections_opt.ledger.store.schema import day_events as table

_LAST = sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0))


class EventLog(Store):
    """Records events and reads them; any thread may call any method."""

    def __init__(self, database: Any, keys: SubjectKeys) -> None:
        super().__init__(database)
        self._keys = keys

    def subjects(self, events: Sequence[Event], check_only: bool = False) -> Subjects:
        """Return whom events concern; an account or person never seen gets a key, and is joined when it arrives.

        With ``check_only`` nobody gets one: who was never seen is ``NOBODY``.
        """
        named = np.array([name_of(event) for event in events], dtype=np.bytes_)
        numbers = self._keys.known_numbers(named) if check_only else self._keys.numbers(named)
        return subjects_of(events, numbers)

    def number_of(self, account_id: str) -> int:
        """Return the key number of an account, ``NOBODY`` for one never seen or erased; gives none."""
        found = self._keys.find(account_id)
        return NOBODY if found is None else found

    def person_number(self, customer_id: str) -> int | None:
        """Return the number of the key that seals the events told of a person alone, None for one never told of, or erased."""
        return self._keys.find(PERSON.decode() + customer_id)

    def person_numbers(self, customers: Sequence[str]) -> list[int]:
        """Return the numbers of the keys of what is told of persons alone; a person never told of gets one."""
        named = np.array([PERSON + customer.encode() for customer in customers], dtype=np.bytes_)
        return [int(number) for number in self._keys.numbers(named)]

    def record(self, events: Sequence[Event], actor: Actor, now: datetime, in_sight: InSight = everything) -> list[Told]:
        """Record a batch in one transaction: all of it, or none; events that are there already are not recorded again.

        Args:
            events: the batch.
            actor: who tells it.
            now: the clock.
            in_sight: which accounts the caller sees; ids of events of others are not taken for them.

        Raises:
            CollectionsError: ALREADY_EXISTS naming every id that holds another event; INVALID_ARGUMENT for a reversal of what
                cannot be taken back; OUTCOME_UNKNOWN when the commit failed: tell the same events again.
        """
        subjects = self.subjects(events)
        with self._database.write() as connection:
            writer = self.writer(connection)
            told = writer.take(events, subjects, actor, now, in_sight)
            writer.write()
            return told

    def writer(self, connection: sa.Connection, last: int | None = None, erasures: int | None = None) -> EventWriter:
        """Return what takes events within a transaction; arguments as of ``EventWriter``."""
        return EventWriter(connection, self._keys, last, erasures)

    def numbers_within(self, connection: sa.Connection, names: Sequence[bytes], erasures: int) -> list[int]:
        """Return the key numbers of subjects by what the directory calls them, ``NOBODY`` for one never seen or erased."""
        found = self._keys.numbers_within(connection, np.array(names, dtype=np.bytes_), erasures)
        return [int(number) for number in found]

    def account_within(self, connection: sa.Connection, number: int, erasures: int) -> str:
        """Return the account of a key number, "" for one that was erased or never given, within a transaction."""
        return self._keys.account_within(connection, number, erasures)

    def after(self, sequence: int, size: int) -> list[StoredEvent]:
        """Return events in order, after one (0 for all), at most ``size``; those of erased subjects without content."""
        with self._database.read() as connection:
            return self.after_within(connection, sequence, check_size(size))

    def after_within(self, connection: sa.Connection, sequence: int, size: int, erasures: int | None = None) -> list[StoredEvent]:
        """Return events as ``after``, within a transaction and of any number at most."""
        return events_after(connection, self._keys, sequence, size, erasures)

    def before(self, instant: datetime) -> int:
        """Return the number of the last event that was recorded before an instant, 0 for none."""
        micros = microseconds(instant)
        query = _LAST.where(table.c.recorded_at < micros)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def of_account(self, account_id: str, customer_id: str, before: int | None, size: int) -> list[StoredEvent]:
        """Return the events of an account, those told about a person alone, or both, newest first, before one (None for all)."""
        mine = self._keys.find(account_id) if account_id else None
        theirs = self._keys.find(PERSON.decode() + customer_id) if customer_id else None
        query = table.select().where((table.c.account_no == mine) | (table.c.person_no == theirs))
        if before is not None:
            query = query.where(table.c.sequence < before)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.sequence.desc()).limit(check_size(size))).all()
            return opened(connection, self._keys, rows)

    def last_sequence(self) -> int:
        """Return the number of the last event, 0 while there is none."""
        with self._database.read() as connection:
            return int(connection.execute(_LAST).scalar_one())

    def verify(self, erased: Collection[int] = ()) -> list[str]:
        """Return where events differ from what was recorded of them, in words; empty when none does.

        Args:
            erased: numbers of keys whose erasure was recorded; an event whose key is gone without one is told.
        """
        return EventCheck(self._database, self._keys, name_of, erased).broken()
