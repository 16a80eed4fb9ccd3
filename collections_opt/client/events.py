"""Events over the API: told in batches, and read in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collections_opt.api.v1 import event_pb2
from collections_opt.api.v1 import event_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.limits import MAX_EVENTS, MAX_PAGE_SIZE


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
    answer = client.events.RecordEvents(pb.RecordEventsRequest(events=events, validate_only=validate_only))
    count = len(answer.sequences)
    return ToldEvents(count - answer.repeated_count, answer.repeated_count, max(answer.sequences, default=0))


def stream_events(client: Client, events: Iterable[event_pb2.Event]) -> ToldEvents:
    """Record any number of events, a batch at a time; what came before a fault stays recorded.

    Raises:
        CollectionsError: as ``record_events``.
    """
    requests = (pb.StreamEventsRequest(events=batch) for batch in _batches(events))
    answer = client.events.StreamEvents(requests)
    return ToldEvents(answer.recorded_count, answer.repeated_count, answer.last_sequence)


def read_events(client: Client, after_sequence: int = 0) -> Iterator[event_pb2.RecordedEvent]:
    """Yield events in the order in which they were recorded, after one, until there are no more."""
    while True:
        request = pb.ReadEventsRequest(after_sequence=after_sequence, page_size=MAX_PAGE_SIZE)
        found = client.events.ReadEvents(request).events
        yield from found
        if len(found) < MAX_PAGE_SIZE:
            return
        after_sequence = found[-1].sequence


def account_events(client: Client, account_id: str = "", customer_id: str = "") -> Iterator[event_pb2.RecordedEvent]:
    """Yield the events of an account, or those told about a person alone, newest first."""
    request = pb.ListAccountEventsRequest
    return pages(
        lambda token: client.events.ListAccountEvents(request(account_id=account_id, customer_id=customer_id, page_token=token)),
        lambda page: page.events,
    )


def _batches(events: Iterable[event_pb2.Event]) -> Iterator[Sequence[event_pb2.Event]]:
    held: list[event_pb2.Event] = []
    for event in events:
        held.append(event)
        if len(held) == MAX_EVENTS:
            yield held
            held = []
    if held:
        yield held
