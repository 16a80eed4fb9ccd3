"""What an event must say by its kind: unknown kinds, missing facts and facts of the future are refused, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from types import MappingProxyType

from collections_opt.core.accounts.schema import BLOCK_FLAGS, CHOICES
from collections_opt.core.codes.iana_zones import ZONES
from collections_opt.core.codes.places import read_place
from collections_opt.core.day.events import ContactResult, Direction, Event, EventKind, OutcomeCode, ReviewedPart, ReviewOutcome
from collections_opt.core.desk.day_windows import DAY_MINUTES
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import (
    MAX_ACCOUNT_ID_BYTES,
    MAX_BALANCE_MINOR,
    MAX_DAYS_PAST_DUE,
    MAX_EVENTS,
    MAX_HANDLING_SECONDS,
    MAX_ID_CHARACTERS,
    MAX_NOTE_CHARACTERS,
)

EARLY = timedelta(minutes=5)
"""How far in the future an event may lie: clocks of callers differ."""

_OF_ACCOUNTS = (EventKind.BALANCE, EventKind.OUTCOME, EventKind.PAYMENT, EventKind.PROMISE, EventKind.REVIEW)

CHANNELS = ("CALL", "TEXT", "EMAIL", "LETTER", "VISIT")


@dataclass(frozen=True)
class _Reads:
    """The fields that a kind of event reads: those it must have and those it may have."""

    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


READS: Mapping[EventKind, _Reads] = MappingProxyType(
    {
        EventKind.PAYMENT: _Reads(("amount_minor",), ("promise_event_id",)),
        EventKind.PROMISE: _Reads(("amount_minor", "due_date")),
        EventKind.CONTACT: _Reads(("channel", "direction", "result"), ("queue_id", "seconds", "lease_id")),
        EventKind.FLAG: _Reads(("flag",), ("is_set",)),
        EventKind.CHANNEL_CHOICE: _Reads((), ("choice", "is_set", "hours_from", "hours_until")),
        EventKind.BALANCE: _Reads((), ("balance_minor", "arrears_minor", "days_past_due")),
        EventKind.MOVED: _Reads((), ("state", "time_zone")),
        EventKind.OUTCOME: _Reads(("outcome",)),
        EventKind.REVERSAL: _Reads(("reverses",)),
        EventKind.LEASE: _Reads(("lease_id", "lease_state"), ("queue_id", "note")),
        EventKind.REVIEW: _Reads(("reviewed", "review_outcome", "note"), ("ranking_id", "lease_id")),
    }
)
"""What each kind reads."""

_DEFAULTS = {one.name: one.default for one in fields(Event)}
_UNSAID: Mapping[str, object] = {name: _DEFAULTS[name] for reads in READS.values() for name in (*reads.must, *reads.may)}
"""Fields that some kind reads, with the value that says nothing."""

FACTS = tuple(_UNSAID)
"""Fields that some kind reads."""


def fact_path(path: str, kind: EventKind, name: str) -> str:
    """Return where a fact of an event stands: ``events[3].payment.amount_minor``."""
    return f"{path}.{kind.lower()}.{name}"


def check_events(events: Sequence[Event], now: datetime, path: str = "events") -> None:
    """Refuse a batch with any fault, naming every one by its row and field.

    Args:
        events: 1 to ``MAX_EVENTS``.
        now: the server's clock.
        path: what the rows are called.

    Raises:
        CollectionsError: LIMIT_EXCEEDED, or INVALID_ARGUMENT with every fault.
    """
    if not 1 <= len(events) <= MAX_EVENTS:
        told = FieldViolation(path, f"{len(events)} events.", f"Send 1 to {MAX_EVENTS}.")
        raise CollectionsError(Reason.LIMIT_EXCEEDED, str(told), (told,))
    found = tuple(fault for index, event in enumerate(events) for fault in event_faults(event, now, f"{path}[{index}]"))
    if found:
        told_short = str(found[0]) if len(found) == 1 else f"{len(found)} fault(s), nothing was recorded: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, told_short, found)


def require_no_reviews(events: Sequence[Event]) -> None:
    """Refuse reviews among what happened: they are of the person who calls, and have a call of their own.

    Raises:
        CollectionsError: INVALID_ARGUMENT at the first.
    """
    for index, event in enumerate(events):
        if event.kind is EventKind.REVIEW:
            remedy = "Tell it with RecordReviews, as that person."
            raise refuse(Reason.INVALID_ARGUMENT, f"events[{index}].review", "is a person's own.", remedy)


def event_faults(event: Event, now: datetime, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong with an event that a caller tells."""
    yield from _head_faults(event, now, path)
    if event.kind is EventKind.LEASE:
        yield FieldViolation(f"{path}.kind", "LEASE is the server's own.", "End leases through WorklistService.")
        return
    reads = READS[event.kind]
    held = vars(event)
    for name, default in _UNSAID.items():
        value = held[name]
        if value == default:
            if name in reads.must:
                yield FieldViolation(fact_path(path, event.kind, name), "is missing.", f"A {event.kind} must say it.")
        elif name not in reads.must and name not in reads.may:
            yield FieldViolation(f"{path}.{name}", f"a {event.kind} does not read it.", "Leave it out, or send another kind.")
        elif name in _VALUES:
            wrong = _VALUES[name](value)
            if wrong:
                yield FieldViolation(fact_path(path, event.kind, name), *wrong)
    yield from _joint_faults(event, path)


def _head_faults(event: Event, now: datetime, path: str) -> Iterator[FieldViolation]:
    if wrong := _named(event.event_id):
        yield FieldViolation(f"{path}.event_id", *wrong)
    if not event.account_id and not event.customer_id:
        yield FieldViolation(f"{path}.account_id", "neither account nor person is named.", "Send account_id or customer_id.")
    for name in ("account_id", "customer_id"):
        if found := subject_fault(f"{path}.{name}", getattr(event, name)):
            yield found
    if event.occurred_at.tzinfo is None:
        yield FieldViolation(f"{path}.occurred_at", "has no offset.", "Send an instant such as 2026-11-26T10:15:00+01:00.")
    elif event.occurred_at > now + EARLY:
        yield FieldViolation(f"{path}.occurred_at", f"{event.occurred_at.isoformat()} is yet to come.", "Check clock and zone.")


def subject_fault(path: str, text: str) -> FieldViolation | None:
    """Return what is wrong with the id of an account or a person, None for nothing and for no id."""
    if text.isprintable() and len(text.encode("utf-8", "surrogatepass")) <= MAX_ACCOUNT_ID_BYTES:
        return None
    remedy = f"Send at most {MAX_ACCOUNT_ID_BYTES} bytes of printable characters."
    return FieldViolation(path, "is too long or not printable.", remedy)


def _joint_faults(event: Event, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong between the facts of an event."""
    kind = event.kind
    if kind is EventKind.CHANNEL_CHOICE:
        hours = (event.hours_from, event.hours_until) != (-1, -1)
        if bool(event.choice) == hours:
            yield FieldViolation(fact_path(path, kind, "choice"), "send one choice, or hours.", "Send one event for each.")
        if hours and not 0 <= event.hours_from < event.hours_until <= DAY_MINUTES:
            told = f"{event.hours_from} to {event.hours_until} is no part of a day."
            yield FieldViolation(fact_path(path, kind, "hours_from"), told, f"Send minutes from 0 to {DAY_MINUTES}.")
    if kind is EventKind.BALANCE and event.arrears_minor > max(event.balance_minor, 0):
        yield FieldViolation(fact_path(path, kind, "arrears_minor"), "are more than the balance.", "Check both amounts.")
    if kind is EventKind.MOVED and not (event.state or event.time_zone):
        yield FieldViolation(fact_path(path, kind, "state"), "is missing, and so is time_zone.", "Send where the person lives.")
    if kind is EventKind.REVIEW and bool(event.ranking_id) == bool(event.lease_id):
        yield FieldViolation(fact_path(path, kind, "lease_id"), "name a ranking or a lease.", "Send one of the two.")
    if kind in _OF_ACCOUNTS and not event.account_id:
        yield FieldViolation(f"{path}.account_id", "is missing.", f"A {kind} concerns one account.")
    if kind is EventKind.REVERSAL and event.reverses == event.event_id:
        yield FieldViolation(fact_path(path, kind, "reverses"), "is the event itself.", "Name the event that is taken back.")


def _named(text: str) -> tuple[str, str] | None:
    if 1 <= len(text) <= MAX_ID_CHARACTERS and text.isprintable():
        return None
    return "is empty, too long or not printable.", f"Send 1 to {MAX_ID_CHARACTERS} printable characters."


def _worded(text: str) -> tuple[str, str] | None:
    if len(text) <= MAX_NOTE_CHARACTERS and all(line.isprintable() for line in text.split("\n")) and text.strip():
        return None
    return "is empty, too long or not printable.", f"Send at most {MAX_NOTE_CHARACTERS:,} printable characters."


def _between(low: int, high: int) -> Callable[[int], tuple[str, str] | None]:
    return lambda value: None if low <= value <= high else (f"{value} is out of range.", f"Send {low} to {high}.")


def _one_of(allowed: Sequence[str]) -> Callable[[str], tuple[str, str] | None]:
    return lambda text: None if text in allowed else (f"{text[:40]!r} is unknown.", f"Send one of {', '.join(allowed)}.")


def _place(text: str) -> tuple[str, str] | None:
    read = read_place(text, "")
    return None if read.known and read.code == text else (f"{text[:40]!r} is no ISO 3166 code.", "Send one like US-MA.")


def _zone(text: str) -> tuple[str, str] | None:
    return None if text in ZONES else (f"{text[:40]!r} is no IANA zone.", "Send one like America/New_York.")


_VALUES: Mapping[str, Callable[..., tuple[str, str] | None]] = MappingProxyType(
    {
        "amount_minor": _between(1, MAX_BALANCE_MINOR),
        "promise_event_id": _named,
        "channel": _one_of(CHANNELS),
        "direction": _one_of(tuple(Direction)),
        "result": _one_of(tuple(ContactResult)),
        "queue_id": _named,
        "seconds": _between(0, MAX_HANDLING_SECONDS),
        "lease_id": _named,
        "flag": _one_of(BLOCK_FLAGS),
        "choice": _one_of(tuple(CHOICES)),
        "balance_minor": _between(-MAX_BALANCE_MINOR, MAX_BALANCE_MINOR),
        "arrears_minor": _between(0, MAX_BALANCE_MINOR),
        "days_past_due": _between(0, MAX_DAYS_PAST_DUE),
        "state": _place,
        "time_zone": _zone,
        "outcome": _one_of(tuple(OutcomeCode)),
        "reverses": _named,
        "ranking_id": _named,
        "reviewed": _one_of(tuple(ReviewedPart)),
        "review_outcome": _one_of(tuple(ReviewOutcome)),
        "note": _worded,
    }
)
