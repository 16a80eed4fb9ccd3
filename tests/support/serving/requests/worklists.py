"""Good requests of WorklistService, over a queue whose accounts are all held."""

from __future__ import annotations

import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import worklist_service_pb2 as pb
from tests.support.models.folders import NOW
from tests.support.serving.requests.events import events

HOLDER = "sweeper"


def lease_all(worklists, ranking_id, queue_id, wait):
    """Hold every callable account of a queue; return a lease that is held and one that is completed."""
    found = []
    while True:
        request = lease_request(ranking_id, queue_id, uuid.uuid4())
        leases = worklists.LeaseAccounts(request, timeout=wait).leases
        if not leases:
            return _one_completed(worklists, found[:2], wait)
        found += leases


def _one_completed(worklists, leases, wait):
    """Complete the second of two leases: to say so again, or to give it back, changes nothing."""
    told = told_of(leases[1])
    worklists.CompleteLease(pb.CompleteLeaseRequest(lease_id=leases[1].lease_id, holder=HOLDER, events=told), timeout=wait)
    return leases


def told_of(lease):
    """Return events of every kind about a leased account."""
    told = events(lease.account_id, "done")
    for event in told:
        if event.WhichOneof("fact") == "contact":
            event.contact.lease_id = lease.lease_id
    return told


def lease_request(ranking_id, queue_id, request_id):
    """Return a request for accounts with every field set."""
    return pb.LeaseAccountsRequest(
        request_id=str(request_id),
        ranking_id=ranking_id,
        queue_id=queue_id,
        holder=HOLDER,
        holder_kind=pb.HOLDER_KIND_PERSON,
        max_account_count=100,
        lease_seconds=600,
        languages=["en"],
        skills=["vulnerable"],
    )


def worklist_requests(ranking_id, queue_id, leases):
    """Return a good request per method of WorklistService; ``leases`` as ``lease_all``."""
    extended, completed = leases
    told = told_of(completed)
    return {
        "LeaseAccounts": lease_request(ranking_id, queue_id, uuid.UUID(int=41, version=4)),
        "ExtendLease": pb.ExtendLeaseRequest(lease_id=extended.lease_id, holder=HOLDER, lease_seconds=600),
        "CompleteLease": pb.CompleteLeaseRequest(lease_id=completed.lease_id, holder=HOLDER, events=told, validate_only=True),
        "ReleaseLease": pb.ReleaseLeaseRequest(lease_id=completed.lease_id, holder=HOLDER, note="no headset"),
        "ListNextAccounts": pb.ListNextAccountsRequest(
            ranking_id=ranking_id, queue_id=queue_id, include_removed=True, page_size=5
        ),
        "CheckContact": pb.CheckContactRequest(
            ranking_id=ranking_id,
            account_id=extended.account_id,
            channel="CHANNEL_CALL",
            holder_kind=pb.HOLDER_KIND_PERSON,
            skills=["vulnerable"],
            lease_id=extended.lease_id,
            contact_time=Timestamp(seconds=int(NOW.timestamp()) + 3_600, nanos=1_000),
        ),
        "WatchQueue": pb.WatchQueueRequest(ranking_id=ranking_id, queue_id=queue_id, max_answer_count=1),
    }
