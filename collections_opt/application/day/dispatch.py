"""Dispatch: the best callable accounts now, each to one holder, with what they end in as events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from collections_opt.application.day.desk.gate import Gate, Verdict
from collections_opt.application.day.desk.line import Line
from collections_opt.application.day.desk.live_desk import LiveDesk, Place
from collections_opt.application.day.desk.openings import Openings
from collections_opt.application.day.event_book import EventBook
from collections_opt.application.day.lease_requests import LeaseRequest, check_holder, check_own, check_request, check_seconds
from collections_opt.application.day.turns import Turns
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.day.event_checks import check_events
from collections_opt.core.day.event_columns import EPOCH, microseconds
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_TEXT_CHARACTERS
from collections_opt.core.scopes import present_scope
from collections_opt.ledger.events.leases import Asked, LeaseRecord, LeaseState, LeaseTurn
from collections_opt.ledger.events.stored_events import NOBODY, Subjects
from collections_opt.ledger.sealing.subject_keys import SubjectKeys

NOBODIES = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class LeasedAccount:
    """A lease as its holder sees it, with the attempts that rules leave and the person's other accounts."""

    lease: LeaseRecord
    account_id: str
    place: Place
    attempts: int
    other_account_ids: tuple[str, ...]


@dataclass(frozen=True)
class EndedLease:
    """How a lease ended; ``lost`` where it was no longer the holder's, though what was told of the contact is recorded."""

    lease: LeaseRecord
    lost: bool
    recorded_count: int = 0


class Dispatch:
    """Leases accounts of rankings in work.

    Args:
        openings: opens rankings.
        turns: where leases change.
        events: records what leases end in.
        keys: the keys of accounts.
        now: the clock.
    """

    def __init__(
        self, openings: Openings, turns: Turns, events: EventBook, keys: SubjectKeys, now: Callable[[], datetime]
    ) -> None:
        self._openings = openings
        self._turns = turns
        self._events = events
        self._keys = keys
        self._now = now

    def lease(self, request: LeaseRequest, actor: Actor = UNKNOWN) -> list[LeasedAccount]:
        """Lease the best callable accounts now; none where none is callable.

        Raises:
            CollectionsError: LIMIT_EXCEEDED, INVALID_ARGUMENT, NOT_FOUND for a queue; RANKING_NOT_IN_FORCE; REQUEST_ID_REUSED.
        """
        check_request(request)
        asked = Asked(request_ids=(request.request_id,))
        self._openings.prepare(request.ranking_id)
        leased = self._turns.run(lambda turn: self._lease(turn, request, actor, may_open=False), asked, last=True)
        if leased is None:  # somebody was erased since it was opened
            self._openings.open(request.ranking_id)
            leased = self._turns.run(lambda turn: self._lease(turn, request, actor, may_open=True), asked, last=True)
        return leased or []

    def given_under(self, request_id: str) -> str:
        """Return the ranking whose accounts a request was given before, "" where it was given none."""
        given = self._turns.look(lambda turn: turn.of_request(request_id))
        return given[0].ranking_id if given else ""

    def currency_of(self, ranking_id: str) -> str:
        """Return the currency of a ranking in work."""
        return self._openings.currency_of(ranking_id)

    def _require_lease(self, lease_id: str) -> None:
        """Refuse a lease of a ranking out of the present caller's sight, as one that is not there."""
        if present_scope().is_limited and not self._turns.in_sight(lease_id):
            raise _no_lease(lease_id)

    def _instant(self, turn: LeaseTurn) -> datetime:
        """Return the instant of a turn: what it does happens at once, so that what it tells is one batch."""
        return turn.once("now", self._now)

    def extend(self, lease_id: str, holder: str, lease_seconds: int) -> LeaseRecord:
        """Hold an account longer, counted from now.

        Raises:
            CollectionsError: NOT_FOUND; LEASE_LOST where it is not the holder's any more.
        """
        check_holder(holder)
        check_seconds(lease_seconds)
        self._require_lease(lease_id)

        def act(turn: LeaseTurn) -> LeaseRecord:
            now = self._instant(turn)
            self._expire(turn, now)
            lease = _mine(turn, lease_id, holder)
            if lease.state != LeaseState.HELD:
                told = f"is {lease.state}."
                raise refuse(Reason.LEASE_LOST, "lease_id", told, "Lease anew; complete it if a contact was made.")
            return turn.change(lease_id, expires_at=microseconds(now + timedelta(seconds=lease_seconds)))

        return self._turns.run(act, Asked(lease_ids=(lease_id,)))

    def complete(
        self, lease_id: str, holder: str, events: Sequence[Event], actor: Actor = UNKNOWN, validate_only: bool = False
    ) -> EndedLease:
        """End a lease in what happened: one contact or more, and whatever came of them, in one transaction.

        A lease that was lost is still told what was done under it: the contact was made. The same again is the same.

        Raises:
            CollectionsError: NOT_FOUND; as ``check_events``; INVALID_ARGUMENT without a contact under this lease, or for events
                of another account.
        """
        check_holder(holder)
        check_events(events, self._now())
        self._require_lease(lease_id)
        in_sight = self._events.in_sight()
        persons = any(not event.account_id for event in events)
        # Before the turn: a person never seen is written down in one of its own. Accounts are the lease's, and so known.
        known = self._events.log.subjects(events, validate_only) if persons else None

        def act(turn: LeaseTurn) -> EndedLease:
            now = self._instant(turn)
            self._expire(turn, now)
            lease = _mine(turn, lease_id, holder)
            subjects = turn.subjects(events) if known is None else known
            check_own(lease, events, subjects)
            if validate_only:
                return EndedLease(lease, lease.state not in (LeaseState.HELD, LeaseState.COMPLETED))
            held = lease.state == LeaseState.HELD
            # The end of the lease is told with what it ended in: one batch, one leaf.
            account_id = next(event.account_id for event in events if event.account_id)
            also = [_end_event(lease, account_id, LeaseState.COMPLETED, now, "")] if held else []
            told = turn.record([*events, *also], _with(subjects, lease, len(also)), actor, now, in_sight)
            fresh = sum(not one.repeated for one in told[: len(events)])
            if held:
                lease = turn.change(lease.lease_id, state=LeaseState.COMPLETED.value, ended_at=microseconds(now))
            return EndedLease(lease, lease.state != LeaseState.COMPLETED, fresh)

        ended = self._turns.run(act, Asked(lease_ids=(lease_id,), events=tuple(events)))
        self._events.publish_soon()
        return ended

    def release(self, lease_id: str, holder: str, note: str, actor: Actor = UNKNOWN) -> EndedLease:
        """Give an account back without a contact; it comes again after the others of its queue.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT for a note that is none.
        """
        check_holder(holder)
        if not note or len(note) > MAX_TEXT_CHARACTERS or not note.isprintable():
            raise refuse(Reason.INVALID_ARGUMENT, "note", "is empty, too long or not printable.", "Say why, in short.")
        self._require_lease(lease_id)

        def act(turn: LeaseTurn) -> EndedLease:
            now = self._instant(turn)
            self._expire(turn, now)
            lease = _mine(turn, lease_id, holder)
            if lease.state != LeaseState.HELD:
                return EndedLease(lease, lease.state != LeaseState.RELEASED)
            return EndedLease(self._end(turn, lease, LeaseState.RELEASED, now, actor, note), lost=False)

        ended = self._turns.run(act, Asked(lease_ids=(lease_id,)))
        self._events.publish_soon()
        return ended

    def _lease(self, turn: LeaseTurn, request: LeaseRequest, actor: Actor, may_open: bool) -> list[LeasedAccount] | None:
        """Lease in a turn; None where the ranking must be opened first and may not be in the turn."""
        now = self._instant(turn)
        if not may_open and not self._openings.is_open(request.ranking_id, turn):
            return None
        self._expire(turn, now, actor)
        desk, gate = turn.once(f"desk/{request.ranking_id}", lambda: self._openings.caught_up(turn, request.ranking_id, now))
        queue = desk.plan.queue_index(request.queue_id)
        given = turn.of_request(request.request_id)
        if given:
            if {(one.holder, one.ranking_id, one.queue_id) for one in given} != {
                (request.holder, request.ranking_id, request.queue_id)
            }:
                raise refuse(Reason.REQUEST_ID_REUSED, "request_id", "was used for another request.", "Use a new UUID.")
            return [self._shown(desk, gate, one, queue, now) for one in given]
        desk.take_leases(turn.changed_after(desk.revision))
        line = turn.once(f"line/{request.ranking_id}/{queue}", lambda: Line(desk, gate, queue, now))
        chosen = line.take(request.count, lambda row: _suits(desk, queue, row, request), self._keys.tag)
        until = microseconds(now + timedelta(seconds=request.lease_seconds))
        records = [
            {
                "lease_id": str(uuid.UUID(bytes=self._keys.random(16), version=4)),
                "request_id": request.request_id,
                "ranking_id": request.ranking_id,
                "queue_id": request.queue_id,
                "account_no": int(desk.key_no[row]),
                "person": self._keys.tag(desk.person_of(row)),
                "holder": request.holder,
                "holder_kind": request.holder_kind,
                "state": LeaseState.HELD.value,
                "seconds": desk.place_of(row).seconds,
                "leased_at": microseconds(now),
                "expires_at": until,
                "ended_at": 0,
            }
            for row, _ in chosen
        ]
        added = turn.add(records)
        desk.take_leases(turn.changed_after(desk.revision))
        return [self._seen(desk, row, one, verdict) for (row, verdict), one in zip(chosen, added, strict=True)]

    def _shown(self, desk: LiveDesk, gate: Gate, lease: LeaseRecord, queue: int, now: datetime) -> LeasedAccount:
        row = desk.row_of_key(lease.account_no)
        if row is None:
            raise refuse(
                Reason.NOT_FOUND, "request_id", "named an account that is gone.", "Lease anew with a new id.", lease.lease_id
            )
        return self._seen(desk, row, lease, gate.verdict(row, queue, now))

    @staticmethod
    def _seen(desk: LiveDesk, row: int, lease: LeaseRecord, verdict: Verdict) -> LeasedAccount:
        others = tuple(desk.account_id[other].decode() for other in desk.rows_of_person(row) if other != row)
        return LeasedAccount(lease, desk.account_id[row].decode(), desk.place_of(row), verdict.attempts, others)

    def _expire(self, turn: LeaseTurn, now: datetime, actor: Actor = UNKNOWN) -> None:
        """End the leases whose time is over, once in a turn; their accounts come back."""

        def over() -> list[LeaseRecord]:
            return turn.held_past(microseconds(now))

        turn.once("expired", lambda: [self._end(turn, one, LeaseState.EXPIRED, now, actor, "") for one in over()])

    def _end(self, turn: LeaseTurn, lease: LeaseRecord, state: LeaseState, now: datetime, actor: Actor, note: str) -> LeaseRecord:
        event = _end_event(lease, turn.account_of(lease.account_no), state, now, note)
        if event.account_id:  # an account that was erased meanwhile has no key to seal with
            turn.record([event], _with(Subjects(NOBODIES, NOBODIES), lease, 1), actor, now)
        return turn.change(lease.lease_id, state=state.value, ended_at=microseconds(now))


def _end_event(lease: LeaseRecord, account_id: str, state: LeaseState, now: datetime, note: str) -> Event:
    return Event(
        event_id=f"lease/{lease.lease_id}",
        kind=EventKind.LEASE,
        occurred_at=now,
        account_id=account_id,
        queue_id=lease.queue_id,
        lease_id=lease.lease_id,
        lease_state=state.value,
        note=note,
    )


def _with(subjects: Subjects, lease: LeaseRecord, count: int) -> Subjects:
    """Return subjects with the leased account after them, so many times."""
    more = np.full(count, lease.account_no), np.full(count, NOBODY)
    return Subjects(np.append(subjects.account_no, more[0]), np.append(subjects.person_no, more[1]))


def end_of(lease: LeaseRecord) -> datetime:
    """Return when a lease expires."""
    return EPOCH + timedelta(microseconds=lease.expires_at)


def _suits(desk: LiveDesk, queue: int, row: int, request: LeaseRequest) -> bool:
    """Return whether a holder speaks the person's language and has the skills that the account asks for."""
    if request.languages:
        chosen = desk.portfolio.column("language")[row].decode()
        if chosen and chosen not in request.languages:
            return False
    if not request.skills:
        return True
    needed = [name for name in desk.plan.queues[queue].specialisms if desk.portfolio.column(name)[row]]
    return all(name in request.skills for name in needed)


def _mine(turn: LeaseTurn, lease_id: str, holder: str) -> LeaseRecord:
    lease = turn.find(lease_id)
    if lease is None:
        raise _no_lease(lease_id)
    if lease.holder != holder:
        raise refuse(Reason.NOT_FOUND, "holder", f"{holder[:40]!r} does not hold this lease.", "Send who leased it.", holder)
    return lease


def _no_lease(lease_id: str) -> CollectionsError:
    return refuse(Reason.NOT_FOUND, "lease_id", f"{lease_id[:40]!r} is no lease.", "Check the id.", lease_id)
