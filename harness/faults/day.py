"""The day under faults: events told and accounts leased, asked again with the same ids until known; what must hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from collections_opt.application.day.lease_requests import LeaseRequest
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.event_texts import text_of
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.schema import day_events
from collections_opt.ledger.store.schema import leases as lease_rows
from harness.faults.book import NOW
from harness.leases.judging import Held, overlaps

ANN = Actor("ann")
QUEUE = "early"
LEASE_SECONDS = 3_600
LEASED = 2
EARLY = NOW - timedelta(days=30)
"""When what is told happened: before every clock that a schedule runs by."""

Asked = Callable[[Callable[[], object]], object]
"""Makes a call until it is answered or refused for good; None for the latter."""


def payments(name: str) -> list[Event]:
    """Return the events of a request by its name; the same name gives the same ones."""
    return [Event(f"{name}/{at}", EventKind.PAYMENT, EARLY, f"acc-{at:03d}", amount_minor=100 + at) for at in (1, 2, 3)]


def contact(name: str, account_id: str, lease_id: str) -> Event:
    """Return the contact that ends a lease."""
    event_id = f"{name}/{account_id}/contact"
    what = {"channel": "CALL", "direction": "OUTBOUND", "result": "NO_ANSWER", "queue_id": QUEUE, "lease_id": lease_id}
    return Event(event_id, EventKind.CONTACT, EARLY, account_id, **what)


@dataclass
class DayPromises:
    """What was told of the day, by request."""

    asked: dict[str, str] = field(default_factory=dict)
    """Text of every event that was asked to be kept, by id."""
    told: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    leased: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    completed: set[str] = field(default_factory=set)

    @property
    def acknowledged(self) -> int:
        """Events, leases and ends of leases that somebody was told to be recorded."""
        leased = {lease_id for answers in self.leased.values() for answer in answers for lease_id in answer}
        return len(self.told) + len(leased) + len(self.completed)

    def hear(self, said: dict) -> None:
        """Take note of what a child said."""
        kind = said["kind"]
        if kind == "telling":
            self.asked |= said["events"]
        elif kind == "told":
            for event_id, sequence in said["events"].items():
                self.told[event_id].add(sequence)
        elif kind == "leased":
            self.leased[said["request"]].add(tuple(said["leases"]))
        elif kind == "completed":
            self.completed.add(said["lease"])


class Desk:
    """A child's part in the day.

    Args:
        workspace: opened.
        say: tells the parent.
        until_known: asks until the outcome is known.
    """

    def __init__(self, workspace, say, until_known: Asked) -> None:
        self._workspace, self._say, self._until_known = workspace, say, until_known

    def tell(self, name: str) -> None:
        """Tell of payments."""
        events = payments(name)
        self._say("telling", events={event.event_id: text_of(event) for event in events})
        told = self._until_known(lambda: self._workspace.day.events.record(events, ANN))
        if told is not None:
            kept = {event.event_id: one.sequence for event, one in zip(events, told, strict=True)}
            self._say("told", events=kept)

    def work(self, name: str) -> None:
        """Lease accounts of the newest ranking, and tell of a contact with each."""
        newest = self._until_known(lambda: self._workspace.ledger.rankings.before(None, 1))
        if not newest:
            return
        ask = LeaseRequest(name, newest[0].ranking_id, QUEUE, "ben", LEASED, LEASE_SECONDS)
        leases = self._until_known(lambda: self._workspace.day.dispatch.lease(ask, ANN))
        if leases is None:
            return
        self._say("leased", request=name, leases=[one.lease.lease_id for one in leases])
        for one in leases:
            event = contact(name, one.account_id, one.lease.lease_id)
            self._say("telling", events={event.event_id: text_of(event)})
            ended = self._until_known(lambda: self._workspace.day.dispatch.complete(one.lease.lease_id, "ben", [event], ANN))  # noqa: B023
            if ended is not None and not ended.lost:
                self._say("completed", lease=one.lease.lease_id)


def until_known(retried: tuple[Reason, ...], attempts: int, say: Callable[..., None], unreachable: Callable[[], None]) -> Asked:
    """Return what asks again where the reason says so, with the same ids."""

    def asked(call: Callable[[], object]) -> object:
        for _ in range(attempts):
            try:
                return call()
            except CollectionsError as error:
                if error.reason not in retried:
                    say("refused", request="", reason=error.reason.value)
                    return None
                unreachable()
        say("gave_up", request="")
        return None

    return asked


def broken_day(ledger, keys: SubjectKeys, promises: DayPromises) -> Iterator[tuple[str, str]]:
    """Yield every broken promise of the day as its kind and a sentence."""
    with ledger.database.read() as connection:
        rows = {row["id_digest"]: row for row in connection.execute(day_events.select()).mappings()}
        held = [dict(row) for row in connection.execute(lease_rows.select()).mappings()]
        count = int(connection.execute(sa.select(sa.func.count()).select_from(day_events)).scalar_one())
    for event_id, sequences in promises.told.items():
        row = rows.get(digest_text(event_id))
        if row is None:
            yield "lost", f"event {event_id}: told to be kept, is not"
        elif sequences != {row["sequence"]}:
            yield "duplicated", f"event {event_id}: is number {row['sequence']}, its caller was told {sorted(sequences)}"
    asked = {digest_text(event_id) for event_id in promises.asked}
    ends = {digest_text(f"lease/{lease['lease_id']}"): lease for lease in held}
    for digest in rows.keys() - asked - ends.keys():
        yield "duplicated", f"event {rows[digest]['sequence']}: kept, but nobody told it"
    if sorted(row["sequence"] for row in rows.values()) != list(range(1, count + 1)):
        yield "lost", "the events have a gap"
    yield from _leases(promises, held, {digest: lease for digest, lease in ends.items() if digest in rows})
    log = EventLog(ledger.database, keys)
    for stored in log.after(0, min(count, MAX_PAGE_SIZE) or 1):
        event = stored.recorded.event
        if event is not None and promises.asked.get(event.event_id, text_of(event)) != text_of(event):
            yield "altered", f"event {event.event_id}: is not what was told"
    yield from (("chain_breaks", line) for line in log.verify())


def _leases(promises: DayPromises, held: list[dict], ended: dict[str, dict]) -> Iterator[tuple[str, str]]:
    state = {lease["lease_id"]: lease["state"] for lease in held}
    of_request = Counter(lease["request_id"] for lease in held)
    for request, answers in promises.leased.items():
        if len(answers) > 1:
            yield "duplicated", f"{request}: was given {len(answers)} different answers"
        for lease_id in {lease_id for answer in answers for lease_id in answer} - state.keys():
            yield "lost", f"lease {lease_id}: told to be held, is unknown"
        if of_request[request] > LEASED:
            yield "duplicated", f"{request}: holds {of_request[request]} accounts, asked for {LEASED}"
    for lease_id in promises.completed:
        if state.get(lease_id) != "COMPLETED":
            yield "lost", f"lease {lease_id}: told to be completed, is {state.get(lease_id)}"
    with_event = {lease["lease_id"] for lease in ended.values()}
    for lease_id, where in state.items():
        if (where != "HELD") != (lease_id in with_event):
            there = "an event" if lease_id in with_event else "no event"
            yield "altered", f"lease {lease_id}: is {where}, and there is {there} of its end"
    times = [
        Held(
            lease["lease_id"],
            lease["account_no"],
            lease["person"],
            lease["state"],
            lease["leased_at"],
            min(lease["ended_at"] or lease["expires_at"], lease["expires_at"]),
        )
        for lease in held
    ]
    yield from (("duplicated", line) for line in overlaps(times, "account_no"))
