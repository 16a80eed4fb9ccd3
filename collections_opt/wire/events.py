"""Events between message and core; faults are named by row and field (``events[3].payment.amount_minor_units``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import event_pb2 as pb
from collections_opt.api.v1 import event_service_pb2
from collections_opt.api.v1.capacity_plan_pb2 import Channel
from collections_opt.core.accounts.column_names import told_money
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.desk.day_windows import DAY_MINUTES
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.names import normal_account_id
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import enum_text, read_date, read_enum, read_time, write_date, write_enum

RENAMES: Mapping[str, str] = MappingProxyType(
    {
        "occurred_at": "occur_time",
        "seconds": "handling_seconds",
        "reverses": "reversed_event_id",
        "hours_from": "from_minute",
        "hours_until": "until_minute",
    }
)
"""Fields of the core whose names differ in the contract; money has its suffix by ``told_as``."""

_ENUMS = {
    "channel": Channel.DESCRIPTOR,
    "direction": pb.ContactDirection.DESCRIPTOR,
    "result": pb.ContactResult.DESCRIPTOR,
    "outcome": pb.OutcomeCode.DESCRIPTOR,
    "reviewed": pb.ReviewedPart.DESCRIPTOR,
    "review_outcome": pb.ReviewOutcome.DESCRIPTOR,
}
_LEASE_ENUMS = {"lease_state": pb.LeaseState.DESCRIPTOR}
_DATES = frozenset({"due_date"})
_PRESENT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"flag": ("is_set",), "balance": ("balance_minor_units", "arrears_minor_units", "days_past_due")}
)
"""Fields by fact that must be sent even where they are zero: a missing one is not zero."""

_FACTS: Mapping[EventKind, tuple[str, ...]] = MappingProxyType(
    {
        EventKind.PAYMENT: ("amount_minor", "promise_event_id"),
        EventKind.PROMISE: ("amount_minor", "due_date"),
        EventKind.CONTACT: ("channel", "direction", "result", "queue_id", "seconds", "lease_id"),
        EventKind.FLAG: ("flag", "is_set"),
        EventKind.CHANNEL_CHOICE: ("choice", "is_set", "hours_from", "hours_until"),
        EventKind.BALANCE: ("balance_minor", "arrears_minor", "days_past_due"),
        EventKind.MOVED: ("state", "time_zone"),
        EventKind.OUTCOME: ("outcome",),
        EventKind.REVERSAL: ("reverses",),
        EventKind.LEASE: ("lease_id", "queue_id", "lease_state", "note"),
        EventKind.REVIEW: ("ranking_id", "lease_id", "reviewed", "review_outcome", "note"),
    }
)
REVIEW_NAMES: Mapping[str, str] = MappingProxyType({"reviewed": "part", "review_outcome": "outcome", "note": "reason"})
"""Fields of reviews whose names differ in the contract."""

_NAMES_OF = {EventKind.LEASE: {"lease_state": "state"}, EventKind.REVIEW: REVIEW_NAMES}
_SERVERS_OWN = frozenset({EventKind.LEASE, EventKind.REVIEW})
T = TypeVar("T")


def read_events(messages: Sequence[pb.Event], path: str = "events") -> list[Event]:
    """Return events as they were told; what they must say by their kinds is checked by the core.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field that cannot be read.
    """
    found: list[FieldViolation] = []
    events = [_read(message, f"{path}[{index}]", found) for index, message in enumerate(messages)]
    _refuse(found)
    return events


def read_reviews(messages: Sequence[event_service_pb2.NewReview]) -> list[Event]:
    """Return reviews as they were told.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field that cannot be read.
    """
    found: list[FieldViolation] = []
    events = []
    for index, message in enumerate(messages):
        event = pb.Event(event_id=message.event_id, account_id=message.account_id, review=message.review)
        if message.HasField("occur_time"):
            event.occur_time.CopyFrom(message.occur_time)
        events.append(_read(event, f"reviews[{index}]", found))
    _refuse(found)
    return events


def write_review(event: Event) -> event_service_pb2.NewReview:
    """Return a review as a message that asks to record it."""
    told = write_event(event)
    told.review.ClearField("reviewer")
    return event_service_pb2.NewReview(
        event_id=told.event_id, account_id=told.account_id, occur_time=told.occur_time, review=told.review
    )


def _refuse(found: Sequence[FieldViolation]) -> None:
    if found:
        told = str(found[0]) if len(found) == 1 else f"{len(found)} fault(s), nothing was recorded: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, told, tuple(found))


def write_event(event: Event) -> pb.Event:
    """Return an event as a message."""
    fact: dict[str, Any] = {}
    for name in _FACTS[event.kind]:
        value = getattr(event, name)
        if name in _ENUMS or name in _LEASE_ENUMS:
            value = write_enum(_ENUMS.get(name) or _LEASE_ENUMS[name], value)
        elif name in _DATES:
            value = write_date(value)
        fact[_field(name, event.kind)] = value
    if event.kind is EventKind.CHANNEL_CHOICE:
        for name in ("from_minute", "until_minute") if event.choice else ("choice", "is_set"):
            del fact[name]
    if event.kind is EventKind.REVIEW:
        fact["reviewer"] = write_recorded_actor(Actor(event.reviewer, event.reviewer_role, "", event.reviewer_issuer))
    message = pb.Event(event_id=event.event_id, account_id=event.account_id, customer_id=event.customer_id)
    message.occur_time.FromDatetime(event.occurred_at.astimezone(UTC))
    getattr(message, event.kind.lower()).MergeFrom(type(getattr(message, event.kind.lower()))(**fact))
    return message


def write_recorded_events(events: Iterable[RecordedEvent]) -> list[pb.RecordedEvent]:
    """Return recorded events as messages."""
    return [_write_recorded(event) for event in events]


def _write_recorded(recorded: RecordedEvent) -> pb.RecordedEvent:
    event = None if recorded.event is None else write_event(recorded.event)
    told = Timestamp()
    told.FromDatetime(recorded.recorded_at)
    return pb.RecordedEvent(sequence=recorded.sequence, record_time=told, event=event, erased=recorded.event is None)


def _read(message: pb.Event, path: str, found: list[FieldViolation]) -> Event:
    which = message.WhichOneof("fact")
    if which is None:
        known = ", ".join(kind.lower() for kind in EventKind if kind not in _SERVERS_OWN)
        found.append(FieldViolation(f"{path}.fact", "is missing or of an unknown kind.", f"Send one of {known}."))
    if not message.HasField("occur_time"):
        found.append(FieldViolation(f"{path}.occur_time", "is missing.", "Send when it happened."))
    kind = EventKind[which.upper()] if which else EventKind.FLAG
    at = _tried(lambda: read_time(message.occur_time, f"{path}.occur_time"), datetime.fromtimestamp(0, UTC), found)
    values = _read_fact(getattr(message, which), kind, f"{path}.{which}", found) if which else {}
    return Event(
        event_id=message.event_id,
        kind=kind,
        occurred_at=at,
        account_id=normal_account_id(message.account_id),
        customer_id=normal_account_id(message.customer_id),
        **values,
    )


def _read_fact(fact: Any, kind: EventKind, path: str, found: list[FieldViolation]) -> dict[str, Any]:
    missing = [name for name in _PRESENT.get(kind.lower(), ()) if not fact.HasField(name)]
    found.extend(FieldViolation(f"{path}.{name}", "is missing.", "Send it, even where it is zero.") for name in missing)
    if kind is EventKind.CHANNEL_CHOICE and fact.choice and not fact.HasField("is_set"):
        found.append(FieldViolation(f"{path}.is_set", "is missing.", "Say whether the choice holds now."))
    if kind is EventKind.REVIEW and fact.HasField("reviewer"):
        found.append(FieldViolation(f"{path}.reviewer", "is the server's own.", "Leave it out: who calls reviewed."))
    values: dict[str, Any] = {}
    for name in _FACTS[kind]:
        field = _field(name, kind)
        value = getattr(fact, field)
        if name in _ENUMS:
            values[name] = _tried(lambda v=value, n=name, f=field: read_enum(_ENUMS[n], v, f"{path}.{f}"), "", found)  # type: ignore[misc]
            if not values[name]:
                values[name] = _SOME[name]  # told already
        elif name in _DATES:
            values[name] = _tried(lambda v=value, f=field: read_date(v, f"{path}.{f}"), None, found)  # type: ignore[misc]
        elif name in ("hours_from", "hours_until"):
            values[name] = value if fact.HasField(field) else -1
            if fact.HasField(field) and not 0 <= value <= DAY_MINUTES:
                told = f"{value} is no minute of a day."
                found.append(FieldViolation(f"{path}.{field}", told, f"Send 0 to {DAY_MINUTES}."))
        else:
            values[name] = enum_text(_LEASE_ENUMS[name], value) if name in _LEASE_ENUMS else value
    return values


_SOME = {name: kind.values[1].name.split("_", 1)[1] for name, kind in _ENUMS.items()}


def _field(name: str, kind: EventKind) -> str:
    own = _NAMES_OF.get(kind)
    if own is not None:
        return own.get(name, name)
    return told_money(RENAMES.get(name, name))


def _tried(read: Callable[[], T], otherwise: T, found: list[FieldViolation]) -> T:
    try:
        return read()
    except CollectionsError as error:
        found.extend(error.violations)
        return otherwise
