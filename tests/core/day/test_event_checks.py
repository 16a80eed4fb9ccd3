"""An event that does not say what its kind must, or says what it must not, is refused with its row and field."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.day.event_checks import EARLY, check_events
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
PAYMENT = Event("p", EventKind.PAYMENT, NOW, account_id="a", amount_minor=5)
CALL = Event("c", EventKind.CONTACT, NOW, "a", channel="CALL", direction="OUTBOUND", result="NO_ANSWER")
HOURS = Event("h", EventKind.CHANNEL_CHOICE, NOW, customer_id="p", hours_from=600, hours_until=720)
BALANCE = Event("b", EventKind.BALANCE, NOW, "a", balance_minor=9, arrears_minor=3, days_past_due=40)
GOOD = (
    PAYMENT,
    CALL,
    HOURS,
    BALANCE,
    Event("d", EventKind.PROMISE, NOW, "a", amount_minor=5, due_date=date(2026, 12, 1)),
    Event("f", EventKind.FLAG, NOW, customer_id="p", flag="deceased", is_set=True),
    Event("g", EventKind.CHANNEL_CHOICE, NOW, "a", choice="no_calls", is_set=True),
    Event("m", EventKind.MOVED, NOW, "a", state="US-MA", time_zone="America/New_York"),
    Event("o", EventKind.OUTCOME, NOW, "a", outcome="CURED"),
    Event("r", EventKind.REVERSAL, NOW, "a", reverses="p"),
    Event("v", EventKind.REVIEW, NOW, "a", ranking_id="rk", reviewed="FACTS", review_outcome="NOTED", note="Seen.\nTwice."),
)


def faults(*events):
    with pytest.raises(CollectionsError) as caught:
        check_events(events, NOW)
    return caught.value.reason, {violation.field for violation in caught.value.violations}


def test_good_events_of_every_kind_pass_and_their_content_reads_back():
    check_events(GOOD, NOW)
    assert [Event.of_content(event.content()) for event in GOOD] == list(GOOD)
    assert {event.kind for event in GOOD} == set(EventKind) - {EventKind.LEASE}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (replace(PAYMENT, event_id=""), "events[0].event_id"),
        (replace(PAYMENT, account_id=""), "events[0].account_id"),
        (replace(PAYMENT, account_id="a\n"), "events[0].account_id"),
        (replace(PAYMENT, amount_minor=0), "events[0].payment.amount_minor"),
        (replace(PAYMENT, amount_minor=-5), "events[0].payment.amount_minor"),
        (replace(PAYMENT, flag="cease"), "events[0].flag"),
        (replace(PAYMENT, occurred_at=NOW + EARLY + timedelta(seconds=1)), "events[0].occurred_at"),
        (replace(PAYMENT, occurred_at=NOW.replace(tzinfo=None)), "events[0].occurred_at"),
        (replace(CALL, result="SANG"), "events[0].contact.result"),
        (replace(CALL, channel="FAX"), "events[0].contact.channel"),
        (replace(HOURS, hours_until=600), "events[0].channel_choice.hours_from"),
        (replace(HOURS, choice="no_calls"), "events[0].channel_choice.choice"),
        (replace(BALANCE, arrears_minor=10), "events[0].balance.arrears_minor"),
        (replace(GOOD[5], flag="cheerful"), "events[0].flag.flag"),
        (replace(GOOD[7], state="MA"), "events[0].moved.state"),
        (replace(GOOD[7], time_zone="Boston"), "events[0].moved.time_zone"),
        (replace(GOOD[9], reverses="r"), "events[0].reversal.reverses"),
        (replace(GOOD[10], ranking_id=""), "events[0].review.lease_id"),
        (replace(GOOD[10], lease_id="l"), "events[0].review.lease_id"),
        (replace(GOOD[10], account_id="", customer_id="p"), "events[0].account_id"),
        (replace(GOOD[10], note=""), "events[0].review.note"),
        (replace(GOOD[10], note="x" * 2_001), "events[0].review.note"),
        (replace(GOOD[10], note="\x1b[2J"), "events[0].review.note"),
        (replace(GOOD[10], review_outcome="LIKED"), "events[0].review.review_outcome"),
        (replace(PAYMENT, ranking_id="rk"), "events[0].ranking_id"),
        (Event("l", EventKind.LEASE, NOW, "a", lease_id="x", lease_state="EXPIRED"), "events[0].kind"),
    ],
)
def test_a_fault_is_named_by_its_field(event, field):
    assert faults(event) == (Reason.INVALID_ARGUMENT, {field})


def test_every_fault_of_a_batch_is_named_by_its_row():
    rows = (PAYMENT, replace(PAYMENT, amount_minor=0), CALL, replace(CALL, direction=""))
    assert faults(*rows)[1] == {"events[1].payment.amount_minor", "events[3].contact.direction"}


def test_no_events_and_too_many_are_refused():
    assert faults()[0] is faults(*[PAYMENT] * 1_001)[0] is Reason.LIMIT_EXCEEDED


@given(st.sampled_from(GOOD), st.integers(-10_000_000, 300))
def test_late_events_are_normal_and_the_future_is_not(event, seconds):
    moved = replace(event, occurred_at=NOW + timedelta(seconds=seconds))
    check_events([moved], NOW)
    assert faults(replace(event, occurred_at=NOW + EARLY + timedelta(seconds=abs(seconds) + 1)))[1] == {"events[0].occurred_at"}
