"""EventService: what happens and what people reviewed is recorded, listed and read in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collections_opt.api.v1 import event_pb2
from collections_opt.api.v1 import event_service_pb2 as pb
from collections_opt.application.day.event_book import EventBook
from collections_opt.application.day.reviews import PATH, Reviews
from collections_opt.core.actors import Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.names import normal_account_id
from collections_opt.ledger.events.stored_events import Told
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting, read_actor
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import told_as
from collections_opt.wire.events import RENAMES, REVIEW_NAMES, read_events, read_reviews, write_recorded_events


class EventServicer:
    """Records and shows events."""

    def __init__(self, events: EventBook, reviews: Reviews) -> None:
        self._events = events
        self._reviews = reviews

    def record_events(self, request: pb.RecordEventsRequest, context: Call) -> pb.RecordEventsResponse:
        """Record a batch."""
        told = self._recorded(request.events, read_actor(context), request.validate_only)
        return pb.RecordEventsResponse(sequences=[one.sequence for one in told], repeated_count=sum(one.repeated for one in told))

    def stream_events(self, requests: Iterator[pb.StreamEventsRequest], context: Call) -> pb.StreamEventsResponse:
        """Record batches as they arrive."""
        actor, answer, empty = read_actor(context), pb.StreamEventsResponse(), True
        for request in requests:
            told, empty = self._recorded(request.events, actor, request.validate_only), False
            repeated = sum(one.repeated for one in told)
            answer.repeated_count += repeated
            answer.recorded_count += len(told) - repeated
            answer.last_sequence = max((one.sequence for one in told), default=answer.last_sequence)
        if empty:
            raise refuse(Reason.INVALID_ARGUMENT, "events", "the stream is empty.", "Send batches of 1 to 1,000 events.")
        return answer

    def record_reviews(self, request: pb.RecordReviewsRequest, context: Call) -> pb.RecordReviewsResponse:
        """Record reviews by the caller."""
        reviewer = read_acting(request.actor, context)
        with told_as({"events": PATH}, {**RENAMES, **REVIEW_NAMES}):
            told = self._reviews.record(read_reviews(request.reviews), reviewer, request.validate_only)
        return pb.RecordReviewsResponse(
            sequences=[one.sequence for one in told], repeated_count=sum(one.repeated for one in told)
        )

    def list_account_events(self, request: pb.ListAccountEventsRequest, _context: Call) -> pb.ListAccountEventsResponse:
        """Return a page of events of an account or person."""
        account_id, customer_id = normal_account_id(request.account_id), normal_account_id(request.customer_id)
        page = read_page(f"events/{account_id}/{customer_id}", request.page_size, request.page_token, 0)
        found, more = page.cut(self._events.of_account(account_id, customer_id, page.after or None, page.size + 1))
        return pb.ListAccountEventsResponse(
            events=write_recorded_events(found),
            next_page_token=page.next_token(found[-1].sequence) if more else "",
        )

    def read_events(self, request: pb.ReadEventsRequest, _context: Call) -> pb.ReadEventsResponse:
        """Return events in order."""
        page = read_page("feed", request.page_size, "", 0)
        return pb.ReadEventsResponse(events=write_recorded_events(self._events.after(request.after_sequence, page.size)))

    def _recorded(self, messages: Sequence[event_pb2.Event], actor: Actor, validate_only: bool) -> list[Told]:
        with told_as({}, RENAMES):
            return self._events.record(read_events(messages), actor, validate_only)
