"""Events in the order in which they were recorded: sealed, without gaps, each batch under a leaf of the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.ledger.events.event_check import EPOCH, ROWS_DIGEST, EventCheck, microseconds, rows_digest
from collections_opt.ledger.events.event_ids import InSight, Places, Subject, everything
from collections_opt.ledger.events.event_texts import event_of, text_of
from collections_opt.ledger.events.sealed_rows import seal_rows, unseal_rows
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree
from collections_opt.ledger.sealing.keystream import NONCE_BYTES
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Store, check_size, timestamp
from collections_opt.ledger.store.schema import day_events as table

NOBODY = -1
"""Key number where an event concerns no account, or no person of its own."""

PERSON = b"\x1fcustomer\x1f"
"""Before the id of a person in the directory of keys, where accounts stand by theirs."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Subjects:
    """Whom events concern: key numbers of accounts and of persons, int64 (n,), ``NOBODY`` for none.

    An event that names an account is the account's; one that names a person alone is the person's.
    """

    account_no: Numbers
    person_no: Numbers

    @property
    def key_no(self) -> Numbers:
        """Number of the key that seals each event, int64 (n,)."""
        return np.where(self.account_no >= 0, self.account_no, self.person_no)


@dataclass(frozen=True)
class Told:
    """How an event was taken: its sequence number, and whether it was there already."""

    sequence: int
    repeated: bool


@dataclass(frozen=True)
class StoredEvent:
    """A recorded event with the key numbers that it was kept under."""

    account_no: int
    person_no: int
    recorded: RecordedEvent


class EventLog(Store):
    """Records events and reads them; any thread may call any method."""

    def __init__(self, database: Any, keys: SubjectKeys) -> None:
        super().__init__(database)
        self._keys = keys

    def subjects(self, events: Sequence[Event], check_only: bool = False) -> Subjects:
        """Return whom events concern; an account or person never seen gets a key, and is joined when it arrives.

        With ``check_only`` nobody gets one: who was never seen is ``NOBODY``.
        """
        named = np.array([_name_of(event) for event in events], dtype=np.bytes_)
        numbers = self._keys.known_numbers(named) if check_only else self._keys.numbers(named)
        of_account = np.array([bool(event.account_id) for event in events], dtype=bool)
        return Subjects(np.where(of_account, numbers, NOBODY), np.where(of_account, NOBODY, numbers))

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
            return self.record_within(connection, events, subjects, actor, now, in_sight)

    def record_within(
        self,
        connection: sa.Connection,
        events: Sequence[Event],
        subjects: Subjects,
        actor: Actor,
        now: datetime,
        in_sight: InSight = everything,
    ) -> list[Told]:
        """Record a batch, within a transaction; as ``record``."""
        places = Places(lambda digests: self._by_digest(connection, digests), in_sight)
        places.look_up([event.event_id for event in events] + [event.reverses for event in events if event.reverses])
        whose = list(zip(subjects.account_no.tolist(), subjects.person_no.tolist(), strict=True))
        found = [places.of(event.event_id, subject) for event, subject in zip(events, whose, strict=True)]
        digests, there = [digest for digest, _ in found], cast(list["StoredEvent | None"], [kept for _, kept in found])
        texts = [text_of(event) for event in events]
        first_of = {event.event_id: index for index, event in reversed(list(enumerate(events)))}
        self._refuse_others(events, texts, there, first_of)
        _refuse_reversals(events, whose, places)
        last = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0))).scalar_one())
        new = [index for index, event in enumerate(events) if there[index] is None and first_of[event.event_id] == index]
        sequence_of = {digests[index]: last + place for place, index in enumerate(new, start=1)}
        if new:
            self._insert(connection, [texts[i] for i in new], [digests[i] for i in new], new, subjects, actor, now, last)
        told = [sequence_of[digests[index]] if kept is None else kept.recorded.sequence for index, kept in enumerate(there)]
        fresh = set(new)
        return [Told(sequence, index not in fresh) for index, sequence in enumerate(told)]

    def after(self, sequence: int, size: int) -> list[StoredEvent]:
        """Return events in order, after one (0 for all), at most ``size``; those of erased subjects without content."""
        with self._database.read() as connection:
            return self.after_within(connection, sequence, size)

    def after_within(self, connection: sa.Connection, sequence: int, size: int) -> list[StoredEvent]:
        """Return events as ``after``, within a transaction."""
        query = table.select().where(table.c.sequence > sequence).order_by(table.c.sequence).limit(check_size(size))
        return self._opened(connection, connection.execute(query).mappings().all())

    def before(self, instant: datetime) -> int:
        """Return the number of the last event that was recorded before an instant, 0 for none."""
        micros = microseconds(instant)
        query = sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0)).where(table.c.recorded_at < micros)
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
            rows = connection.execute(query.order_by(table.c.sequence.desc()).limit(check_size(size))).mappings().all()
            return self._opened(connection, rows)

    def last_sequence(self) -> int:
        """Return the number of the last event, 0 while there is none."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0))).scalar_one())

    def verify(self, erased: Collection[int] = ()) -> list[str]:
        """Return where events differ from what was recorded of them, in words; empty when none does.

        Args:
            erased: numbers of keys whose erasure was recorded; an event whose key is gone without one is told.
        """
        return EventCheck(self._database, self._keys, _name_of, erased).broken()

    def _by_digest(self, connection: sa.Connection, digests: set[str]) -> dict[str, StoredEvent]:
        rows = connection.execute(table.select().where(table.c.id_digest.in_(sorted(digests)))).mappings().all()
        return dict(zip([row["id_digest"] for row in rows], self._opened(connection, rows), strict=True))

    def _opened(self, connection: sa.Connection, rows: Sequence[Any]) -> list[StoredEvent]:
        if not rows:
            return []
        accounts = np.array([row["account_no"] for row in rows], dtype=np.int64)
        persons = np.array([row["person_no"] for row in rows], dtype=np.int64)
        keys = self._keys.keys(Subjects(accounts, persons).key_no, connection)
        nonces, sealed, leaves = ([bytes(row[name]) for row in rows] for name in ("nonce", "sealed", "leaf"))
        try:
            texts = unseal_rows(nonces, sealed, leaves, keys)
        except ValueError as error:
            found = rows[int(str(error))]["sequence"]
            remedy = "Restore the database or the keys."
            raise refuse(Reason.INTEGRITY_FAILURE, "events", f"event {found} differs from its leaf.", remedy) from error
        return [
            StoredEvent(
                row["account_no"], row["person_no"], RecordedEvent(row["sequence"], _time(row["recorded_at"]), event_of(text))
            )
            for row, text in zip(rows, texts, strict=True)
        ]

    def _refuse_others(
        self, events: Sequence[Event], texts: Sequence[str], there: Sequence[StoredEvent | None], first_of: dict[str, int]
    ) -> None:
        """Refuse ids that hold other events; one whose subject was erased cannot be compared, and is not recorded again."""
        found = []
        for index, (event, text, stored) in enumerate(zip(events, texts, there, strict=True)):
            held = stored.recorded.event if stored else None
            other = text_of(held) != text if held else stored is None and texts[first_of[event.event_id]] != text
            if other:
                told = f"{event.event_id!r} is another event."
                found.append(FieldViolation(f"events[{index}].event_id", told, "Give each event an id of its own."))
        if found:
            raise CollectionsError(Reason.ALREADY_EXISTS, f"{len(found)} id(s) hold other events: {found[0]}", tuple(found))

    def _insert(
        self,
        connection: sa.Connection,
        texts: list[str],
        digests: list[str],
        rows: list[int],
        subjects: Subjects,
        actor: Actor,
        now: datetime,
        last: int,
    ) -> None:
        at = np.array(rows)
        keys = self._keys.keys(subjects.key_no[at], connection)
        if not keys.any(axis=1).all():
            raise refuse(Reason.OVERLOADED, "events", "an account is being erased.", "Tell the events again.")
        sealed = seal_rows(texts, keys, self._keys.random(NONCE_BYTES * len(rows)))
        recorded_at = microseconds(now)
        numbers = zip(subjects.account_no[at].tolist(), subjects.person_no[at].tolist(), strict=True)
        values = [
            {
                "sequence": last + place,
                "id_digest": digest,
                "account_no": account_no,
                "person_no": person_no,
                "recorded_at": recorded_at,
                "nonce": nonce,
                "sealed": row,
                "leaf": leaf,
            }
            for place, (digest, (account_no, person_no), nonce, row, leaf) in enumerate(
                zip(digests, numbers, sealed.nonces, sealed.sealed, sealed.leaves, strict=True), start=1
            )
        ]
        _insert_rows(connection, values)
        hashes = np.frombuffer(b"".join(sealed.leaves), dtype=np.uint8).reshape(-1, HASH_BYTES)
        batch = {
            "first_sequence": last + 1,
            "event_count": len(rows),
            "root": MerkleTree(hashes).root.hex(),
            "created_at": timestamp(now),
        }
        insert_logged(connection, LogKind.EVENTS, batch, actor, {ROWS_DIGEST: rows_digest(values)})


def _insert_rows(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert events as the driver takes them: SQLAlchemy binds every value of every row anew, a sixth of the whole work."""
    compiled = table.insert().compile(dialect=connection.dialect)
    names = compiled.positiontup
    connection.exec_driver_sql(str(compiled), list(map(itemgetter(*names), rows)) if names else list(rows))


def _name_of(event: Event) -> bytes:
    """Return what an event's subject is called in the directory of keys."""
    return event.account_id.encode() or PERSON + event.customer_id.encode()


def _refuse_reversals(events: Sequence[Event], whose: Sequence[Subject], places: Places) -> None:
    """Refuse reversals of another subject's event, or of what cannot be taken back; what is not known yet may still come."""
    found = []
    for index, event in enumerate(events):
        stored = cast("StoredEvent | None", places.of(event.reverses, whose[index])[1]) if event.reverses else None
        if stored is None:
            continue
        path, target = f"events[{index}].reversal.reverses", stored.recorded.event
        if (stored.account_no, stored.person_no) != whose[index]:
            found.append(FieldViolation(path, "concerns another account or person.", "Name whom the event concerns."))
        elif target is not None and target.kind in (EventKind.REVERSAL, EventKind.LEASE):
            found.append(FieldViolation(path, f"is a {target.kind}.", "Tell what is true now as a new event."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
