"""Leases: who holds which account until when. The one table whose rows change; what a lease ends in is an event.

Everything happens in turns: transactions that no other writer overlaps, over all servers of a ledger. In a turn the leases and
events that are read are all there are, so that what is decided from them holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import count
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.events.event_ids import InSight, everything
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.event_writer import EventWriter
from collections_opt.ledger.events.stored_events import StoredEvent, Subjects, Told, name_of, subjects_of
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.day_schema import HELD
from collections_opt.ledger.store.many_rows import execute_many
from collections_opt.ledger.store.schema import day_events, log_entries, resource_approvals, resource_versions
from collections_opt.ledger.store.schema import leases as table

Known = TypeVar("Known")

_CHANGING = ("revision", "state", "expires_at", "ended_at")
_IS_HELD = table.c.state == sa.literal_column(f"'{HELD}'")  # spelt out: the index of those that are held serves nothing else
_CHANGED = table.select().where(table.c.revision > sa.bindparam("after")).order_by(table.c.revision)
_ALL_HELD = _CHANGED.where(_IS_HELD)
_HELD_PAST = table.select().where(_IS_HELD, table.c.expires_at <= sa.bindparam("now")).order_by(table.c.revision)
_ASKED = table.select().where(
    sa.or_(
        table.c.lease_id.in_(sa.bindparam("ids", expanding=True)),
        table.c.request_id.in_(sa.bindparam("requests", expanding=True)),
    )
)
_INSERT = table.insert()
_CHANGE = (
    table.update().where(table.c.lease_id == sa.bindparam("id")).values({name: sa.bindparam(f"new_{name}") for name in _CHANGING})
)


def _last(column: sa.Column[Any]) -> Any:
    return sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()


def _count(counted: sa.Table, *where: sa.ColumnElement[bool]) -> Any:
    return sa.select(sa.func.count()).select_from(counted).where(*where).scalar_subquery()


_STANDING = sa.select(
    _last(table.c.revision),
    _last(day_events.c.sequence),
    _count(log_entries, log_entries.c.kind == LogKind.ERASURE.value),
    _count(resource_versions),
    _count(resource_approvals),
)


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


@dataclass(frozen=True)
class Asked:
    """What an act will ask of its turn, so that a turn reads it for all its acts at once.

    Attributes:
        lease_ids: leases that it finds.
        request_ids: requests whose leases it asks for.
        events: what it tells.
    """

    lease_ids: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How far the ledger had come when a turn began.

    Attributes:
        revision: number of the last change of leases.
        sequence: number of the last event.
        erasures: how many erasures there were.
        rules: how many versions of settings there are, and how many were approved.
    """

    revision: int
    sequence: int
    erasures: int
    rules: tuple[int, int]


class LeaseTurn:
    """One turn: reads and writes of one transaction. What is changed is seen at once, and written at the end."""

    def __init__(self, connection: sa.Connection, log: EventLog, alone: bool = True) -> None:
        self._connection = connection
        self._log = log
        self._alone = alone
        self._known: dict[str, Any] = {}
        self._leases: dict[str, LeaseRecord | None] = {}
        self._of_request: dict[str, list[LeaseRecord]] = {}
        self._numbers: dict[bytes, int] = {}
        self._changed: dict[str, LeaseRecord] = {}
        self._added: dict[str, LeaseRecord] = {}

    @cached_property
    def standing(self) -> Standing:
        """How far the ledger had come when this was first asked for."""
        revision, sequence, erasures, *rules = self._connection.execute(_STANDING).one()
        return Standing(revision, sequence, erasures, (rules[0], rules[1]))

    @cached_property
    def _revision(self) -> Iterator[int]:
        return count(self.standing.revision + 1)

    @cached_property
    def _events(self) -> EventWriter:
        return self._log.writer(self._connection, self.standing.sequence, self.standing.erasures)

    def once(self, name: str, work_out: Callable[[], Known]) -> Known:
        """Return what holds for the whole turn, worked out when it is first asked for."""
        if name not in self._known:
            self._known[name] = work_out()
        known: Known = self._known[name]
        return known

    def expect(self, asked: Sequence[Asked]) -> None:
        """Read at once what acts will ask for."""
        ids = {lease_id for one in asked for lease_id in one.lease_ids}
        requests = {request_id for one in asked for request_id in one.request_ids}
        self._leases.update(dict.fromkeys(ids))
        self._of_request.update({request_id: [] for request_id in requests})
        if ids or requests:
            for row in self._connection.execute(_ASKED, {"ids": sorted(ids), "requests": sorted(requests)}).mappings():
                lease = LeaseRecord(**row)
                self._leases[lease.lease_id] = lease
                self._of_request.setdefault(lease.request_id, []).append(lease)
        told = [event for one in asked for event in one.events]
        if told:
            self._number(list({name_of(event) for event in told}))
            self._events.look_up([event.event_id for event in told] + [f"lease/{lease_id}" for lease_id in ids])

    def subjects(self, events: Sequence[Event]) -> Subjects:
        """Return whom events concern; who was never seen is ``NOBODY``, and gets no key."""
        names = [name_of(event) for event in events]
        self._number([name for name in names if name not in self._numbers])
        return subjects_of(events, np.array([self._numbers[name] for name in names], dtype=np.int64))

    def _number(self, names: list[bytes]) -> None:
        if names:
            found = self._log.numbers_within(self._connection, names, self.standing.erasures)
            self._numbers.update(zip(names, found, strict=True))

    def account_of(self, number: int) -> str:
        """Return the account of a key number, "" for one that was erased or never given."""
        return self._log.account_within(self._connection, number, self.standing.erasures)

    def changed_after(self, revision: int) -> list[LeaseRecord]:
        """Return leases that were added or changed after a revision; all that are held, for revision -1."""
        mine = [one for one in (*self._changed.values(), *self._added.values()) if one.revision > revision]
        if self._alone and revision >= self.standing.revision:
            return sorted(mine, key=_by_revision)
        query = _CHANGED if revision >= 0 else _ALL_HELD
        found = [LeaseRecord(**row) for row in self._connection.execute(query, {"after": revision}).mappings()]
        return [*found, *sorted(mine, key=_by_revision)]

    def of_request(self, request_id: str) -> list[LeaseRecord]:
        """Return the leases that a request was given."""
        if request_id not in self._of_request:
            query = table.select().where(table.c.request_id == request_id).order_by(table.c.revision)
            self._of_request[request_id] = [LeaseRecord(**row) for row in self._connection.execute(query).mappings()]
        given = [self._changed.get(one.lease_id, one) for one in self._of_request[request_id]]
        given += [one for one in self._added.values() if one.request_id == request_id]
        return sorted(given, key=_by_revision)

    def find(self, lease_id: str) -> LeaseRecord | None:
        """Return a lease, None for an unknown one."""
        mine = self._added.get(lease_id) or self._changed.get(lease_id)
        if mine is not None:
            return mine
        if lease_id not in self._leases:
            row = self._connection.execute(table.select().where(table.c.lease_id == lease_id)).mappings().first()
            self._leases[lease_id] = LeaseRecord(**row) if row else None
        return self._leases[lease_id]

    def of_accounts(self, numbers: Sequence[int]) -> list[LeaseRecord]:
        """Return all leases of accounts by their key numbers, as they began."""
        query = table.select().where(table.c.account_no.in_(list(numbers))).order_by(table.c.leased_at, table.c.lease_id)
        return [LeaseRecord(**row) for row in self._connection.execute(query).mappings()]

    def worked(self, ranking_ids: Sequence[str]) -> set[str]:
        """Return of some rankings those of which an account was ever leased."""
        query = sa.select(table.c.ranking_id).where(table.c.ranking_id.in_(list(ranking_ids))).distinct()
        return set(self._connection.execute(query).scalars())

    def held_past(self, now: int) -> list[LeaseRecord]:
        """Return leases that were held past their time when the turn began."""
        return [LeaseRecord(**row) for row in self._connection.execute(_HELD_PAST, {"now": now}).mappings()]

    def add(self, records: Sequence[Mapping[str, Any]]) -> list[LeaseRecord]:
        """Add leases, without their revisions, and return them; the database refuses a second holder when they are written."""
        added = [LeaseRecord(**{**record, "revision": next(self._revision)}) for record in records]
        self._added.update({one.lease_id: one for one in added})
        return added

    def change(self, lease_id: str, **changes: Any) -> LeaseRecord:
        """Change a lease and return it."""
        before = self.find(lease_id)
        if before is None:
            raise KeyError(lease_id)
        changed = replace(before, **changes, revision=next(self._revision))
        (self._added if lease_id in self._added else self._changed)[lease_id] = changed
        return changed

    def events_after(self, sequence: int, size: int) -> list[StoredEvent]:
        """Return events in order, after one, at most ``size``, with those told in this turn."""
        if not self._alone:
            erasures = self.standing.erasures if "standing" in vars(self) else None
            return self._log.after_within(self._connection, sequence, size, erasures)
        found: list[StoredEvent] = []
        if sequence < self.standing.sequence:
            found = self._log.after_within(self._connection, sequence, size, self.standing.erasures)
        return found if len(found) == size else [*found, *self._events.after(sequence, size - len(found))]

    def record(
        self, events: Sequence[Event], subjects: Subjects, actor: Actor, now: datetime, in_sight: InSight = everything
    ) -> list[Told]:
        """Record events, as ``EventLog.record``."""
        return self._events.take(events, subjects, actor, now, in_sight)

    def write(self) -> None:
        """Write what was changed.

        Raises:
            CollectionsError: OVERLOADED for an account or a person that is held.
        """
        if "_events" in vars(self):
            self._events.write()
        changed = [
            {f"new_{name}": getattr(one, name) for name in _CHANGING} | {"id": one.lease_id} for one in self._changed.values()
        ]
        execute_many(self._connection, _CHANGE, changed)
        try:
            execute_many(self._connection, _INSERT, [vars(one) for one in self._added.values()])
        except IntegrityError as error:
            raise refuse(Reason.OVERLOADED, "leases", "an account or a person is held.", "Ask again.") from error


def _by_revision(lease: LeaseRecord) -> int:
    return lease.revision


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
            turn = LeaseTurn(connection, self._log)
            yield turn
            turn.write()

    @contextmanager
    def look(self) -> Iterator[LeaseTurn]:
        """Yield a turn for reading; others write meanwhile, so what is read after events were is at least as new."""
        with self._database.read() as connection:
            yield LeaseTurn(connection, self._log, alone=False)
