"""Portfolios that follow from others and events: the next day's, and what remains of a day that runs."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.day.day_worlds import (
    CALLS,
    PORTFOLIO,
    Clock,
    asked,
    call,
    copied_world,
    desk_plan,
    made_world,
)

K = EventKind
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)
PLAN = desk_plan().plan_id


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rolling")
    return folder, made_world(folder)


@pytest.fixture
def world(template, tmp_path):
    """Yield a workspace, the morning's ranking and the clock."""
    clock = Clock()
    with closing(copied_world(template[0], tmp_path / "world", clock)) as workspace:
        yield workspace, template[1], clock


def tell(workspace, *events):
    return [one.sequence for one in workspace.day.events.record(events, UNKNOWN)]


def payment(account, at, amount=10_000, **changes):
    return Event(f"pay-{account}-{at.isoformat()}", K.PAYMENT, at, account, amount_minor=amount, **changes)


def noon_command(number=9, portfolio_id=PORTFOLIO, **changes):
    request_id = str(uuid.UUID(int=number, version=4))
    command = RankingCommand(
        request_id, portfolio_id, PLAN, None, Ordering.EXPECTED_VALUE, bundled_parameters(), "greedy", remaining_capacity=True
    )
    return replace(command, **changes)


def rows_of(workspace, portfolio_id):
    return workspace.recorded.portfolio(portfolio_id)


def value(portfolio, account, name):
    row = int(np.flatnonzero(portfolio.column("account_id") == account.encode())[0])
    return portfolio.column(name)[row]


def work(workspace, ranking_id, clock, result="NO_ANSWER", seconds=600):
    """Lease one account and complete it; return its id."""
    (lease,) = workspace.day.dispatch.lease(asked(ranking_id))
    made = call(lease.account_id, clock.at, result, lease_id=lease.lease.lease_id, seconds=seconds)
    workspace.day.dispatch.complete(lease.lease.lease_id, "agent-1", [made])
    return lease.account_id


def refused(reason, call_, *args, **changes):
    with pytest.raises(CollectionsError) as caught:
        call_(*args, **changes)
    assert caught.value.reason is reason, caught.value


def test_the_same_day_without_events_is_the_same_accounts(world):
    workspace, _, _ = world
    record, derivation = workspace.rolling.roll_forward(PORTFOLIO, TODAY)
    assert record.digest == workspace.ledger.portfolios.get(PORTFOLIO).digest
    assert (derivation.base_portfolio_id, derivation.through_sequence, dict(derivation.left_out)) == (PORTFOLIO, 0, {})


def test_tomorrow_without_events_only_lets_a_day_pass(world):
    workspace, _, _ = world
    before = rows_of(workspace, PORTFOLIO)
    after = rows_of(workspace, workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)[0].portfolio_id)
    for name, column in before.columns.items():
        passed = 1 if name == "days_past_due" else 0
        shown = column + passed if passed else column
        np.testing.assert_array_equal(after.column(name), shown, name)


def test_what_happened_today_is_in_tomorrows_portfolio(world):
    workspace, _, clock = world
    tell(
        workspace,
        payment("a000", clock.at, 20_000),
        Event("o", K.OUTCOME, clock.at, "a001", outcome="SETTLED"),
        Event("p", K.PROMISE, clock.at, "a002", amount_minor=5, due_date=TOMORROW + timedelta(1)),
        Event("f", K.FLAG, clock.at, customer_id="p004", flag="dispute", is_set=True),
        call("a005", clock.at),
    )
    record, derivation = workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    rolled = rows_of(workspace, record.portfolio_id)
    assert (record.portfolio_id, record.accepted_count, dict(derivation.left_out)) == ("day.2026-11-25", 23, {"CLOSED": 1})
    assert b"a001" not in rolled.column("account_id")
    assert value(rolled, "a000", "arrears_minor") == 40_000
    assert value(rolled, "a002", "open_promise")
    assert value(rolled, "a004", "dispute")
    assert (value(rolled, "a005", "calls_last_7_days_count"), value(rolled, "a006", "calls_last_7_days_count")) == (1, 0)


def test_days_rolled_one_by_one_are_days_rolled_at_once(world):
    workspace, _, clock = world
    tell(workspace, call("a005", clock.at), Event("p", K.PROMISE, clock.at, "a002", amount_minor=5, due_date=TOMORROW))
    workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    clock.forward(days=1)
    tell(workspace, call("a005", clock.at), payment("a006", clock.at))
    by_steps, _ = workspace.rolling.roll_forward("day.2026-11-25", date(2026, 11, 26), "steps")
    at_once, derivation = workspace.rolling.roll_forward(PORTFOLIO, date(2026, 11, 26), "once")
    assert by_steps.digest == at_once.digest
    assert derivation.base_portfolio_id == PORTFOLIO
    rolled = rows_of(workspace, "once")
    assert value(rolled, "a005", "calls_last_7_days_count") == 2
    assert not value(rolled, "a002", "open_promise"), "a promise that ran out blocks nobody"


def test_the_same_again_is_stored_once_and_later_events_need_another_id(world):
    workspace, _, clock = world
    first, _ = workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    assert workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)[0] == first
    tell(workspace, payment("a000", clock.at))
    refused(Reason.ALREADY_EXISTS, workspace.rolling.roll_forward, PORTFOLIO, TOMORROW)
    assert workspace.rolling.roll_forward(PORTFOLIO, TOMORROW, "again")[1].through_sequence == 1


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2026, 12, 2)])
def test_no_day_before_the_portfolio_nor_far_ahead(world, day):
    refused(Reason.INVALID_ARGUMENT, world[0].rolling.roll_forward, PORTFOLIO, day)


def test_a_check_stores_nothing(world):
    workspace, _, _ = world
    workspace.rolling.roll_forward(PORTFOLIO, TOMORROW, validate_only=True)
    refused(Reason.NOT_FOUND, workspace.ledger.portfolios.get, "day.2026-11-25")


def test_events_told_late_narrow_the_rolled_day_and_nothing_counts_twice(world):
    workspace, _, clock = world
    tell(workspace, payment("a000", clock.at, 20_000), call("a005", clock.at))
    workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    tell(workspace, Event("late", K.FLAG, clock.at, "a007", flag="deceased", is_set=True))
    clock.forward(days=1)
    command = noon_command(3, "day.2026-11-25", remaining_capacity=False)
    ranking_id = workspace.rank(command, ignore_progress).ranking_id
    dispatch = workspace.day.dispatch
    desk, gate = dispatch._turns.look(lambda turn: dispatch._openings.caught_up(turn, ranking_id, clock.at))
    live = gate.live(list(range(desk.portfolio.account_count)), clock.at).portfolio
    assert value(live, "a007", "deceased")
    assert value(live, "a000", "arrears_minor") == 40_000, "what the row knows of is not taken off again"
    assert value(live, "a005", "calls_last_7_days_count") == 1


def test_a_ranking_of_a_rolled_day_names_what_it_was_derived_from_and_holds(world):
    workspace, _, clock = world
    tell(workspace, payment("a000", clock.at), Event("o", K.OUTCOME, clock.at, "a001", outcome="SOLD"))
    workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    clock.forward(days=1)
    record = workspace.rank(noon_command(3, "day.2026-11-25", remaining_capacity=False), ignore_progress)
    facts = RankingFacts.from_record(record.record)
    assert facts.derived_from is not None
    assert (facts.derived_from.base_portfolio_id, facts.derived_from.through_sequence) == (PORTFOLIO, 2)
    holds(workspace, record.ranking_id)


def holds(workspace, ranking_id):
    verdict = workspace.evidence.verification.verify_ranking(ranking_id)
    assert verdict.reached is Strength.CERTIFICATE, [check.sentence for check in verdict.checks if not check.holds]
    assert "derivation" in [check.name for check in verdict.checks]
    replay = workspace.evidence.replays.replay(ranking_id)
    assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay


def test_what_remains_of_a_day_is_solved_on_what_is_left_of_it(world):
    workspace, morning, clock = world
    worked = [work(workspace, morning, clock) for _ in range(3)]
    held = workspace.day.dispatch.lease(asked(morning, "agent-2", count=2))
    tell(workspace, payment("a023", clock.at))
    clock.forward(minutes=1)
    record = workspace.rank(noon_command(), ignore_progress)
    facts = RankingFacts.from_record(record.record)
    derived = facts.derived_from
    assert (derived.remains_of, facts.inputs.previous_ranking_id, derived.base_portfolio_id) == (morning, morning, PORTFOLIO)
    committed = sum(one.lease.seconds for one in held)
    assert (derived.spent_seconds[CALLS], derived.committed_seconds[CALLS]) == (3 * 600, committed)
    whole = RankingFacts.from_record(workspace.ledger.rankings.get(morning).record).inputs.capacity_seconds
    assert facts.inputs.capacity_seconds[0] + 3 * 600 + committed == whole[0]
    ids = set(workspace.recorded.open(record.ranking_id).entries.account_id.astype(str).tolist())
    assert not ids & {*worked, *(one.account_id for one in held), "a023"}
    assert derived.left_out["PAID"] == 1
    assert derived.left_out["HELD"] >= 2
    holds(workspace, record.ranking_id)


def test_the_day_goes_on_with_what_remains_of_it(world):
    workspace, morning, clock = world
    first = work(workspace, morning, clock)
    record = workspace.rank(noon_command(), ignore_progress)
    second = work(workspace, record.ranking_id, clock)
    assert second != first
    clock.forward(minutes=5)
    third = workspace.rank(noon_command(10), ignore_progress)
    facts = RankingFacts.from_record(third.record)
    assert (facts.derived_from.remains_of, facts.derived_from.spent_seconds[CALLS]) == (record.ranking_id, 1_200)
    assert facts.derived_from.base_portfolio_id == PORTFOLIO
    holds(workspace, third.ranking_id)
    states = {one.queue_id: one for one in workspace.day.worklists.states(record.ranking_id)}
    assert states[CALLS].spent_seconds == 600, "what was spent before is out of its capacity already"


def test_the_same_request_again_is_the_same_ranking(world):
    workspace, morning, clock = world
    work(workspace, morning, clock)
    record = workspace.rank(noon_command(), ignore_progress)
    work(workspace, morning, clock)
    assert workspace.rank(noon_command(), ignore_progress) == record


def test_a_desk_works_what_is_in_force_today_and_follows_re_solves(world):
    workspace, morning, clock = world
    in_work = workspace.day.in_work
    assert in_work.ranking_id("", PLAN) == in_work.ranking_id("", "") == in_work.ranking_id(morning, "") == morning
    work(workspace, morning, clock)
    record = workspace.rank(noon_command(), ignore_progress)
    assert in_work.ranking_id("", PLAN) == record.ranking_id
    workspace.rolling.roll_forward(PORTFOLIO, TOMORROW)
    tomorrow = workspace.rank(noon_command(3, "day.2026-11-25", remaining_capacity=False), ignore_progress)
    assert in_work.ranking_id("", PLAN) == record.ranking_id, "tomorrow's ranking is not worked today"
    clock.forward(days=1)
    assert in_work.ranking_id("", PLAN) == tomorrow.ranking_id
    clock.forward(days=1)
    refused(Reason.RANKING_NOT_IN_FORCE, in_work.ranking_id, "", PLAN)
    refused(Reason.NOT_FOUND, in_work.ranking_id, "", "no-desk")
    refused(Reason.INVALID_ARGUMENT, in_work.ranking_id, morning, PLAN)


def test_a_request_for_leases_sent_again_after_a_re_solve_is_given_what_it_was_given(world):
    workspace, morning, _ = world
    request = asked(morning)
    (lease,) = workspace.day.dispatch.lease(request)
    workspace.rank(noon_command(), ignore_progress)
    assert workspace.day.dispatch.given_under(request.request_id) == morning
    assert workspace.day.dispatch.given_under(str(uuid.uuid4())) == ""
    assert workspace.day.dispatch.lease(request)[0].account_id == lease.account_id


def test_a_day_that_is_over_has_nothing_left(world):
    workspace, _, clock = world
    clock.forward(days=1)
    refused(Reason.RANKING_NOT_IN_FORCE, workspace.rankings.create, noon_command())


def test_a_changed_derivation_is_noticed(world, monkeypatch):
    workspace, morning, clock = world
    work(workspace, morning, clock)
    record = workspace.rank(noon_command(), ignore_progress)
    honest = workspace.rolling._log.after

    def without_the_first(after, size):
        return [one for one in honest(after, size) if one.recorded.sequence != 1]

    monkeypatch.setattr(workspace.rolling._log, "after", without_the_first)
    verdict = workspace.evidence.verification.verify_ranking(record.ranking_id)
    assert verdict.reached is Strength.NOTHING
