"""Laws of portfolios that follow from others: order changes nothing, days pass, and no minute is made or lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.admission import admit
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.day.live import Moment
from collections_opt.core.day.rolling import day_begins, remaining_accounts, roll_forward, same_accounts, spent_seconds
from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.desk.remaining import remaining_plan
from tests.support.day.day_worlds import CALLS, NOON, rows
from tests.support.day.drawn_events import PORTFOLIO, told_events
from tests.support.factories import plan, queue

IMPORTED = NOON - timedelta(hours=24)
NOBODY = np.zeros(PORTFOLIO.account_count, dtype=bool)
EVER = datetime(2027, 1, 1, tzinfo=UTC)


def columns_of(told):
    return EventColumns.of([row for row, _ in told], [event for _, event in told])


def moment(day, portfolio=PORTFOLIO):
    return Moment(day_begins(portfolio, day), EVER, IMPORTED, day=day)


def rolled(told, days=1, complete=False, portfolio=PORTFOLIO):
    day = portfolio.as_of_date + timedelta(days)
    return roll_forward(portfolio, columns_of(told), moment(day, portfolio), complete)


@settings(deadline=None, max_examples=20)
@given(told_events(), st.randoms(use_true_random=False), st.integers(0, 9))
def test_the_order_and_repeats_of_events_change_nothing(told, random, days):
    shuffled = told + [one for one in told if random.random() < 0.5]
    random.shuffle(shuffled)
    one, other = rolled(told, days), rolled(shuffled, days)
    assert one.portfolio.digest == other.portfolio.digest
    assert dict(one.left_out) == dict(other.left_out)
    now = Moment(NOON, EVER, IMPORTED)
    both = (columns_of(told), columns_of(shuffled))
    rest = [remaining_accounts(PORTFOLIO, each, now, NOBODY, several_contacts_per_person=False) for each in both]
    assert rest[0].portfolio.digest == rest[1].portfolio.digest


@settings(deadline=None, max_examples=20)
@given(told_events(), st.integers(0, 9))
def test_every_account_stays_or_is_left_out_for_a_reason(told, days):
    one = rolled(told, days)
    assert one.portfolio.account_count + sum(one.left_out.values()) == PORTFOLIO.account_count
    held = np.arange(PORTFOLIO.account_count) % 3 == 0
    rest = remaining_accounts(PORTFOLIO, columns_of(told), Moment(NOON, EVER, IMPORTED), held, several_contacts_per_person=True)
    assert rest.portfolio.account_count + sum(rest.left_out.values()) == PORTFOLIO.account_count
    assert not held[rest.kept].any()


@pytest.mark.parametrize("days", [0, 1, 8, 40])
def test_without_events_only_days_pass(days):
    found = rolled([], days).portfolio
    passing = {"days_past_due"} if days else set()
    windows = {"calls_last_7_days_count", "attempts_last_7_days_count"} if days >= 7 else set()
    changed = {name for name, column in PORTFOLIO.columns.items() if not np.array_equal(column, found.column(name))}
    assert changed <= passing | windows | ({"contact_facts_days_old", "flag_facts_days_old"} if days else set())
    assert (found.digest == PORTFOLIO.digest) == (days == 0)


def test_facts_that_were_all_told_do_not_age():
    aged, told = rolled([], 3).portfolio, rolled([], 3, complete=True).portfolio
    assert aged.column("flag_facts_days_old").tolist() == [3] * PORTFOLIO.account_count
    assert not told.holds("flag_facts_days_old")


def test_counts_of_a_month_and_of_a_day_follow_contacts():
    counts = {"calls_today_count": [2, 0], "calls_last_2_days_count": [2, 1], "calls_this_month_count": [3, 4]}
    raw = rows(2)
    portfolio = admit(replace(raw, columns={**raw.columns, **{name: np.array(held) for name, held in counts.items()}})).portfolio
    at = NOON
    event = Event("c", EventKind.CONTACT, at, "a000", channel="CALL", direction="OUTBOUND", result="NO_ANSWER")
    told = [(0, RecordedEvent(1, at, event))]
    tomorrow = rolled(told, 1, portfolio=portfolio).portfolio
    assert tomorrow.column("calls_today_count").tolist() == [0, 0]
    assert tomorrow.column("calls_last_2_days_count").tolist() == [3, 1]
    assert tomorrow.column("calls_this_month_count").tolist() == [4, 4]
    december = rolled(told, 7, portfolio=portfolio).portfolio
    assert december.as_of_date == date(2026, 12, 1)
    assert december.column("calls_this_month_count").tolist() == [0, 0]
    assert december.column("calls_last_2_days_count").tolist() == [0, 0]


@settings(deadline=None, max_examples=200)
@given(
    agents=st.floats(0, 80),
    paid=st.floats(0, 600),
    shrinkage=st.floats(0, 0.6),
    committed=st.floats(0, 200),
    used=st.integers(0, 3_000_000),
)
def test_remaining_and_used_make_capacity(agents, paid, shrinkage, committed, used):
    whole = plan(queue(CALLS, agents=agents, paid_minutes=paid, shrinkage=shrinkage, committed_minutes=committed))
    rest = remaining_plan(whole, {CALLS: used}, NOON, "America/New_York")
    before, after = whole.queues[0].capacity_seconds, rest.queues[0].capacity_seconds
    assert after == max(0, before - used) or abs(after - (before - used)) <= 1
    assert after <= before


def test_hours_that_are_over_leave_nothing():
    windows = (DayWindow(time(8), time(12)), DayWindow(time(12, 30), time(17)))
    whole = plan(queue(CALLS, windows=windows))
    at_one = remaining_plan(whole, {}, NOON, "America/New_York").queues[0]
    assert at_one.windows == (DayWindow(time(13), time(17)),)
    assert at_one.capacity_seconds == whole.queues[0].capacity_seconds
    at_night = remaining_plan(whole, {}, NOON + timedelta(hours=9), "America/New_York").queues[0]
    assert at_night.windows == windows
    assert at_night.capacity_seconds == 0


def test_time_is_spent_once_by_the_queue_that_made_the_contact():
    facts = {"channel": "CALL", "direction": "OUTBOUND", "result": "NO_ANSWER", "seconds": 90}
    made = RecordedEvent(1, NOON, Event("c", EventKind.CONTACT, NOON, customer_id="p002", queue_id=CALLS, **facts))
    other = RecordedEvent(2, NOON, Event("d", EventKind.CONTACT, NOON, "a000", queue_id="else", **facts))
    before = RecordedEvent(3, NOON, Event("e", EventKind.CONTACT, NOON - timedelta(1), "a000", queue_id=CALLS, **facts))
    events = columns_of([(2, made), (3, made), (0, other), (0, before)])
    assert spent_seconds(events, (CALLS,), day_begins(PORTFOLIO, PORTFOLIO.as_of_date)).tolist() == [90]


def test_accounts_that_say_another_thing_are_not_the_same():
    assert same_accounts(PORTFOLIO, PORTFOLIO.take(slice(None)))
    assert not same_accounts(PORTFOLIO, PORTFOLIO.take(slice(1, None)))
    assert not same_accounts(PORTFOLIO, rolled([], 1).portfolio)
