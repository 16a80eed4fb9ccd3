"""A ranking in work, in memory: its accounts, the events about them, who is held, and where each stands now.

Everything here follows from what the ledger holds: a desk that is thrown away and opened again is the same. Nothing is decided
here that the database does not confirm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.day.desk.live_order import LiveOrders, QueueOrder, Stands
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.day.event_columns import microseconds
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Entries
from collections_opt.ledger.events.leases import LeaseRecord, LeaseState
from collections_opt.ledger.events.stored_events import StoredEvent
from collections_opt.ledger.records import RankingRecord

Ints = NDArray[np.int64]

PLACED_ANEW: Final = frozenset(
    {EventKind.BALANCE, EventKind.PAYMENT, EventKind.MOVED, EventKind.FLAG, EventKind.CHANNEL_CHOICE, EventKind.REVERSAL}
)
"""Events that may change what an account is worth, or where it may be worked."""

NOT_WORKED: Final = -1
"""Queue of an account that is worth its price nowhere now."""


@dataclass(frozen=True)
class Place:
    """Where an account stands: its queue, its place there, what it is worth and the time it takes.

    ``moved`` says that events put it there; at equal places it comes before what the ranking put there.
    """

    queue: int
    priority: int
    increment_minor: int
    seconds: int
    surplus_minor: int
    moved: bool = False


@dataclass(frozen=True)
class Came:
    """When rows came, and what they know of.

    Attributes:
        at: when the portfolio came.
        through: the last event that the rows know of, -1 for rows of a file.
        used_through: the last event whose handling time the plan's capacity is already without; 0 where it is whole.
    """

    at: datetime
    through: int = -1
    used_through: int = 0


@dataclass
class LiveDesk:
    """A ranking in work; one thread at a time.

    Attributes:
        record: the ranking.
        plan: its plan.
        portfolio: its n accounts.
        key_no: int64 (n,) number of each account's key.
        entries: what it decided for each.
        came: when the portfolio came.
        sequence: number of the last event that is taken in.
        revision: number of the last change of leases that is taken in.
        events: events by row, as told.
        person_events: events told of persons alone, by customer id.
        places: where events put accounts, by row; an account that is not here stands where the ranking put it.
        replaced: rows whose place was ever found anew. From then on it is found again at every event about the person, for all
            such rows of the person together: where an account stands depends on what was told, not on when it was looked at.
        dirty: of these, rows whose place must be found now.
        held: leases by id.
        tags: how many leases each person is held under, by what stands for the person.
        busy: int16 (n,) how many leases hold each account or another of its person.
        returned: int32 (n,) how often a lease of each account was given back without a contact.
        version: int64 (n,) changes whenever something about the account or its person does.
        moved: bool (n,) whose person may live elsewhere than the portfolio says.
        groups: the distinct places and zones of accounts, and int64 (n,) which one each has.
    """

    record: RankingRecord
    plan: CapacityPlan
    portfolio: Portfolio
    key_no: Ints
    entries: Entries
    came: Came
    sequence: int = 0
    revision: int = -1
    events: dict[int, list[RecordedEvent]] = field(default_factory=dict)
    person_events: dict[bytes, list[RecordedEvent]] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    replaced: set[int] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)
    held: dict[str, LeaseRecord] = field(default_factory=dict)
    tags: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        rows = self.portfolio.account_count
        self.account_id = self.portfolio.column("account_id")
        self.customer_id = self.portfolio.column("customer_id")
        self._by_key = np.argsort(self.key_no, kind="stable")
        self._keys = self.key_no[self._by_key]
        self._by_customer = np.argsort(self.customer_id, kind="stable")
        self._customers = self.customer_id[self._by_customer]
        first = np.ones(rows, dtype=bool)
        first[1:] = (self._customers[1:] != self._customers[:-1]) | (self._customers[1:] == b"")
        self._person = np.empty(rows, dtype=np.int64)
        self._person[self._by_customer] = np.cumsum(first) - 1
        self._person_ends = np.append(np.flatnonzero(first), rows)
        self.busy = np.zeros(rows, dtype=np.int16)
        self.returned = np.zeros(rows, dtype=np.int32)
        self.version = np.zeros(rows, dtype=np.int64)
        self.moved = np.zeros(rows, dtype=bool)
        self._orders = LiveOrders(self.entries.queue, self.entries.priority, self._stands)
        places = [column.astype(np.str_) for column in map(self.portfolio.column, ("state", "time_zone"))]
        pairs, group = np.unique(np.char.add(np.char.add(places[0], "|"), places[1]), return_inverse=True)
        self.groups: tuple[list[tuple[str, str]], Ints] = ([_pair(text) for text in pairs.tolist()], group.astype(np.int64))

    @property
    def day(self) -> date:
        """The day that the ranking is for."""
        return self.portfolio.as_of_date

    def row_of_key(self, key_no: int) -> int | None:
        """Return the row of an account by the number of its key, None for one that is not here."""
        at = int(np.searchsorted(self._keys, key_no))
        return int(self._by_key[at]) if at < self._keys.size and self._keys[at] == key_no else None

    def rows_of_customer(self, customer_id: bytes) -> list[int]:
        """Return the rows of a person's accounts; none for no id."""
        if not customer_id:
            return []
        low, high = (int(np.searchsorted(self._customers, customer_id, side=side)) for side in ("left", "right"))
        return [int(row) for row in self._by_customer[low:high].tolist()]

    def rows_of_person(self, row: int) -> list[int]:
        """Return the rows of all accounts of an account's person."""
        return [int(each) for each in self._rows_of(self._person[row]).tolist()]

    def _rows_of(self, person: int) -> Ints:
        return self._by_customer[self._person_ends[person] : self._person_ends[person + 1]]

    def person_of(self, row: int) -> str:
        """Return the text that names an account's person across portfolios."""
        customer = bytes(self.customer_id[row]).decode()
        return f"customer/{customer}" if customer else f"account/{bytes(self.account_id[row]).decode()}"

    def take_events(self, stored: Sequence[StoredEvent]) -> None:
        """Take in events, in order."""
        numbers = np.array([one.account_no for one in stored], dtype=np.int64)
        touched: list[int] = []
        for one, row in zip(stored, self._rows_of_keys(numbers).tolist(), strict=True):
            self.sequence = one.recorded.sequence
            event = one.recorded.event
            if event is None or event.kind is EventKind.REVIEW:
                continue
            if row >= 0:
                self.events.setdefault(row, []).append(one.recorded)
                self._take(event, row)
                touched.append(row)
            elif one.account_no < 0:
                customer = event.customer_id.encode()
                rows = self.rows_of_customer(customer)
                if rows:
                    self.person_events.setdefault(customer, []).append(one.recorded)
                for each in rows:
                    self._take(event, each)
                touched += rows
        for person in set(self._person[touched].tolist()) if touched else ():
            self.version[self._rows_of(person)] += 1

    def _take(self, event: Event, row: int) -> None:
        """Take in what an event says of one account."""
        kind = event.kind
        if kind is EventKind.LEASE:
            if event.lease_state == LeaseState.RELEASED:
                self.returned[row] += 1
                self._orders.changed(row)
            return
        if kind in PLACED_ANEW:
            self.replaced.add(row)
        if self.replaced:
            self.dirty |= self.replaced.intersection(self.rows_of_person(row))
        self.moved[row] |= kind in (EventKind.MOVED, EventKind.REVERSAL)

    def _rows_of_keys(self, numbers: Ints) -> Ints:
        """Return the row of each account by the number of its key, -1 for one that is not here, int64 (k,)."""
        keys, rows = np.append(self._keys, np.iinfo(np.int64).max), np.append(self._by_key, -1)
        at = np.searchsorted(self._keys, numbers)
        return np.where(keys[at] == numbers, rows[at], -1).astype(np.int64)

    def take_leases(self, changed: Sequence[LeaseRecord]) -> None:
        """Take in changes of leases, in order."""
        for lease in changed:
            self.revision = lease.revision
            before = self.held.pop(lease.lease_id, None)
            if before is not None:
                self._hold(before, -1)
            if lease.state == LeaseState.HELD:
                self.held[lease.lease_id] = lease
                self._hold(lease, 1)

    def _hold(self, lease: LeaseRecord, change: int) -> None:
        self.tags[lease.person] += change
        row = self.row_of_key(lease.account_no)
        if row is not None:
            self.busy[self.rows_of_person(row)] += change

    def events_of(self, rows: Sequence[int]) -> tuple[list[int], list[RecordedEvent]]:
        """Return the events of some rows, and the place among ``rows`` of whom each concerns."""
        places: list[int] = []
        found: list[RecordedEvent] = []
        for place, row in enumerate(rows):
            mine = self.events.get(row, [])
            theirs = self.person_events.get(bytes(self.customer_id[row]), []) if self.person_events else []
            places += [place] * (len(mine) + len(theirs))
            found += [*mine, *theirs]
        return places, found

    def place_of(self, row: int) -> Place:
        """Return where an account stands now; queue ``NOT_WORKED`` for nowhere."""
        return self.places.get(row) or self.recorded_place(row)

    def recorded_place(self, row: int) -> Place:
        """Return where the ranking put an account."""
        entries, queue = self.entries, int(self.entries.queue[row])
        return Place(
            NOT_WORKED if queue == UNASSIGNED else queue,
            int(entries.priority[row]),
            int(entries.increment_minor[row]),
            int(entries.seconds[row]),
            int(entries.surplus_minor[row]),
        )

    def put(self, row: int, place: Place | None) -> None:
        """Let an account stand elsewhere, or, for None, where the ranking put it."""
        if place is None:
            self.places.pop(row, None)
        else:
            self.places[row] = place
        self.version[self.rows_of_person(row)] += 1
        self._orders.changed(row)

    def order(self, queue: int) -> QueueOrder:
        """Return the rows of a queue in order: those given back before come after the others."""
        return self._orders.of(queue)

    def _stands(self, row: int) -> Stands | None:
        """Return where a row stands that events moved or that was given back, None for any other."""
        place, returned = self.places.get(row), int(self.returned[row])
        if place is not None:
            # At equal places what events brought comes before what the ranking put there.
            return Stands(place.queue, 2 * place.priority - 1, returned)
        if not returned:
            return None
        return Stands(int(self.entries.queue[row]), 2 * int(self.entries.priority[row]), returned)

    def spent_seconds(self) -> Ints:
        """Return the handling time that each queue's contacts of the day took, int64 (q,); of a rest, since then."""
        spent = np.zeros(len(self.plan.queues), dtype=np.int64)
        index = {queue.queue_id: at for at, queue in enumerate(self.plan.queues)}
        begins = microseconds(datetime.combine(self.day, datetime.min.time(), self.zone))
        for told in self.events.values():
            for one in told:
                event = one.event
                if one.sequence <= self.came.used_through:
                    continue
                if event is not None and event.kind is EventKind.CONTACT and microseconds(event.occurred_at) >= begins:
                    at = index.get(event.queue_id)
                    if at is not None:
                        spent[at] += event.seconds
        return spent

    def received_minor(self) -> tuple[Ints, Ints]:
        """Return what was paid since the day began and how many accounts paid, by the queue that the ranking put them into.

        Both int64 (q + 1,), the last for accounts in no worklist; payments that were taken back do not count.
        """
        received, paid = np.zeros((2, len(self.plan.queues) + 1), dtype=np.int64)
        begins = microseconds(datetime.combine(self.day, datetime.min.time(), self.zone))
        for row, told in self.events.items():
            held = [one.event for one in told if one.event is not None]
            taken_back = {event.reverses for event in held if event.kind is EventKind.REVERSAL}
            amounts = [
                event.amount_minor
                for event in held
                if event.kind is EventKind.PAYMENT
                and event.event_id not in taken_back
                and microseconds(event.occurred_at) >= begins
            ]
            received[self.entries.queue[row]] += sum(amounts)  # UNASSIGNED, -1, is the last
            paid[self.entries.queue[row]] += bool(amounts)
        return received, paid

    def committed_seconds(self) -> Ints:
        """Return the handling time that held leases are expected to take, int64 (q,).

        Of what remains of a day also those that were given of the day's earlier rankings since.
        """
        committed = np.zeros(len(self.plan.queues), dtype=np.int64)
        index = {queue.queue_id: at for at, queue in enumerate(self.plan.queues)}
        for lease in self.held.values():
            mine = lease.ranking_id == self.record.ranking_id
            also = self.came.used_through > 0 and self.row_of_key(lease.account_no) is not None
            if (mine or also) and lease.queue_id in index:
                committed[index[lease.queue_id]] += lease.seconds
        return committed

    @property
    def zone(self) -> ZoneInfo:
        """The desk's zone."""
        return ZoneInfo(self.portfolio.time_zone)


def _pair(text: str) -> tuple[str, str]:
    state, _, zone = text.partition("|")
    return state, zone
