"""Dispatch: one holder for an account and for a person, nobody against a rule or outside lawful hours, nothing told is lost."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.day.day_worlds import CALLS, CARE, NOON, Clock, asked, call, copied_world, open_world

K = EventKind


def leased(day, ranking_id, holder="agent-1", **changes):
    return day.dispatch.lease(asked(ranking_id, holder, **{"count": 100, **changes}))


def accounts(found):
    return [one.account_id for one in found]


def waiting(day, ranking_id, queue_id=CALLS):
    return [one.account_id for one in day.worklists.page(ranking_id, queue_id, 0, 100, include_removed=False)]


def why_removed(day, ranking_id, account_id, queue_id=CALLS):
    every = day.worklists.page(ranking_id, queue_id, 0, 100, include_removed=True)
    return next((one.removed, one.rule_id, one.event) for one in every if one.account_id == account_id)


def tell(day, *events):
    return [one.sequence for one in day.events.record(events, UNKNOWN)]


def refused(reason, call_, *args):
    with pytest.raises(CollectionsError) as caught:
        call_(*args)
    assert caught.value.reason is reason, caught.value


def test_each_account_goes_to_one_holder_in_the_order_of_the_list(world):
    day, ranking_id, _ = world
    order = waiting(day, ranking_id)
    first, second = leased(day, ranking_id, count=3), leased(day, ranking_id, "agent-2", count=4)
    assert accounts(first) + accounts(second) == order[:7]
    assert waiting(day, ranking_id) == order[7:]
    rest = leased(day, ranking_id, "agent-3")
    assert accounts(rest) == order[7:]
    assert leased(day, ranking_id, "agent-4") == []


def test_the_same_request_again_is_given_the_same_leases(world):
    day, ranking_id, _ = world
    request = asked(ranking_id, count=2)
    assert day.dispatch.lease(request) == day.dispatch.lease(request)
    refused(Reason.REQUEST_ID_REUSED, day.dispatch.lease, replace(request, holder="other"))


def test_a_lease_ends_in_what_happened_and_the_account_is_worked(world):
    day, ranking_id, clock = world
    one, other = leased(day, ranking_id, count=2)
    told = [call(one.account_id, clock()), Event("pr", K.PROMISE, clock(), one.account_id, amount_minor=9, due_date=NOON.date())]
    ended = day.dispatch.complete(one.lease.lease_id, "agent-1", told)
    assert (ended.lost, ended.recorded_count, ended.lease.state) == (False, 2, "COMPLETED")
    assert day.dispatch.complete(one.lease.lease_id, "agent-1", told).recorded_count == 0
    assert why_removed(day, ranking_id, one.account_id)[0] == "PROMISED"
    kinds = [event.event.kind for event in day.events.after(0, 10)]
    assert kinds == [K.CONTACT, K.PROMISE, K.LEASE]
    refused(Reason.NOT_FOUND, day.dispatch.complete, other.lease.lease_id, "agent-2", [call(other.account_id, clock())])
    refused(Reason.INVALID_ARGUMENT, day.dispatch.complete, other.lease.lease_id, "agent-1", [call(one.account_id, clock())])
    refused(Reason.INVALID_ARGUMENT, day.dispatch.complete, other.lease.lease_id, "agent-1", told[1:])


def test_a_lease_that_expires_returns_the_account_and_a_late_completion_is_recorded_as_lost(world):
    day, ranking_id, clock = world
    (one,) = leased(day, ranking_id, count=1, lease_seconds=60)
    clock.forward(seconds=59)
    assert day.dispatch.extend(one.lease.lease_id, "agent-1", 60)
    clock.forward(seconds=59)
    assert one.account_id not in accounts(leased(day, ranking_id, "agent-2"))
    clock.forward(seconds=2)
    refused(Reason.LEASE_LOST, day.dispatch.extend, one.lease.lease_id, "agent-1", 60)
    assert accounts(leased(day, ranking_id, "agent-3")) == [one.account_id]
    ended = day.dispatch.complete(one.lease.lease_id, "agent-1", [call(one.account_id, clock())])
    assert (ended.lost, ended.recorded_count, ended.lease.state) == (True, 1, "EXPIRED")
    assert why_removed(day, ranking_id, one.account_id)[0] == "WORKED"


def test_an_account_given_back_comes_after_the_others(world):
    day, ranking_id, _ = world
    (one,) = leased(day, ranking_id, count=1)
    assert day.dispatch.release(one.lease.lease_id, "agent-1", "no headset").lease.state == "RELEASED"
    assert waiting(day, ranking_id)[-1] == one.account_id
    refused(Reason.INVALID_ARGUMENT, day.dispatch.release, one.lease.lease_id, "agent-1", "")


@pytest.mark.parametrize(
    ("event", "removed"),
    [
        (Event("x", K.PAYMENT, NOON, "a002", amount_minor=5), "PAID"),
        (Event("x", K.PROMISE, NOON, "a002", amount_minor=5, due_date=NOON.date()), "PROMISED"),
        (call("a002", NOON, "RIGHT_PARTY_REFUSED", event_id="x"), "REFUSED"),
        (call("a002", NOON, event_id="x"), "WORKED"),
        (call("a003", NOON, event_id="x"), "PERSON_WORKED"),
        (Event("x", K.OUTCOME, NOON, "a002", outcome="SOLD"), "CLOSED"),
        (Event("x", K.FLAG, NOON, customer_id="p002", flag="deceased", is_set=True), "RULE"),
        (Event("x", K.CHANNEL_CHOICE, NOON, "a003", choice="no_calls", is_set=True), "RULE"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_who_paid_promised_refused_died_or_was_called_is_gone_at_once_and_back_when_it_is_taken_back(world, event, removed):
    day, ranking_id, clock = world
    assert "a002" in waiting(day, ranking_id)
    (sequence,) = tell(day, event)
    assert "a002" not in waiting(day, ranking_id)
    assert why_removed(day, ranking_id, "a002")[::2] == (removed, sequence)
    assert "a002" not in accounts(leased(day, ranking_id))
    clock.forward(minutes=11)
    subject = {"account_id": event.account_id, "customer_id": event.customer_id}
    tell(day, Event("y", K.REVERSAL, NOON, reverses="x", **subject))
    assert "a002" in waiting(day, ranking_id)


def test_a_vulnerable_person_moves_to_those_who_care_at_the_rankings_prices(world):
    day, ranking_id, _ = world
    assert "a004" not in waiting(day, ranking_id, CARE)
    (sequence,) = tell(day, Event("v", K.FLAG, NOON, "a004", flag="vulnerable", is_set=True))
    assert "a004" not in waiting(day, ranking_id)
    every = day.worklists.page(ranking_id, CARE, 0, 100, include_removed=True)
    assert [(one.account_id, one.arrived, one.event) for one in every] == [("a004", True, sequence)]
    assert accounts(leased(day, ranking_id, queue_id=CARE)) == ["a004"]


def test_nobody_is_called_outside_the_hours_of_their_own_zone_or_those_they_chose(world):
    day, ranking_id, clock = world
    clock.at = NOON.replace(hour=13)  # 08:00 in New York, 07:00 in Texas, 05:00 in California
    found = accounts(leased(day, ranking_id))
    assert found
    assert {int(one[1:]) % 4 for one in found} == {0}  # see ZONES
    clock.forward(hours=5)
    tell(day, Event("h", K.CHANNEL_CHOICE, NOON, "a000", hours_from=1_000, hours_until=1_100))
    assert "a000" not in accounts(leased(day, ranking_id, "agent-2"))
    page = day.worklists.page(ranking_id, CALLS, 0, 100, include_removed=False)
    assert [one.account_id for one in page if one.waits] == ["a000"]
    clock.forward(hours=4)
    assert "a000" in accounts(leased(day, ranking_id, "agent-3"))


def test_a_person_is_not_called_seven_times_in_seven_days(world):
    day, ranking_id, _clock = world
    tell(day, *[call("a002", NOON - timedelta(days=1 + n % 6), event_id=f"c{n}") for n in range(6)])
    assert why_removed(day, ranking_id, "a002")[:2] == ("RULE", "us-seven-in-seven")
    tell(day, *[Event(f"r{n}", K.REVERSAL, NOON, "a002", reverses=f"c{n}") for n in range(2)])
    assert "a002" in accounts(leased(day, ranking_id))


def test_a_ranking_of_another_day_is_not_worked(world):
    day, ranking_id, clock = world
    clock.forward(days=1)
    refused(Reason.RANKING_NOT_IN_FORCE, day.dispatch.lease, asked(ranking_id))
    refused(Reason.NOT_FOUND, day.dispatch.lease, asked("rk-none"))


def test_a_server_that_starts_again_and_a_second_one_see_the_same_day(template, tmp_path):
    clock = Clock()
    folder, ranking_id = tmp_path / "world", template[1]
    with closing(copied_world(template[0], folder, clock)) as first, closing(open_world(folder, clock)) as second:
        (one,) = leased(first.day, ranking_id, count=1)
        assert one.account_id not in accounts(leased(second.day, ranking_id, "agent-2", count=5))
        tell(second.day, Event("p", K.PAYMENT, clock(), "a016", amount_minor=5))
        assert "a016" not in waiting(first.day, ranking_id)
        second.day.dispatch.complete(one.lease.lease_id, "agent-1", [call(one.account_id, clock())])
        seen = first.day.worklists.page(ranking_id, CALLS, 0, 100, include_removed=True)
        states = first.day.worklists.states(ranking_id)
    with closing(open_world(folder, clock)) as again:
        assert again.day.worklists.page(ranking_id, CALLS, 0, 100, include_removed=True) == seen
        assert again.day.worklists.states(ranking_id) == states
        verdict = again.evidence.verification.verify_log()
        assert all(check.holds for check in verdict.checks), verdict


def test_an_account_is_kept_while_events_keep_it_and_forgotten_with_them(template, tmp_path):
    clock = Clock()
    with closing(copied_world(template[0], tmp_path / "kept", clock)) as workspace:
        erasures = workspace.evidence.erasures
        tell(workspace.day, Event("p", K.PAYMENT, clock(), "a003", amount_minor=5))
        refused(Reason.MUST_BE_KEPT, erasures.erase, ["a003"], ErasureRequest("asked"))
        clock.forward(days=3 * 366)
        assert erasures.erase(["a003"], ErasureRequest("asked")).account_count == 1
        assert [event.event for event in workspace.day.events.after(0, 10)] == [None]
        verdict = workspace.evidence.verification.verify_log()
        assert all(check.holds for check in verdict.checks), verdict


def test_minutes_left_are_capacity_without_what_was_spent_and_is_held(world):
    day, ranking_id, clock = world
    before = day.worklists.states(ranking_id)[0]
    one, other = leased(day, ranking_id, count=2)
    day.dispatch.complete(one.lease.lease_id, "agent-1", [call(one.account_id, clock(), seconds=400)])
    after = day.worklists.states(ranking_id)[0]
    assert before.left_seconds - after.left_seconds == 400 + other.lease.seconds
    assert (before.depth - after.depth, after.held_count, after.spent_seconds) == (2, 1, 400)
    assert after.oldest_lease == clock()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"count": 0}, "count"), ({"count": 101}, "count"), ({"lease_seconds": 9}, "lease_seconds"), ({"holder": ""}, "holder")],
)
def test_odd_requests_are_refused(world, changes, field):
    day, ranking_id, _ = world
    with pytest.raises(CollectionsError) as caught:
        day.dispatch.lease(replace(asked(ranking_id), **changes))
    assert {violation.field for violation in caught.value.violations} == {field}
    assert uuid.UUID(asked(ranking_id).request_id)
