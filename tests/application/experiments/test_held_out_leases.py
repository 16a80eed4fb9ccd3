"""No lease, arrival or gate gives anybody an account of a person left alone, whatever happens in the day, and after a restart."""

import uuid
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.experiments.design import Scope
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.day.day_worlds import CALLS, CARE, DAY, NOON, PORTFOLIO, Clock, asked, desk_plan, open_world, rows
from tests.support.experiments.trials import design, started

COUNT = 120
EVERYBODY = Scope()
COMMAND = RankingCommand("", PORTFOLIO, desk_plan().plan_id, 1, Ordering.EXPECTED_VALUE, bundled_parameters(), "greedy")


def live(folder, clock, scope=EVERYBODY):
    workspace = open_world(folder, clock)
    made = desk_plan()
    workspace.books.save_plan(made, None)
    raw = rows(COUNT)
    columns = {**raw.columns, "vulnerable": np.zeros(COUNT, dtype=bool)}
    workspace.books.import_portfolio(PORTFOLIO, replace(raw, columns=columns))
    started(workspace, made=design(0.4, starts_on=DAY.date(), scope=scope))
    return workspace, workspace.rank(replace(COMMAND, request_id=str(uuid.uuid4())), ignore_progress)


def taken(day, ranking_id, queue=CALLS):
    return [one.account_id for one in day.dispatch.lease(asked(ranking_id, queue_id=queue, count=100))]


@pytest.fixture
def world(tmp_path):
    workspace, record = live(tmp_path, Clock())
    with closing(workspace):
        yield workspace, record


def held_of(workspace, record):
    entries = workspace.recorded.entries(record)
    assert (entries.intended_queue[entries.held_out] != UNASSIGNED).any()
    return {name.decode() for name in entries.account_id[entries.held_out].tolist()}


def changed(accounts, **changes):
    return [
        Event(
            f"b-{name}",
            EventKind.BALANCE,
            NOON,
            name,
            balance_minor=9_000_000,
            arrears_minor=900_000,
            days_past_due=45,
            **changes,
        )
        for name in sorted(accounts)
    ]


def test_leases_and_arrivals_leave_them_alone(world):
    workspace, record = world
    held = held_of(workspace, record)
    workspace.day.events.record(changed(held), UNKNOWN)  # worth far more now: at the prices they would be first
    given = taken(workspace.day, record.ranking_id)
    assert given
    assert held.isdisjoint(given)
    shown = workspace.day.worklists.page(record.ranking_id, CALLS, 0, 100, include_removed=True)
    assert held.isdisjoint(one.account_id for one in shown if not one.removed)


def test_who_becomes_vulnerable_is_no_longer_left_alone(world):
    workspace, record = world
    held = held_of(workspace, record)
    flags = [Event(f"v-{name}", EventKind.FLAG, NOON, name, flag="vulnerable", is_set=True) for name in sorted(held)]
    workspace.day.events.record(flags, UNKNOWN)
    assert held.isdisjoint(taken(workspace.day, record.ranking_id))
    assert not held.isdisjoint(taken(workspace.day, record.ranking_id, CARE))


def test_what_remains_of_a_day_leaves_the_same_people_alone_where_the_scope_names_the_day(tmp_path):
    workspace, record = live(tmp_path, Clock(), Scope((PORTFOLIO,)))
    with closing(workspace):
        held = held_of(workspace, record)
        again = replace(COMMAND, request_id=str(uuid.uuid4()), plan_version=None, remaining_capacity=True)
        rest = workspace.rank(again, ignore_progress)
        assert rest.portfolio_id != PORTFOLIO
        assert held_of(workspace, rest) == held
        entries = workspace.recorded.entries(rest)
        assert (entries.queue[entries.held_out] == UNASSIGNED).all()
        verdict = workspace.evidence.verification.verify_ranking(rest.ranking_id)
        assert all(check.holds for check in verdict.checks), verdict
        assert workspace.evidence.replays.replay(rest.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
        assert held.isdisjoint(taken(workspace.day, rest.ranking_id))


def test_a_restart_changes_no_arm(tmp_path):
    workspace, record = live(tmp_path, Clock())
    held = held_of(workspace, record)
    workspace.close()
    with closing(open_world(tmp_path, Clock())) as again:
        assert held_of(again, record) == held
        again.day.events.record(changed(held), UNKNOWN)
        assert held.isdisjoint(taken(again.day, record.ranking_id))


def test_planted_a_place_given_by_mistake_is_stopped_at_the_gate(world, monkeypatch):
    workspace, record = world
    held = held_of(workspace, record)
    monkeypatch.setattr(
        "collections_opt.application.answers.placement.left_alone", lambda _o, p, _r: np.zeros(p.account_count, bool)
    )
    workspace.day.events.record(changed(held), UNKNOWN)
    assert held.isdisjoint(taken(workspace.day, record.ranking_id))
    monkeypatch.setattr(
        "collections_opt.application.day.desk.gate.protected_persons", lambda portfolio: np.ones(portfolio.account_count, bool)
    )
    workspace.day.events.record(
        [replace(event, event_id=event.event_id + "-2", balance_minor=9_100_000) for event in changed(held)], UNKNOWN
    )
    assert not held.isdisjoint(taken(workspace.day, record.ranking_id))  # planted twice: without both nothing would stop it
