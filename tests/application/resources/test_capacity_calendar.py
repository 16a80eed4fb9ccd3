"""Plans over time through the ledger, with the mornings of the field report of 0.2.0: what is stored for a day decides it."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import dump
from collections_opt.core.actors import Actor
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.desk.day_changes import DayChange, DayKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.ledger.log.log import LogKind
from tests.support.books.evidence_worlds import PLAN, book, opened, values

FRIDAY = date(2026, 11, 27)
SATURDAY, MONDAY = FRIDAY + timedelta(1), FRIDAY + timedelta(3)
ANN = Actor("ann", "OPERATIONS_MANAGER")
DESK = PLAN.plan_id


@pytest.fixture
def workspace(tmp_path, database_url):
    made = opened(tmp_path / "data", database_url)
    yield made
    made.close()


@pytest.fixture
def one_ledger(tmp_path):
    """Return a workspace over SQLite alone, for what the calendar itself decides."""
    made = opened(tmp_path / "data")
    yield made
    made.close()


def refused(reason, call, *args, **kwargs):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **kwargs)
    assert caught.value.reason is reason, caught.value
    return caught.value


def agents(workspace, day):
    return {queue.queue_id: queue.agents for queue in workspace.books.calendar.on(DESK, day).plan.queues}


def store(workspace, change, since):
    """Store the next version from a day on, made from what stands on that day."""
    calendar = workspace.books.calendar
    base = calendar.stored(calendar.on(DESK, since).standing)
    latest = workspace.books.plan(DESK)[1]
    return workspace.books.save_plan(replace(changed_plan(base, [change]), effective_from=since), latest.etag, actor=ANN)


def change_days(workspace, change):
    calendar = workspace.books.calendar
    dry = calendar.change_days(DESK, change, "", validate_only=True)
    return calendar.change_days(DESK, change, dry.before.etag, ANN)


def rank(workspace, portfolio_id, version=None):
    command = RankingCommand(str(uuid.uuid4()), portfolio_id, DESK, version, Ordering.EXPECTED_VALUE, values(), "default", 7)
    return workspace.rank(command, ignore_progress).record


def told(record):
    """Return what a ranking decided, without when and under which id."""
    return {name: record[name] for name in ("plan_version", "objective_minor", "leaves", "input_digest", "counts")}


def test_saturday_stored_on_friday_changes_nothing_on_friday(workspace):
    for day in (FRIDAY, SATURDAY):
        workspace.books.import_portfolio(f"book-{day:%d}", book(60, as_of=day))
    before = told(rank(workspace, "book-27"))
    store(workspace, QueueChange("calls", added_agents=4), SATURDAY)
    change_days(workspace, DayChange(DayKind.CLOSED, SATURDAY, SATURDAY, "letters"))
    friday, saturday = rank(workspace, "book-27"), rank(workspace, "book-28")
    assert {**told(friday), "leaves": before["leaves"]} == before
    assert friday["plan_version"] == 1
    assert saturday["plan_version"] == 3
    plan = workspace.books.plan(DESK, 3)[0]
    assert [queue.agents for queue in plan.queues] == [6.0, 0.0]
    assert plan.effective_from == SATURDAY
    assert workspace.ledger.logged_rows.verify() == []


def test_field_report_a_future_version_does_not_refuse_the_ranking_of_today(one_ledger):
    one_ledger.books.import_portfolio("today", book(20, as_of=FRIDAY))
    store(one_ledger, QueueChange("calls", added_agents=4), MONDAY)
    assert rank(one_ledger, "today")["plan_version"] == 1


def test_field_report_three_fewer_today_are_not_computed_from_four_more_next_week(one_ledger):
    store(one_ledger, QueueChange("calls", agents=10), date(2026, 11, 1))
    store(one_ledger, QueueChange("calls", added_agents=4), MONDAY)
    change_days(one_ledger, DayChange(DayKind.SICK, FRIDAY, FRIDAY, "calls", agents=3))
    days = [FRIDAY - timedelta(1), FRIDAY, SATURDAY, MONDAY]
    assert [agents(one_ledger, day)["calls"] for day in days] == [10, 7, 10, 14]


def test_field_report_overtime_survives_whatever_is_stored_afterwards(one_ledger):
    overtime = DayChange(DayKind.OVERTIME, FRIDAY, SATURDAY, "calls", agents=2, minutes=60)  # of 120 paid minutes: one agent more
    change_days(one_ledger, overtime)
    change_days(one_ledger, DayChange(DayKind.SICK, FRIDAY, FRIDAY, "calls", agents=0.5))
    store(one_ledger, QueueChange("calls", agents=5), FRIDAY)
    store(one_ledger, QueueChange("letters", agents=3), MONDAY)
    assert [agents(one_ledger, FRIDAY + timedelta(n))["calls"] for n in (-1, 0, 1, 2, 3)] == [2, 5.5, 6, 5, 5]


def test_a_version_stored_from_today_does_not_end_one_of_next_week(one_ledger):
    store(one_ledger, QueueChange("calls", added_agents=4), MONDAY)
    store(one_ledger, QueueChange("calls", added_agents=-1), FRIDAY)
    assert [agents(one_ledger, day)["calls"] for day in (FRIDAY, SATURDAY, MONDAY)] == [1, 1, 6]


def test_days_are_shown_before_and_after_and_guarded_by_an_etag_of_their_own(workspace):
    calendar = workspace.books.calendar
    sick = DayChange(DayKind.SICK, FRIDAY, SATURDAY, "calls", agents=1)
    dry = calendar.change_days(DESK, sick, "", validate_only=True)
    assert [each.plan.queues[0].agents for each in (*dry.before.days, *dry.after.days)] == [2, 1]
    assert agents(workspace, FRIDAY)["calls"] == 2
    elsewhere = replace(sick, first_day=MONDAY, last_day=MONDAY)
    change_days(workspace, elsewhere)  # of another day: the etag still holds
    made = calendar.change_days(DESK, sick, dry.before.etag, ANN)
    assert made.after.etag == calendar.view(DESK, FRIDAY, SATURDAY).etag != dry.before.etag
    refused(Reason.ETAG_MISMATCH, calendar.change_days, DESK, sick, dry.before.etag, ANN)
    assert refused(Reason.INVALID_ARGUMENT, calendar.change_days, DESK, sick, "", ANN).violations[0].field == "etag"
    assert workspace.ledger.logged_rows.actors(LogKind.CAPACITY_ACT, [f"{DESK}/2"]) == {f"{DESK}/2": ANN}
    assert workspace.ledger.logged_rows.verify() == []


def test_a_change_is_taken_back_and_the_others_stand(workspace):
    calendar = workspace.books.calendar
    overtime = change_days(workspace, DayChange(DayKind.OVERTIME, FRIDAY, SATURDAY, "calls", agents=2, minutes=60))
    change_days(workspace, DayChange(DayKind.SICK, FRIDAY, FRIDAY, "calls", agents=0.5))
    dry = calendar.take_back_days(DESK, overtime.change_id, "", validate_only=True)
    calendar.take_back_days(DESK, overtime.change_id, dry.before.etag, ANN)
    assert [agents(workspace, day)["calls"] for day in (FRIDAY, SATURDAY)] == [1.5, 2]
    refused(Reason.NOT_FOUND, calendar.take_back_days, DESK, overtime.change_id, dry.before.etag, ANN)
    second = change_days(workspace, DayChange(DayKind.OVERTIME, FRIDAY, FRIDAY, "calls", agents=2, minutes=60))
    change_days(workspace, DayChange(DayKind.SICK, FRIDAY, FRIDAY, "calls", agents=2))
    refused(Reason.INVALID_ARGUMENT, calendar.take_back_days, DESK, second.change_id, "", validate_only=True)


def test_a_version_is_taken_back_and_the_one_before_is_in_force_again(workspace):
    calendar = workspace.books.calendar
    refused(Reason.INVALID_ARGUMENT, calendar.take_back_version, DESK, 1, "", validate_only=True)
    store(workspace, QueueChange("calls", agents=9), SATURDAY)
    dry = calendar.take_back_version(DESK, 2, "", validate_only=True)
    calendar.take_back_version(DESK, 2, dry.before.etag, ANN)
    assert agents(workspace, SATURDAY)["calls"] == 2
    assert workspace.books.plan(DESK)[1].version == 1
    assert [each.version for each in workspace.ledger.plans.after("", 9) if each.plan_id == DESK] == [1]
    refused(Reason.NOT_FOUND, calendar.take_back_version, DESK, 2, dry.before.etag, ANN)
    refused(Reason.INVALID_ARGUMENT, calendar.version_on, DESK, 2, SATURDAY)
    made = store(workspace, QueueChange("calls", agents=8), SATURDAY)
    assert (made.version, agents(workspace, SATURDAY)["calls"]) == (3, 8)


def test_a_version_that_changed_days_do_not_fit_is_refused(one_ledger):
    change_days(one_ledger, DayChange(DayKind.SICK, MONDAY, MONDAY, "calls", agents=2))
    error = refused(Reason.INVALID_ARGUMENT, store, one_ledger, QueueChange("calls", agents=1), FRIDAY)
    assert "Change 1 (SICK in 'calls', 2026-11-30 to 2026-11-30)" in error.message
    store(one_ledger, QueueChange("calls", agents=1), MONDAY + timedelta(1))  # after the day: nothing to fit


def test_an_old_version_is_no_base_for_a_next_one(one_ledger):
    old = one_ledger.books.plan(DESK)[1]
    store(one_ledger, QueueChange("calls", agents=9), SATURDAY)
    refused(Reason.ETAG_MISMATCH, one_ledger.books.save_plan, PLAN, old.etag)


def test_a_changed_day_is_settled_once_and_serves_no_other_day(one_ledger):
    calendar = one_ledger.books.calendar
    change_days(one_ledger, DayChange(DayKind.SICK, FRIDAY, SATURDAY, "calls", agents=1))
    settled = calendar.settled(DESK, FRIDAY)
    assert (settled.version, calendar.settled(DESK, FRIDAY).version) == (2, 2)
    assert calendar.version_on(DESK, 2, FRIDAY) == settled
    refused(Reason.INVALID_ARGUMENT, calendar.version_on, DESK, 2, SATURDAY)
    assert one_ledger.books.plan(DESK)[1].version == 1
    assert store(one_ledger, QueueChange("letters", agents=3), FRIDAY).version == 3
    assert calendar.settled(DESK, FRIDAY).version == 4
    assert calendar.settled(DESK, SATURDAY).version == 5


def test_a_decision_on_a_calendar_that_changed_meanwhile_is_made_anew(one_ledger, monkeypatch):
    ledger = one_ledger.ledger
    honest, meddled = ledger.capacity_acts.add, []

    def meddling(act, state, now, actor, request):
        if not meddled:
            meddled.append(1)
            day = DayChange(DayKind.SICK, MONDAY, MONDAY, "calls", agents=1)
            honest(replace(act, payload=dump(day), first_day="2026-11-30", last_day="2026-11-30"), state, now, actor)
        return honest(act, state, now, actor, request)

    monkeypatch.setattr(ledger.capacity_acts, "add", meddling)
    change_days(one_ledger, DayChange(DayKind.SICK, FRIDAY, FRIDAY, "calls", agents=1))
    assert [agents(one_ledger, day)["calls"] for day in (FRIDAY, SATURDAY, MONDAY)] == [1, 2, 1]


def test_days_before_the_first_version_cannot_be_changed(one_ledger):
    early = date(2025, 12, 31)
    change = DayChange(DayKind.CLOSED, early, early + timedelta(3), "calls")
    refused(Reason.CAPACITY_PLAN_NOT_EFFECTIVE, one_ledger.books.calendar.change_days, DESK, change, "", validate_only=True)
    refused(Reason.CAPACITY_PLAN_NOT_EFFECTIVE, one_ledger.books.calendar.on, DESK, early)
    refused(Reason.NOT_FOUND, one_ledger.books.calendar.on, "nowhere", FRIDAY)
