"""Leases: who holds which account until when. The one table whose rows change; what a lease ends in is an event.

Everything happens in turns: transactions that no other writer overlaps, over all servers of a ledger. In a turn the leases and
events that are read are all there are, so that what is decided from them holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.events.event_ids import InSight, everything
from collections_opt.ledger.events.event_log import EventLog, StoredEvent, Subjects, Told
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import leases as table

Known = TypeVar("Known")


class LeaseState(StrEnum):
    """Where a lease stands."""

    HELD = "HELD"
    COMPLETED = "COMPLETED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class LeaseRecord:
    """One lease; instants are microseconds since 1970, ``ended_at`` 0 while it is held.

    ``person`` stands for who owes, across accounts and portfolios, without naming them. ``revision`` numbers changes over all
    leases.
    """

    lease_id: str
    revision: int
    request_id: str
    ranking_id: str
    queue_id: str
    account_no: int
    person: str
    holder: str
    holder_kind: str
    state: str
    seconds: int
    leased_at: int
    expires_at: int
    ended_at: int


class LeaseTurn:
    """One turn: reads and writes of one transaction."""

    def __init__(self, connection: sa.Connection, log: EventLog) -> None:
        self._connection = connection
        self._log = log
        self._known: dict[str, Any] = {}

    def once(self, name: str, work_out: Callable[[], Known]) -> Known:
        """Return what holds for the whole turn, worked out when it is first asked for."""
        if name not in self._known:
            self._known[name] = work_out()
        known: Known = self._known[name]
        return known

    def changed_after(self, revision: int) -> list[LeaseRecord]:
        """Return leases that were added or changed after a revision; all that are held, for revision -1."""
        query = table.select().where(table.c.revision > revision).order_by(table.c.revision)
        if revision < 0:
            query = query.where(table.c.state == LeaseState.HELD.value)
        return [LeaseRecord(**row) for row in self._connection.execute(query).mappings()]

    def last_revision(self) -> int:
        """Return the number of the last change, 0 for none."""
        return int(self._connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.revision), 0))).scalar_one())

    def of_request(self, request_id: str) -> list[LeaseRecord]:
        """Return the leases that a request was given."""
        query = table.select().where(table.c.request_id == request_id).order_by(table.c.revision)
        return [LeaseRecord(**row) for row in self._connection.execute(query).mappings()]

    def find(self, lease_id: str) -> LeaseRecord | None:
        """Return a lease, None for an unknown one."""
        row = self._connection.execute(table.select().where(table.c.lease_id == lease_id)).mappings().first()
        return LeaseRecord(**row) if row else None

    def of_accounts(self, numbers: Sequence[int]) -> list[LeaseRecord]:
        """Return all leases of accounts by their key numbers, as they began."""
        query = table.select().where(table.c.account_no.in_(list(numbers))).order_by(table.c.leased_at, table.c.lease_id)
        return [LeaseRecord(**row) for row in self._connection.execute(query).mappings()]

    def held_past(self, now: int) -> list[LeaseRecord]:
        """Return leases that are held past their time."""
        query = table.select().where(table.c.state == LeaseState.HELD.value, table.c.expires_at <= now)
        return [LeaseRecord(**row) for row in self._connection.execute(query.order_by(table.c.revision)).mappings()]

    def add(self, records: Sequence[Mapping[str, Any]]) -> list[LeaseRecord]:
        """Add leases, without their revisions, and return them; the database refuses a second holder.

        Raises:
            CollectionsError: OVERLOADED for an account or a person that is held.
        """
        last = self.last_revision()
        added = [LeaseRecord(**{**record, "revision": last + place}) for place, record in enumerate(records, start=1)]
        if added:
            try:
                with self._connection.begin_nested():
                    self._connection.execute(table.insert(), [asdict(one) for one in added])
            except IntegrityError as error:
                raise refuse(Reason.OVERLOADED, "leases", "an account or a person is held.", "Ask again.") from error
        return added

    def change(self, lease_id: str, **changes: Any) -> LeaseRecord:
        """Change a lease and return it."""
        following = sa.select(sa.func.coalesce(sa.func.max(table.c.revision), 0) + 1).scalar_subquery()
        statement = table.update().where(table.c.lease_id == lease_id).values(**changes, revision=following)
        return LeaseRecord(**self._connection.execute(statement.returning(*table.c)).mappings().one())

    def events_after(self, sequence: int, size: int) -> list[StoredEvent]:
        """Return events, as ``EventLog.after``."""
        return self._log.after_within(self._connection, sequence, size)

    def record(
        self, events: Sequence[Event], subjects: Subjects, actor: Actor, now: datetime, in_sight: InSight = everything
    ) -> list[Told]:
        """Record events, as ``EventLog.record``."""
        return self._log.record_within(self._connection, events, subjects, actor, now, in_sight)


class Leases(Store):
    """Leases of a ledger."""

    def __init__(self, database: Any, log: EventLog) -> None:
        super().__init__(database)
        self._log = log

    @contextmanager
    def turn(self) -> Iterator[LeaseTurn]:
        """Yield a turn; an exception undoes it.

        Raises:
            CollectionsError: as ``Database.write``.
        """
        with self._database.write() as connection:
            yield LeaseTurn(connection, self._log)

    @contextmanager
    def look(self) -> Iterator[LeaseTurn]:
        """Yield a turn for reading; others write meanwhile, so what is read after events were is at least as new."""
        with self._database.read() as connection:
            yield LeaseTurn(connection, self._log)
