"""Events: facts about an account or a person, told once and kept for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.names import OMITTED_AT_DEFAULT


class EventKind(StrEnum):
    """What happened."""

    PAYMENT = "PAYMENT"
    """Money arrived."""
    PROMISE = "PROMISE"
    """The person promised an amount by a day."""
    CONTACT = "CONTACT"
    """Somebody tried to reach the person, or was reached by them."""
    FLAG = "FLAG"
    """A block flag was set or cleared."""
    CHANNEL_CHOICE = "CHANNEL_CHOICE"
    """The person refused a medium, consented to automated contact, took it back, or said between which hours to call."""
    BALANCE = "BALANCE"
    """Balance, arrears and days past due as they stand."""
    MOVED = "MOVED"
    """The person lives elsewhere now."""
    OUTCOME = "OUTCOME"
    """The account left collections."""
    REVERSAL = "REVERSAL"
    """An earlier event is taken back: a payment bounced, a flag was a mistake."""
    LEASE = "LEASE"
    """A lease ended. Recorded by the server alone."""
    REVIEW = "REVIEW"
    """A person looked at a decision about an account. It changes nothing by itself."""


class Direction(StrEnum):
    """Who began a contact."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


class ContactResult(StrEnum):
    """What came of a contact, in the field's terms."""

    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    VOICEMAIL = "VOICEMAIL"
    WRONG_NUMBER = "WRONG_NUMBER"
    WRONG_PARTY = "WRONG_PARTY"
    RIGHT_PARTY = "RIGHT_PARTY"
    RIGHT_PARTY_PROMISE = "RIGHT_PARTY_PROMISE"
    RIGHT_PARTY_REFUSED = "RIGHT_PARTY_REFUSED"
    MESSAGE_DELIVERED = "MESSAGE_DELIVERED"
    MESSAGE_BOUNCED = "MESSAGE_BOUNCED"


RIGHT_PARTY_RESULTS = frozenset({ContactResult.RIGHT_PARTY, ContactResult.RIGHT_PARTY_PROMISE, ContactResult.RIGHT_PARTY_REFUSED})
"""Results of contacts that reached the person who owes."""


class OutcomeCode(StrEnum):
    """How an account left collections."""

    CURED = "CURED"
    CHARGED_OFF = "CHARGED_OFF"
    SETTLED = "SETTLED"
    SOLD = "SOLD"
    RECALLED = "RECALLED"
    CLOSED = "CLOSED"


class ReviewedPart(StrEnum):
    """What of a decision a person reviewed."""

    DECISION = "DECISION"
    """Whether the account was worked, in which queue and order."""
    SCORE = "SCORE"
    """Its chances, and the reasons given for them."""
    FACTS = "FACTS"
    """The facts that were read."""
    RULES = "RULES"
    """The rules that forbade or allowed contact."""
    CONTACT = "CONTACT"
    """How the person was contacted."""


class ReviewOutcome(StrEnum):
    """What came of a review."""

    UPHELD = "UPHELD"
    CHANGED = "CHANGED"
    NOTED = "NOTED"


_O = OMITTED_AT_DEFAULT


@dataclass(frozen=True)
class Event:
    """One event as its caller tells it; fields that its kind does not read stay at their defaults.

    Attributes:
        event_id: the caller's id of it.
        kind: what happened.
        occurred_at: when it happened, with a zone.
        account_id: the account it concerns, or "".
        customer_id: the person it concerns, or ""; one of the two is there.
        amount_minor: of a payment or promise, minor units of the account's currency.
        due_date: of a promise.
        promise_event_id: the promise that a payment keeps, where that is known.
        channel: of a contact: CALL, TEXT, EMAIL, LETTER, VISIT.
        direction: of a contact.
        result: of a contact.
        queue_id: the queue that made the contact or held the lease, where one did.
        seconds: handling time of a contact.
        lease_id: the lease under which a contact was made, that ended, or that was reviewed.
        flag: a block flag.
        choice: a flag of what the person chose, or "" where the event says hours.
        is_set: whether the flag or choice holds now.
        hours_from: first minute of the person's own day in which they may be contacted, -1 where the event says no hours.
        hours_until: the minute after the last, -1 likewise.
        balance_minor: balance as it stands.
        arrears_minor: arrears as they stand.
        days_past_due: as they stand.
        state: where the person lives, ISO 3166; "" where it did not change.
        time_zone: IANA zone there; "" where it is not known.
        outcome: how the account left.
        reverses: the event that is taken back.
        lease_state: how a lease ended.
        note: why a lease was released, or what a review found, in the reviewer's words.
        ranking_id: the ranking whose decision was reviewed.
        reviewed: a ``ReviewedPart``.
        review_outcome: a ``ReviewOutcome``.
        reviewer: who reviewed; the server's, as are the next two.
        reviewer_role: in which role.
        reviewer_issuer: who issued the token that vouches for both; "" where they are claims.
    """

    event_id: str
    kind: EventKind
    occurred_at: datetime
    account_id: str = field(default="", metadata=_O)
    customer_id: str = field(default="", metadata=_O)
    amount_minor: int = field(default=0, metadata=_O)
    due_date: date | None = field(default=None, metadata=_O)
    promise_event_id: str = field(default="", metadata=_O)
    channel: str = field(default="", metadata=_O)
    direction: str = field(default="", metadata=_O)
    result: str = field(default="", metadata=_O)
    queue_id: str = field(default="", metadata=_O)
    seconds: int = field(default=0, metadata=_O)
    lease_id: str = field(default="", metadata=_O)
    flag: str = field(default="", metadata=_O)
    choice: str = field(default="", metadata=_O)
    is_set: bool = field(default=False, metadata=_O)
    hours_from: int = field(default=-1, metadata=_O)
    hours_until: int = field(default=-1, metadata=_O)
    balance_minor: int = field(default=0, metadata=_O)
    arrears_minor: int = field(default=0, metadata=_O)
    days_past_due: int = field(default=0, metadata=_O)
    state: str = field(default="", metadata=_O)
    time_zone: str = field(default="", metadata=_O)
    outcome: str = field(default="", metadata=_O)
    reverses: str = field(default="", metadata=_O)
    lease_state: str = field(default="", metadata=_O)
    note: str = field(default="", metadata=_O)
    ranking_id: str = field(default="", metadata=_O)
    reviewed: str = field(default="", metadata=_O)
    review_outcome: str = field(default="", metadata=_O)
    reviewer: str = field(default="", metadata=_O)
    reviewer_role: str = field(default="", metadata=_O)
    reviewer_issuer: str = field(default="", metadata=_O)

    def content(self) -> dict[str, Any]:
        """Return what is kept and compared: every field that says something, instants in UTC."""
        held = self.__dict__
        told = {name: held[name] for name, default in _DEFAULTS.items() if held[name] != default or name in _ALWAYS}
        told["occurred_at"] = self.occurred_at.astimezone(UTC).isoformat()
        if self.due_date is not None:
            told["due_date"] = self.due_date.isoformat()
        return told

    @classmethod
    def of_content(cls, held: Mapping[str, Any]) -> Event:
        """Return the event of its ``content``.

        Raises:
            CollectionsError: INTEGRITY_FAILURE for what no version of this code wrote.
        """
        try:
            due = date.fromisoformat(held["due_date"]) if "due_date" in held else None
            at = datetime.fromisoformat(held["occurred_at"])
            return cls(**{**held, "kind": _KINDS[held["kind"]], "occurred_at": at, "due_date": due})
        except (KeyError, TypeError, ValueError) as error:
            remedy = "Use the code that wrote it, or newer."
            raise refuse(Reason.INTEGRITY_FAILURE, "events", f"an event cannot be read: {error}.", remedy) from error


_KINDS: Mapping[str, EventKind] = MappingProxyType({kind.value: kind for kind in EventKind})
_ALWAYS = frozenset({"event_id", "kind", "occurred_at"})
_DEFAULTS: Mapping[str, Any] = MappingProxyType({one.name: one.default for one in fields(Event)})


@dataclass(frozen=True)
class RecordedEvent:
    """An event as it stands in the record.

    Attributes:
        sequence: its place among all events, from 1 without gaps.
        recorded_at: when the server learned of it, UTC.
        event: what was told; None once whom it concerns was erased.
    """

    sequence: int
    recorded_at: datetime
    event: Event | None
