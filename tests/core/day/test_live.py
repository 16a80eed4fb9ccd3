"""Laws of the live account: order and repeats of what is told change nothing; what is unknown or late never permits."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.day.event_columns import EventColumns, local_days, microseconds
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.day.live import Moment, Removal, live_accounts
from tests.support.day.day_worlds import DAY
from tests.support.day.drawn_events import PORTFOLIO, told_events

NOON = DAY + timedelta(hours=18)
IMPORTED = DAY - timedelta(hours=6)
K = EventKind


def contact(row, at, result, direction="OUTBOUND", channel="CALL", event_id="c"):
    return Event(event_id, K.CONTACT, at, f"a{row:03d}", channel=channel, direction=direction, result=result)


def live(told, at=NOON, known_at=NOON, portfolio=PORTFOLIO):
    columns = EventColumns.of([row for row, _ in told], [event for _, event in told])
    return live_accounts(portfolio, columns, Moment(at, known_at, IMPORTED))


def same(one, other):
    arrays = ("removal", "removal_event", "latest_event", "person_worked", "hours_from", "hours_until", "changed")
    assert one.portfolio.digest == other.portfolio.digest
    for name in arrays:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


@settings(deadline=None, max_examples=25)
@given(told_events(), st.randoms(use_true_random=False))
def test_the_order_and_repeats_of_events_change_nothing(told, random):
    shuffled = told + [one for one in told if random.random() < 0.5]
    random.shuffle(shuffled)
    same(live(told), live(shuffled))


@settings(deadline=None, max_examples=25)
@given(told_events())
def test_what_is_known_later_changes_nothing_of_what_was_known_before(told):
    middle = NOON - timedelta(hours=9)
    known = [one for one in told if one[1].recorded_at <= middle]
    same(live(told, known_at=middle), live(known, known_at=middle))


def looked_at(row, kind=K.REVIEW, **facts):
    """Return a review of a row's account by a person, or another event beside it."""
    given = facts or {"ranking_id": "rk", "reviewed": "DECISION", "review_outcome": "CHANGED", "note": "Wrong."}
    return row, RecordedEvent(90 + row, NOON, Event("looked", kind, NOON - timedelta(hours=1), f"a{row:03d}", **given))


@settings(deadline=None, max_examples=10)
@given(told_events(), st.integers(0, 7))
def test_a_persons_review_changes_nothing_of_an_account(told, row):
    same(live(told), live([*told, looked_at(row)]))
    with pytest.raises(AssertionError):  # an event that does change something is seen
        same(live(told), live([*told, looked_at(row, K.PAYMENT, amount_minor=7)]))


@settings(deadline=None, max_examples=25)
@given(told_events(), st.integers(0, 7))
def test_events_of_others_change_nothing_of_an_account(told, row):
    mine = [one for one in told if one[0] == row]
    one, other = live(told), live(mine)
    assert one.removal[row] == other.removal[row]
    for name, column in one.portfolio.columns.items():
        assert np.array_equal(column[row], other.portfolio.columns[name][row]), name


@settings(deadline=None, max_examples=25)
@given(told_events(), st.integers(0, 7))
def test_who_died_or_left_or_promised_or_refused_or_paid_today_is_removed_or_flagged(told, row):
    account = f"a{row:03d}"
    final = {
        Removal.CLOSED: Event("x", K.OUTCOME, NOON, account, outcome="SOLD"),
        Removal.PAID: Event("x", K.PAYMENT, NOON, account, amount_minor=1),
        Removal.PROMISED: Event("x", K.PROMISE, NOON, account, amount_minor=1, due_date=date(2026, 11, 26)),
        Removal.REFUSED: contact(row, NOON, "RIGHT_PARTY_REFUSED", event_id="x"),
    }
    for removal, event in final.items():
        found = live([*told, (row, RecordedEvent(99, NOON, event))])
        assert found.removal[row] >= removal
    dead = Event("x", K.FLAG, NOON, account, flag="deceased", is_set=True)
    after = live([*told, (row, RecordedEvent(99, NOON, dead))])
    assert after.portfolio.column("deceased")[row]


@settings(deadline=None, max_examples=25)
@given(told_events())
def test_late_events_of_before_the_file_never_permit(told):
    """Without events since the as-of date began no flag is cleared, no count falls, and nothing gets less arrears."""
    since = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=5)
    late = [one for one in told if one[1].event.occurred_at < since]
    found = live(late).portfolio
    for name in ("deceased", "dispute", "open_promise"):
        assert (found.column(name) >= PORTFOLIO.column(name)).all()
    for name in ("calls_last_7_days_count", "attempts_last_7_days_count", "arrears_minor"):
        assert (found.column(name) >= PORTFOLIO.column(name)).all()


@settings(deadline=None, max_examples=25)
@given(told_events())
def test_a_reversal_is_as_if_what_it_takes_back_had_never_been_told(told):
    reversals = [(row, e.event) for row, e in told if e.event.kind is K.REVERSAL]
    gone = {(row, event.reverses) for row, event in reversals}
    kept = [(row, e) for row, e in told if (row, e.event.event_id) not in gone or e.event.kind is K.REVERSAL]
    without = [one for one in kept if one[1].event.kind is not K.REVERSAL]
    first, second = live(told), live(without)
    assert first.portfolio.digest == second.portfolio.digest
    np.testing.assert_array_equal(first.removal, second.removal)


def counted(days, at=NOON):
    told = [
        (0, RecordedEvent(n + 1, NOON, contact(0, at - timedelta(days=day), "NO_ANSWER", event_id=f"c{n}")))
        for n, day in enumerate(days)
    ]
    return live(told, at).portfolio.column("calls_last_7_days_count")[0]


def test_contacts_are_counted_in_the_persons_own_days():
    assert counted([0, 1, 6]) == 3
    assert counted([0, 7, 8]) == 1


@pytest.mark.parametrize(("hour", "days"), [(5, 1), (4, 0)])
def test_a_call_of_last_night_belongs_to_the_persons_yesterday(hour, days):
    instants = np.array([microseconds(datetime(2026, 11, 24, hour, tzinfo=UTC))])
    yesterday = microseconds(datetime(2026, 11, 24, 12, tzinfo=UTC))
    zone = np.array(["America/New_York"], dtype=object)
    assert local_days(np.array([yesterday]), zone)[0] - local_days(instants, zone)[0] == 1 - days


def test_payments_come_off_arrears_and_a_statement_starts_anew():
    paid = (0, RecordedEvent(1, NOON, Event("p", K.PAYMENT, NOON - timedelta(hours=3), "a000", amount_minor=60_000)))
    stated = Event("b", K.BALANCE, NOON - timedelta(hours=2), "a000", balance_minor=900, arrears_minor=90, days_past_due=40)
    found = live([paid]).portfolio
    assert (found.column("arrears_minor")[0], found.column("days_past_due")[0]) == (0, 0)
    found = live([paid, (0, RecordedEvent(2, NOON, stated))]).portfolio
    assert (found.column("balance_minor")[0], found.column("days_past_due")[0]) == (900, 40)


def test_a_broken_promise_runs_out_the_day_after_it_was_due():
    promise = Event("p", K.PROMISE, NOON - timedelta(days=1), "a000", amount_minor=5, due_date=date(2026, 11, 24))
    told = [(0, RecordedEvent(1, NOON - timedelta(days=1), promise))]
    assert live(told).removal[0] == Removal.PROMISED
    assert live(told, NOON + timedelta(days=1), NOON + timedelta(days=1)).removal[0] == Removal.NONE


def test_days_pass():
    found = live([], NOON + timedelta(days=2), NOON + timedelta(days=2)).portfolio
    assert found.as_of_date == date(2026, 11, 26)
    assert (found.column("days_past_due") == PORTFOLIO.column("days_past_due") + 2).all()
