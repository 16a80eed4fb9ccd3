"""Good requests of EventService, with every fact and every field that a caller can set."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from collections_opt.api.v1 import capacity_plan_pb2, event_pb2
from collections_opt.api.v1 import event_service_pb2 as pb
from tests.support.models.folders import NOW


def facts():
    """Return one fact of every kind, by its field; choices twice: what was chosen, and hours."""
    contact = event_pb2.Contact(
        channel=capacity_plan_pb2.CHANNEL_CALL,
        direction=event_pb2.CONTACT_DIRECTION_OUTBOUND,
        result=event_pb2.CONTACT_RESULT_NO_ANSWER,
        queue_id="early-calls",
        handling_seconds=60,
        lease_id="a-lease",
    )
    return [
        {"payment": event_pb2.Payment(amount_minor_units=500, promise_event_id="told-1")},
        {"promise": event_pb2.Promise(amount_minor_units=500, due_date=Date(year=2026, month=12, day=1))},
        {"contact": contact},
        {"flag": event_pb2.FlagChange(flag="dispute", is_set=True)},
        {"channel_choice": event_pb2.ChannelChoice(choice="no_texts", is_set=True)},
        {"channel_choice": event_pb2.ChannelChoice(from_minute=600, until_minute=900)},
        {"balance": event_pb2.BalanceStatement(balance_minor_units=900, arrears_minor_units=90, days_past_due=40)},
        {"moved": event_pb2.Move(state="TW", time_zone="Asia/Taipei")},
        {"outcome": event_pb2.AccountOutcome(outcome=event_pb2.OUTCOME_CODE_CURED)},
        {"reversal": event_pb2.Reversal(reversed_event_id="told-0")},
    ]


def events(account_id, prefix="told"):
    """Return one event of every kind about an account."""
    at = Timestamp(seconds=int(NOW.timestamp()) - 3_600)
    return [
        event_pb2.Event(event_id=f"{prefix}-{number}", account_id=account_id, customer_id="c-1", occur_time=at, **fact)
        for number, fact in enumerate(facts())
    ]


def reviews(account_id, ranking_id):
    """Return one review of a decision about an account."""
    told = event_pb2.Review(
        ranking_id=ranking_id,
        part=event_pb2.REVIEWED_PART_FACTS,
        outcome=event_pb2.REVIEW_OUTCOME_UPHELD,
        reason="The file was right.",
    )
    at = Timestamp(seconds=int(NOW.timestamp()))
    return [pb.NewReview(event_id="reviewed-1", account_id=account_id, occur_time=at, review=told)]


def event_requests(account_id, ranking_id):
    """Return a good request per method of EventService that takes one message."""
    return {
        "RecordReviews": pb.RecordReviewsRequest(reviews=reviews(account_id, ranking_id), actor="ann", validate_only=True),
        "RecordEvents": pb.RecordEventsRequest(events=events(account_id), validate_only=True),
        "ReadEvents": pb.ReadEventsRequest(after_sequence=0, page_size=5),
    }


def event_streams(account_id):
    """Return good calls of the other methods: a stream, and lists by account and by person."""
    listed = pb.ListAccountEventsRequest
    return {
        "StreamEvents": [[pb.StreamEventsRequest(events=events(account_id, "streamed"), validate_only=True)]],
        "ListAccountEvents": [[listed(account_id=account_id, customer_id="c-1", page_size=5)]],
    }
