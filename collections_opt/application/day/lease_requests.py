"""What holders ask for, and what they may tell of a lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.codes.iso_639 import LANGUAGES
from collections_opt.core.day.event_checks import require_no_reviews
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_LEASE_SECONDS, MAX_LEASES, MAX_LIST_ITEMS, MAX_TEXT_CHARACTERS
from collections_opt.core.names import list_violations
from collections_opt.ledger.events.leases import LeaseRecord
from collections_opt.ledger.events.stored_events import Subjects

_SHORTEST_SECONDS = 10


@dataclass(frozen=True)
class LeaseRequest:
    """Asks for accounts of a queue.

    Attributes:
        request_id: of the call; the same one again is given the same leases.
        ranking_id: the ranking in work.
        queue_id: the queue.
        holder: an opaque id of who holds; agents are never scored.
        count: accounts at most.
        lease_seconds: how long.
        holder_kind: PERSON or AUTOMATED, for the record.
        languages: that the holder speaks, ISO 639; empty takes every language.
        skills: block flags whose accounts the holder may take; empty takes all that the queue works.
    """

    request_id: str
    ranking_id: str
    queue_id: str
    holder: str
    count: int = 1
    lease_seconds: int = 600
    holder_kind: str = "PERSON"
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


def check_request(request: LeaseRequest) -> None:
    """Refuse a request that no queue could serve.

    Raises:
        CollectionsError: LIMIT_EXCEEDED or INVALID_ARGUMENT, by field.
    """
    if not 1 <= request.count <= MAX_LEASES:
        raise refuse(Reason.LIMIT_EXCEEDED, "count", f"{request.count} accounts.", f"Ask for 1 to {MAX_LEASES}.")
    check_seconds(request.lease_seconds)
    check_holder(request.holder)
    for name, values, known in (("languages", request.languages, LANGUAGES), ("skills", request.skills, BLOCK_FLAGS)):
        found = list(list_violations(name, values))
        found += [
            FieldViolation(f"{name}[{at}]", f"{value[:40]!r} is unknown.", "Check the code.")
            for at, value in enumerate(values[:MAX_LIST_ITEMS])
            if value not in known and not found
        ]
        if found:
            raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))


def check_holder(holder: str) -> None:
    """Refuse what names nobody."""
    if not holder or len(holder) > MAX_TEXT_CHARACTERS or not holder.isprintable():
        raise refuse(Reason.INVALID_ARGUMENT, "holder", "is empty, too long or not printable.", "Send an opaque id.")


def check_seconds(lease_seconds: int) -> None:
    """Refuse a lease that is too short or too long."""
    if not _SHORTEST_SECONDS <= lease_seconds <= MAX_LEASE_SECONDS:
        remedy = f"Send {_SHORTEST_SECONDS} to {MAX_LEASE_SECONDS}."
        raise refuse(Reason.INVALID_ARGUMENT, "lease_seconds", f"{lease_seconds} seconds.", remedy)


def check_own(lease: LeaseRecord, events: Sequence[Event], subjects: Subjects) -> None:
    """Refuse events of another account, reviews, and none that is a contact under the lease."""
    require_no_reviews(events)
    for index, event in enumerate(events):
        if event.account_id and int(subjects.account_no[index]) != lease.account_no:
            told = f"{event.account_id!r} is not the leased account."
            raise refuse(Reason.INVALID_ARGUMENT, f"events[{index}].account_id", told, "Tell it with RecordEvents.")
        if event.kind is EventKind.CONTACT and event.lease_id not in ("", lease.lease_id):
            told = "is another lease."
            raise refuse(Reason.INVALID_ARGUMENT, f"events[{index}].contact.lease_id", told, "Name the lease, or none.")
    if not any(event.kind is EventKind.CONTACT and event.account_id for event in events):
        raise refuse(Reason.INVALID_ARGUMENT, "events", "none is a contact with the account.", "Release a lease without one.")
