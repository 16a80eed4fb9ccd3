"""The day over the API: tell what happened, lease, complete and give back accounts, and look at what comes next."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from collections_opt.api.v1 import event_pb2
from collections_opt.api.v1 import event_service_pb2 as events_pb
from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.limits import MAX_EVENTS, MAX_PAGE_SIZE

Told = TypeVar("Told")


class ToldEvents(NamedTuple):
    """What became of events: how many were recorded, how many were there already, and the number of the last."""

    recorded_count: int
    repeated_count: int
    last_sequence: int


def record_events(client: Client, events: Sequence[event_pb2.Event], validate_only: bool = False) -> ToldEvents:
    """Record 1 to 1,000 events: all, or none where any is at fault.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every fault; ALREADY_EXISTS for an id that holds another event.
    """
    answer = client.events.RecordEvents(events_pb.RecordEventsRequest(events=events, validate_only=validate_only))
    count = len(answer.sequences)
    return ToldEvents(count - answer.repeated_count, answer.repeated_count, max(answer.sequences, default=0))


def stream_events(client: Client, events: Iterable[event_pb2.Event]) -> ToldEvents:
    """Record any number of events, a batch at a time; what came before a fault stays recorded.

    Raises:
        CollectionsError: as ``record_events``.
    """
    requests = (events_pb.StreamEventsRequest(events=batch) for batch in _batches(events))
    answer = client.events.StreamEvents(requests)
    return ToldEvents(answer.recorded_count, answer.repeated_count, answer.last_sequence)


def record_reviews(client: Client, reviews: Iterable[events_pb.NewReview]) -> ToldEvents:
    """Record any number of reviews by the caller, a person, a batch at a time; what came before a fault stays recorded.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every fault; NOT_FOUND for what was not decided about the account.
    """
    recorded = repeated = last = 0
    for batch in _batches(reviews):
        answer = client.events.RecordReviews(events_pb.RecordReviewsRequest(reviews=batch))
        repeated += answer.repeated_count
        recorded += len(answer.sequences) - answer.repeated_count
        last = max(answer.sequences, default=last)
    return ToldEvents(recorded, repeated, last)


def read_events(client: Client, after_sequence: int = 0) -> Iterator[event_pb2.RecordedEvent]:
    """Yield events in the order in which they were recorded, after one, until there are no more."""
    while True:
        request = events_pb.ReadEventsRequest(after_sequence=after_sequence, page_size=MAX_PAGE_SIZE)
        found = client.events.ReadEvents(request).events
        yield from found
        if len(found) < MAX_PAGE_SIZE:
            return
        after_sequence = found[-1].sequence


def account_events(client: Client, account_id: str = "", customer_id: str = "") -> Iterator[event_pb2.RecordedEvent]:
    """Yield the events of an account, or those told about a person alone, newest first."""
    request = events_pb.ListAccountEventsRequest
    return pages(
        lambda token: client.events.ListAccountEvents(request(account_id=account_id, customer_id=customer_id, page_token=token)),
        lambda page: page.events,
    )


def lease_accounts(
    client: Client,
    ranking_id: str,
    queue_id: str,
    holder: str,
    count: int = 1,
    lease_seconds: int = 600,
    request_id: str = "",
) -> Sequence[pb.Lease]:
    """Lease the best callable accounts of a queue for a person; none where none is callable now.

    For ``ranking_id`` "" the server takes the ranking in force today of the only desk.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_IN_FORCE for a ranking of another day.
    """
    request = pb.LeaseAccountsRequest(
        request_id=request_id or str(uuid.uuid4()),
        ranking_id=ranking_id,
        queue_id=queue_id,
        holder=holder,
        holder_kind=pb.HOLDER_KIND_PERSON,
        max_account_count=count,
        lease_seconds=lease_seconds,
    )
    return client.worklists.LeaseAccounts(request).leases


def complete_lease(client: Client, lease_id: str, holder: str, events: Sequence[event_pb2.Event]) -> pb.CompleteLeaseResponse:
    """End a lease in what happened; ``lost`` says that it was no longer the holder's, though the events are recorded.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every fault of the events; NOT_FOUND.
    """
    return client.worklists.CompleteLease(pb.CompleteLeaseRequest(lease_id=lease_id, holder=holder, events=events))


def release_lease(client: Client, lease_id: str, holder: str, note: str) -> pb.ReleaseLeaseResponse:
    """Give an account back without a contact.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    return client.worklists.ReleaseLease(pb.ReleaseLeaseRequest(lease_id=lease_id, holder=holder, note=note))


def next_accounts(client: Client, ranking_id: str, queue_id: str, include_removed: bool = False) -> Iterator[pb.NextAccount]:
    """Yield the accounts of a live worklist in order.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_IN_FORCE.
    """
    request = pb.ListNextAccountsRequest
    return pages(
        lambda token: client.worklists.ListNextAccounts(
            request(ranking_id=ranking_id, queue_id=queue_id, include_removed=include_removed, page_token=token)
        ),
        lambda page: page.accounts,
    )


@dataclass(frozen=True)
class ContactMeans:
    """How a person would be contacted, and by whom.

    Attributes:
        channel: by which medium.
        automated: a machine makes the contact.
        skills: block flags whose accounts the holder may take.
        lease_id: the lease under which it would be made.
    """

    channel: str = "CHANNEL_CALL"
    automated: bool = False
    skills: Sequence[str] = ()
    lease_id: str = ""


BY_TELEPHONE = ContactMeans()


def check_contact(
    client: Client,
    account_id: str = "",
    customer_id: str = "",
    means: ContactMeans = BY_TELEPHONE,
    capacity_plan_id: str = "",
    ranking_id: str = "",
) -> pb.CheckContactResponse:
    """Ask whether a person may be contacted now, by whatever means other than the worklist; question and answer are noted.

    Args:
        client: the open client.
        account_id: the account; or name the person.
        customer_id: the person, for a contact about all of their accounts.
        means: how.
        capacity_plan_id: the desk whose ranking of today judges; "" is the only one.
        ranking_id: that ranking, in place of the desk.

    Raises:
        CollectionsError: NOT_FOUND for whom the ranking does not hold; RANKING_NOT_IN_FORCE.
    """
    request = pb.CheckContactRequest(
        capacity_plan_id=capacity_plan_id,
        ranking_id=ranking_id,
        account_id=account_id,
        customer_id=customer_id,
        channel=means.channel,  # type: ignore[arg-type]
        holder_kind=pb.HOLDER_KIND_AUTOMATED if means.automated else pb.HOLDER_KIND_PERSON,
        skills=means.skills,
        lease_id=means.lease_id,
    )
    return client.worklists.CheckContact(request)


def _batches(events: Iterable[Told]) -> Iterator[Sequence[Told]]:
    held: list[Told] = []
    for event in events:
        held.append(event)
        if len(held) == MAX_EVENTS:
            yield held
            held = []
    if held:
        yield held
