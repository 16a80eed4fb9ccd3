"""Events as rows: whom they concern, how they were taken, and rows opened again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from collections_opt.core.day.events import Event, RecordedEvent
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.events.event_check import EPOCH
from collections_opt.ledger.events.event_texts import events_of
from collections_opt.ledger.events.sealed_rows import unseal_rows
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.schema import day_events as table

NOBODY = -1
"""Key number where an event concerns no account, or no person of its own."""

PERSON = b"\x1fcustomer\x1f"
"""Before the id of a person in the directory of keys, where accounts stand by theirs."""

Numbers = NDArray[np.int64]
_HELD = table.select().where(table.c.id_digest.in_(sa.bindparam("digests", expanding=True)))
_AFTER = table.select().where(table.c.sequence > sa.bindparam("after")).order_by(table.c.sequence).limit(sa.bindparam("size"))


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


def name_of(event: Event) -> bytes:
    """Return what an event's subject is called in the directory of keys."""
    return event.account_id.encode() or PERSON + event.customer_id.encode()


def subjects_of(events: Sequence[Event], numbers: Numbers) -> Subjects:
    """Return whom events concern by the key numbers of their subjects, int64 (n,)."""
    of_account = np.array([bool(event.account_id) for event in events], dtype=bool)
    return Subjects(np.where(of_account, numbers, NOBODY), np.where(of_account, NOBODY, numbers))


def instant_of(microseconds: int) -> datetime:
    """Return an instant of how it is stored."""
    return EPOCH + timedelta(microseconds=microseconds)


def events_after(
    connection: sa.Connection, keys: SubjectKeys, after: int, size: int, erasures: int | None = None
) -> list[StoredEvent]:
    """Return events in order, after one, at most ``size``, within a transaction."""
    return opened(connection, keys, connection.execute(_AFTER, {"after": after, "size": size}).all(), erasures)


def events_of_digests(
    connection: sa.Connection, keys: SubjectKeys, digests: set[str], erasures: int | None = None
) -> dict[str, StoredEvent]:
    """Return the events that stand at places of ids, by the digest of the place, within a transaction."""
    rows = connection.execute(_HELD, {"digests": sorted(digests)}).all()
    return dict(zip([row.id_digest for row in rows], opened(connection, keys, rows, erasures), strict=True))


def opened(
    connection: sa.Connection, keys: SubjectKeys, rows: Sequence[sa.Row[Any]], erasures: int | None = None
) -> list[StoredEvent]:
    """Return rows opened; those of erased subjects without content.

    Args:
        connection: of the transaction that read them.
        keys: the keys of accounts and persons.
        rows: as they are stored.
        erasures: how many erasures there were, where that is known.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for a row that differs from its leaf.
    """
    if not rows:
        return []
    columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    accounts, persons = (np.array(columns[name], dtype=np.int64) for name in ("account_no", "person_no"))
    held = keys.keys(Subjects(accounts, persons).key_no, connection, erasures)
    nonces, sealed, leaves = (list(map(bytes, columns[name])) for name in ("nonce", "sealed", "leaf"))
    try:
        texts = unseal_rows(nonces, sealed, leaves, held)
    except ValueError as error:
        found = columns["sequence"][int(str(error))]
        remedy = "Restore the database or the keys."
        raise refuse(Reason.INTEGRITY_FAILURE, "events", f"event {found} differs from its leaf.", remedy) from error
    instants = map(instant_of, columns["recorded_at"])
    recorded = map(RecordedEvent, columns["sequence"], instants, events_of(texts))
    return list(map(StoredEvent, columns["account_no"], columns["person_no"], recorded))
