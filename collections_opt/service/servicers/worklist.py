"""WorklistService: leases, live worklists and wallboards."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.api.v1.capacity_plan_pb2 import Channel
from collections_opt.api.v1.event_pb2 import LeaseState
from collections_opt.application.day.contact_requests import ContactAnswer, ContactRequest
from collections_opt.application.day.day import Day
from collections_opt.application.day.dispatch import LeasedAccount, end_of
from collections_opt.application.day.lease_requests import LeaseRequest
from collections_opt.application.day.live_worklists import LiveEntry
from collections_opt.application.day.queue_states import QueueState
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import read_enum, read_time, read_uuid, told_as, write_date, write_enum
from collections_opt.wire.events import RENAMES, read_events

LOOK_SECONDS = 1.0
"""How often a watch looks at its queues."""

MAX_ANSWERS = 100_000
"""Answers of one watch."""

_NAMED = {"count": "max_account_count", "at": "contact_time"}


class WorklistServicer:
    """Leases accounts and shows live worklists."""

    def __init__(self, day: Day) -> None:
        self._dispatch = day.dispatch
        self._worklists = day.worklists
        self._in_work = day.in_work
        self._checks = day.checks

    def lease_accounts(self, request: pb.LeaseAccountsRequest, context: Call) -> pb.LeaseAccountsResponse:
        """Lease the best callable accounts."""
        request_id = read_uuid(request.request_id)
        before = "" if request.ranking_id else self._dispatch.given_under(request_id)  # a re-solve may have come between
        ranking_id = before or self._in_work.ranking_id(request.ranking_id, request.capacity_plan_id)
        wanted = LeaseRequest(
            request_id=request_id,
            ranking_id=ranking_id,
            queue_id=request.queue_id,
            holder=request.holder,
            count=request.max_account_count,
            lease_seconds=request.lease_seconds,
            holder_kind=read_enum(pb.HolderKind.DESCRIPTOR, request.holder_kind, "holder_kind"),
            languages=tuple(request.languages),
            skills=tuple(request.skills),
        )
        with told_as(_NAMED):
            leased = self._dispatch.lease(wanted, read_actor(context))
        shown = [_write_lease(one) for one in leased]
        return pb.LeaseAccountsResponse(leases=shown, currency_code=self._dispatch.currency_of(ranking_id), ranking_id=ranking_id)

    def extend_lease(self, request: pb.ExtendLeaseRequest, _context: Call) -> pb.ExtendLeaseResponse:
        """Hold an account longer."""
        lease = self._dispatch.extend(request.lease_id, request.holder, request.lease_seconds)
        answer = pb.ExtendLeaseResponse()
        answer.expire_time.FromDatetime(end_of(lease))
        return answer

    def complete_lease(self, request: pb.CompleteLeaseRequest, context: Call) -> pb.CompleteLeaseResponse:
        """End a lease in what happened."""
        with told_as({}, RENAMES):
            events = read_events(request.events)
            actor = read_actor(context)
            ended = self._dispatch.complete(request.lease_id, request.holder, events, actor, request.validate_only)
        return pb.CompleteLeaseResponse(
            state=write_enum(LeaseState.DESCRIPTOR, ended.lease.state), lost=ended.lost, recorded_count=ended.recorded_count
        )

    def release_lease(self, request: pb.ReleaseLeaseRequest, context: Call) -> pb.ReleaseLeaseResponse:
        """Give an account back."""
        ended = self._dispatch.release(request.lease_id, request.holder, request.note, read_actor(context))
        return pb.ReleaseLeaseResponse(state=write_enum(LeaseState.DESCRIPTOR, ended.lease.state), lost=ended.lost)

    def list_next_accounts(self, request: pb.ListNextAccountsRequest, _context: Call) -> pb.ListNextAccountsResponse:
        """Return a page of a live worklist."""
        ranking_id = self._in_work.ranking_id(request.ranking_id, request.capacity_plan_id)
        scope = f"next/{ranking_id}/{request.queue_id}/{request.include_removed}"
        page = read_page(scope, request.page_size, request.page_token, 0)
        found = self._worklists.page(ranking_id, request.queue_id, page.after, page.size + 1, request.include_removed)
        shown, more = page.cut(found)
        return pb.ListNextAccountsResponse(
            accounts=[_write_entry(entry) for entry in shown],
            next_page_token=page.next_token(shown[-1].position) if more else "",
            currency_code=self._dispatch.currency_of(ranking_id),
            ranking_id=ranking_id,
        )

    def check_contact(self, request: pb.CheckContactRequest, context: Call) -> pb.CheckContactResponse:
        """Say whether a person may be contacted."""
        wanted = ContactRequest(
            ranking_id=self._in_work.ranking_id(request.ranking_id, request.capacity_plan_id),
            account_id=request.account_id,
            customer_id=request.customer_id,
            channel=read_enum(Channel.DESCRIPTOR, request.channel, "channel"),
            holder_kind=read_enum(pb.HolderKind.DESCRIPTOR, request.holder_kind, "holder_kind"),
            skills=tuple(request.skills),
            lease_id=request.lease_id,
            at=read_time(request.contact_time, "contact_time") if request.HasField("contact_time") else None,
        )
        with told_as(_NAMED):
            answer = self._checks.check(wanted, read_actor(context))
        return _write_answer(answer, wanted.ranking_id)

    def watch_queue(self, request: pb.WatchQueueRequest, context: Call) -> Iterator[pb.WatchQueueResponse]:
        """Yield how queues stand whenever that changes, until the caller leaves."""
        if not 1 <= request.max_answer_count <= MAX_ANSWERS:
            told = f"{request.max_answer_count} answers."
            raise refuse(Reason.INVALID_ARGUMENT, "max_answer_count", told, f"Send 1 to {MAX_ANSWERS}.")
        sent, count, pause = None, 0, threading.Event()
        while context.is_active():
            ranking_id = self._in_work.ranking_id(request.ranking_id, request.capacity_plan_id)
            found = self._worklists.states(ranking_id)
            shown = [one for one in found if request.queue_id in ("", one.queue_id)]
            if not shown:
                raise refuse(
                    Reason.NOT_FOUND, "queue_id", f"{request.queue_id[:40]!r} is no queue.", "Check the id.", request.queue_id
                )
            if (ranking_id, shown) != sent:
                sent = (ranking_id, shown)
                states = [_write_state(one) for one in shown]
                yield pb.WatchQueueResponse(
                    queues=states, currency_code=self._dispatch.currency_of(ranking_id), ranking_id=ranking_id
                )
                count += 1
                if count == request.max_answer_count:
                    return
            pause.wait(min(LOOK_SECONDS, context.time_remaining()))


def _write_lease(leased: LeasedAccount) -> pb.Lease:
    lease = pb.Lease(
        lease_id=leased.lease.lease_id,
        account_id=leased.account_id,
        queue_id=leased.lease.queue_id,
        priority=leased.place.priority,
        attempts_left_count=leased.attempts,
        increment_minor_units=leased.place.increment_minor,
        handling_seconds=leased.lease.seconds,
        other_account_ids=leased.other_account_ids,
        moved=leased.place.moved,
        state=write_enum(LeaseState.DESCRIPTOR, leased.lease.state),
    )
    lease.expire_time.FromDatetime(end_of(leased.lease))
    return lease


def _write_answer(answer: ContactAnswer, ranking_id: str) -> pb.CheckContactResponse:
    facts, kind = answer.facts, pb.ContactVerdict.DESCRIPTOR
    shown = pb.CheckContactResponse(
        verdict=write_enum(kind, answer.verdict.value),
        reasons=[
            pb.ContactReason(
                account_id=one.account_id,
                verdict=write_enum(kind, one.verdict.value),
                kind=write_enum(pb.ContactReasonKind.DESCRIPTOR, one.kind),
                description=one.description,
                rule_id=one.rule_id,
                rule_version=one.rule_version,
                event_sequence=one.event,
            )
            for one in answer.reasons
        ],
        budgets=[pb.ContactBudget(**vars(one)) for one in answer.budgets],
        facts_as_of_date=write_date(facts.as_of_date),
        through_event_sequence=facts.through_event,
        last_event_sequence=facts.last_event,
        contact_facts_days_old=facts.days_old.get("contacts"),
        flag_facts_days_old=facts.days_old.get("flags"),
        ranking_id=ranking_id,
        rules_version=answer.rules_version,
        capacity_plan_version=answer.plan_version,
        note_sequence=answer.note,
    )
    shown.contact_time.FromDatetime(answer.at)
    shown.facts_import_time.FromDatetime(facts.imported_at)
    if answer.next_at is not None:
        shown.next_allowed_time.FromDatetime(answer.next_at)
    return shown


def _write_entry(entry: LiveEntry) -> pb.NextAccount:
    return pb.NextAccount(
        position=entry.position,
        account_id=entry.account_id,
        increment_minor_units=entry.place.increment_minor,
        handling_seconds=entry.place.seconds,
        arrived=entry.arrived,
        removed=_removal(entry.removed),
        rule_id=entry.rule_id,
        event_sequence=entry.event,
        waits_for_hours=entry.waits,
        attempts_left_count=entry.attempts,
    )


def _removal(why: str) -> pb.RemovalReason.ValueType:
    """Return why an account is not to be worked; unspecified where it is."""
    found: pb.RemovalReason.ValueType = write_enum(pb.RemovalReason.DESCRIPTOR, why or "UNSPECIFIED")
    return found


def _write_state(state: QueueState) -> pb.QueueState:
    oldest = None
    if state.oldest_lease is not None:
        oldest = Timestamp()
        oldest.FromDatetime(state.oldest_lease)
    return pb.QueueState(
        queue_id=state.queue_id,
        depth=state.depth,
        held_count=state.held_count,
        left_minutes=state.left_seconds / 60.0,
        spent_minutes=state.spent_seconds / 60.0,
        value_left_minor_units=state.value_minor,
        oldest_lease_time=oldest,
        removed=[pb.RemovedAccounts(reason=_removal(why), account_count=count) for why, count in state.removed.items()],
        arrived_count=state.arrived_count,
        received_minor_units=state.received_minor,
        paid_account_count=state.paid_count,
    )
