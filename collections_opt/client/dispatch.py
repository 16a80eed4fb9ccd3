"""Dispatch over the API: lease, hold on to, complete and give back accounts, and look at what comes next."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from collections_opt.api.v1 import event_pb2
from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages


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
