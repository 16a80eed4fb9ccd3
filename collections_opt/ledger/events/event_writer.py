"""Events told within one transaction: numbered and compared when they are told, sealed and written at its end, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.ledger.events.event_check import ROWS_DIGEST, microseconds, rows_digest
from collections_opt.ledger.events.event_ids import InSight, Places, Subject, digest_of, everything
from collections_opt.ledger.events.event_texts import event_of, text_of
from collections_opt.ledger.events.sealed_rows import seal_rows
from collections_opt.ledger.events.stored_events import StoredEvent, Subjects, Told, events_of_digests, instant_of
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree
from collections_opt.ledger.sealing.keystream import NONCE_BYTES
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import timestamp
from collections_opt.ledger.store.many_rows import execute_many
from collections_opt.ledger.store.schema import day_events as table

_INSERT = table.insert()
_LAST = sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0))


@dataclass(frozen=True)
class _New:
    """An event to be written."""

    sequence: int
    digest: str
    whose: Subject
    text: str
    key: NDArray[np.uint8]
    actor: Actor
    now: datetime


class EventWriter:
    """Takes events and writes them; one transaction that no other writer overlaps.

    Events of one actor and one instant that follow each other are one batch, under one leaf of the log.

    Args:
        connection: of the transaction.
        keys: the keys of accounts and persons.
        last: number of the last event, None where it must be asked for.
        erasures: how many erasures there were, None where it must be asked for.
    """

    def __init__(
        self, connection: sa.Connection, keys: SubjectKeys, last: int | None = None, erasures: int | None = None
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._erasures = erasures
        self._last = int(connection.execute(_LAST).scalar_one()) if last is None else last
        self._new: list[_New] = []
        self._known: dict[str, StoredEvent | None] = {}
        self._written = 0

    def look_up(self, event_ids: Sequence[str]) -> None:
        """Read at once what stands at the first places of ids that are going to be told."""
        self._find({digest_of(event_id) for event_id in event_ids})

    def take(
        self, events: Sequence[Event], subjects: Subjects, actor: Actor, now: datetime, in_sight: InSight = everything
    ) -> list[Told]:
        """Take a batch: all of it, or none; events that are there already are not taken again.

        Raises:
            CollectionsError: as ``EventLog.record``.
        """
        places = Places(self._find, in_sight)
        places.look_up([event.event_id for event in events] + [event.reverses for event in events if event.reverses])
        whose = list(zip(subjects.account_no.tolist(), subjects.person_no.tolist(), strict=True))
        found = [places.of(event.event_id, subject) for event, subject in zip(events, whose, strict=True)]
        digests, there = [digest for digest, _ in found], cast(list["StoredEvent | None"], [kept for _, kept in found])
        texts = [text_of(event) for event in events]
        first_of = {event.event_id: index for index, event in reversed(list(enumerate(events)))}
        _refuse_others(events, texts, there, first_of)
        _refuse_reversals(events, whose, places)
        new = [index for index, event in enumerate(events) if there[index] is None and first_of[event.event_id] == index]
        sequence_of = {digests[index]: self._last + place for place, index in enumerate(new, start=1)}
        if new:
            keys = self._keys.keys(subjects.key_no[np.array(new)], self._connection, self._erasures)
            if not keys.any(axis=1).all():
                raise refuse(Reason.OVERLOADED, "events", "an account is being erased.", "Tell the events again.")
            for index, key in zip(new, keys, strict=True):
                self._last += 1
                self._new.append(_New(self._last, digests[index], whose[index], texts[index], key, actor, now))
                self._known.pop(digests[index], None)
        told = [sequence_of[digests[index]] if kept is None else kept.recorded.sequence for index, kept in enumerate(there)]
        fresh = set(new)
        return [Told(sequence, index not in fresh) for index, sequence in enumerate(told)]

    def after(self, sequence: int, size: int) -> list[StoredEvent]:
        """Return events that were taken, in order, after one, at most ``size``."""
        return [_stored(one) for one in self._new if one.sequence > sequence][:size]

    def write(self) -> None:
        """Write what was taken since the last time."""
        mine = self._new[self._written :]
        self._written = len(self._new)
        for (actor, now), batch in groupby(mine, lambda one: (one.actor, one.now)):
            self._write(list(batch), actor, now)

    def _write(self, batch: list[_New], actor: Actor, now: datetime) -> None:
        keys = np.array([one.key for one in batch])
        sealed = seal_rows([one.text for one in batch], keys, self._keys.random(NONCE_BYTES * len(batch)))
        recorded_at = microseconds(now)
        rows: list[dict[str, Any]] = [
            {
                "sequence": one.sequence,
                "id_digest": one.digest,
                "account_no": one.whose[0],
                "person_no": one.whose[1],
                "recorded_at": recorded_at,
                "nonce": nonce,
                "sealed": row,
                "leaf": leaf,
            }
            for one, nonce, row, leaf in zip(batch, sealed.nonces, sealed.sealed, sealed.leaves, strict=True)
        ]
        execute_many(self._connection, _INSERT, rows)
        hashes = np.frombuffer(b"".join(sealed.leaves), dtype=np.uint8).reshape(-1, HASH_BYTES)
        logged = {
            "first_sequence": batch[0].sequence,
            "event_count": len(batch),
            "root": MerkleTree(hashes).root.hex(),
            "created_at": timestamp(now),
        }
        insert_logged(self._connection, LogKind.EVENTS, logged, actor, {ROWS_DIGEST: rows_digest(rows)})

    def _find(self, digests: set[str]) -> dict[str, StoredEvent]:
        """Return what stands at places of ids, what was taken here included."""
        taken = {one.digest: one for one in self._new if one.digest in digests}
        unknown = digests - self._known.keys() - taken.keys()
        if unknown:
            stored = events_of_digests(self._connection, self._keys, unknown, self._erasures)
            self._known.update({digest: stored.get(digest) for digest in unknown})
        known = {digest: kept for digest in digests if (kept := self._known.get(digest)) is not None}
        return known | {digest: _stored(one) for digest, one in taken.items()}


def _stored(new: _New) -> StoredEvent:
    """Return an event as it will be read: of its text, so that nobody sees another one before it is written than after."""
    recorded = RecordedEvent(new.sequence, instant_of(microseconds(new.now)), event_of(new.text))
    return StoredEvent(*new.whose, recorded)


def _refuse_others(
    events: Sequence[Event], texts: Sequence[str], there: Sequence[StoredEvent | None], first_of: dict[str, int]
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
