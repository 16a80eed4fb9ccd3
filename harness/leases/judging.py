"""What must hold of a worked day, from what the ledger holds and what holders were told."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from collections_opt.core.day.events import EventKind, RecordedEvent
from harness.leases.holders import Journal

_COLUMNS = "lease_id, account_no, person, holder, state, leased_at, expires_at, ended_at"


@dataclass(frozen=True)
class Held:
    """One lease, from when it was given until it ended or ran out, in microseconds."""

    lease_id: str
    account_no: int
    person: str
    state: str
    begins: int
    ends: int


def leases_of(url: str) -> list[Held]:
    """Return every lease of a ledger."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT {_COLUMNS} FROM leases")).mappings().all()
    engine.dispose()
    return [
        Held(
            row["lease_id"],
            row["account_no"],
            row["person"],
            row["state"],
            row["leased_at"],
            min(row["ended_at"] or row["expires_at"], row["expires_at"]),
        )
        for row in rows
    ]


def overlaps(leases: Iterable[Held], by: str) -> list[str]:
    """Return pairs of leases of one account, or of one person, that were held at once."""
    groups: dict[object, list[Held]] = defaultdict(list)
    for lease in leases:
        groups[getattr(lease, by)].append(lease)
    found = []
    for mine in groups.values():
        mine.sort(key=lambda one: (one.begins, one.ends))
        for one, other in itertools.pairwise(mine):
            if other.begins < one.ends:
                found.append(f"{one.lease_id} and {other.lease_id} overlap by {by}")
    return found


def persons_called_twice(leases: Sequence[Held], customers: dict[int, str]) -> list[str]:
    """Return leases of one customer's accounts that were held at once: by the portfolio, not by what leases call a person."""
    return overlaps(
        [Held(one.lease_id, one.account_no, customers[one.account_no], one.state, one.begins, one.ends) for one in leases],
        "person",
    )


def lost(journal: Journal, leases: Sequence[Held], events: Sequence[RecordedEvent]) -> list[str]:
    """Return what holders were told is kept and is not."""
    told = {event.event.event_id for event in events if event.event is not None}
    state = {one.lease_id: one.state for one in leases}
    ended = {event.event.lease_id for event in events if event.event is not None and event.event.kind is EventKind.LEASE}
    found = [f"completion {name} is not among the events" for name in (*journal.completed, *journal.lost) if name not in told]
    found += [
        f"lease {name} was completed and is {state.get(name)}"
        for name in journal.completed.values()
        if state.get(name) != "COMPLETED"
    ]
    found += [f"lease {name} was granted and is gone" for name in journal.granted if name not in state]
    found += [f"lease {name} ended without an event" for name, one in state.items() if one != "HELD" and name not in ended]
    return found


def worked_twice(events: Sequence[RecordedEvent]) -> list[str]:
    """Return accounts with contacts under two leases that were completed in time: worked again on the same day."""
    completed = {
        event.event.lease_id
        for event in events
        if event.event is not None and event.event.kind is EventKind.LEASE and event.event.lease_state == "COMPLETED"
    }
    count: dict[str, int] = defaultdict(int)
    for event in events:
        if event.event is not None and event.event.kind is EventKind.CONTACT and event.event.lease_id in completed:
            count[event.event.account_id] += 1
    return [f"{account} was worked {times} times" for account, times in count.items() if times > 1]


def gaps(events: Sequence[RecordedEvent]) -> list[str]:
    """Return where the feed has a gap."""
    return [f"{event.sequence} where {at} belongs" for at, event in enumerate(events, start=1) if event.sequence != at]
