"""Two desks that share a book at the instant of a lease: neither is handed a person of the other, whatever events tell."""

import uuid
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.day.contact_requests import ContactRequest, ContactVerdict
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.experiments.arms import person_keys
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.day.day_worlds import CALLS, CARE, DAY, NOON, PORTFOLIO, Clock, asked, desk_plan, open_world, rows
from tests.support.experiments.trials import design, started

COUNT = 160
NAMES = ("desk-a", "desk-b")


def live(folder, clock):
    workspace = open_world(folder, clock)
    for name in NAMES:
        workspace.books.save_plan(replace(desk_plan(), plan_id=name), None)
    raw = rows(COUNT)
    customers = np.array([f"C-{k - (k % 5 == 1):03d}" for k in range(COUNT)], dtype=object)
    columns = {**raw.columns, "vulnerable": np.arange(COUNT) % 9 == 0, "customer_id": customers}
    workspace.books.import_portfolio(PORTFOLIO, replace(raw, columns=columns))
    made = design(
        0.5,
        starts_on=DAY.date(),
        arm=ArmKind.TWO_PLANS,
        scope=Scope((PORTFOLIO,)),
        plan_id=NAMES[0],
        challenger_plan_id=NAMES[1],
    )
    started(workspace, made=made)
    records = []
    for name in NAMES:
        command = RankingCommand(str(uuid.uuid4()), PORTFOLIO, name, 1, Ordering.EXPECTED_VALUE, bundled_parameters(), "greedy")
        records.append(workspace.rank(command, ignore_progress))
    return workspace, records


@pytest.fixture
def world(tmp_path):
    workspace, records = live(tmp_path, Clock())
    with closing(workspace):
        yield workspace, records


def others_of(workspace, record):
    entries = workspace.recorded.entries(record)
    return {name.decode() for name in entries.account_id[entries.of_other_plan].tolist()}


def taken(workspace, record, queue=CALLS):
    return [one.account_id for one in workspace.day.dispatch.lease(asked(record.ranking_id, queue_id=queue, count=100))]


def richer(accounts, tag="b"):
    return [
        Event(f"{tag}-{n}", EventKind.BALANCE, NOON, n, balance_minor=9_000_000, arrears_minor=900_000, days_past_due=45)
        for n in sorted(accounts)
    ]


def test_no_person_is_leased_by_both_desks_and_arrivals_do_not_cross(world):
    workspace, records = world
    others = [others_of(workspace, record) for record in records]
    workspace.day.events.record(richer(others[0] | others[1]), UNKNOWN)  # everybody is worth far more now
    given = [taken(workspace, record) + taken(workspace, record, CARE) for record in records]
    assert min(map(len, given)) > 5
    for mine, theirs in zip(given, others, strict=True):
        assert theirs.isdisjoint(mine)
    keys = dict(
        zip(
            (name.decode() for name in workspace.recorded.portfolio(PORTFOLIO).column("account_id").tolist()),
            person_keys(workspace.recorded.portfolio(PORTFOLIO)).tolist(),
            strict=True,
        )
    )
    people = [{keys[name] for name in mine} for mine in given]
    assert not people[0] & people[1]
    for record, theirs in zip(records, others, strict=True):
        shown = workspace.day.worklists.page(record.ranking_id, CALLS, 0, 100, include_removed=True)
        assert theirs.isdisjoint(one.account_id for one in shown if not one.removed)


def test_whom_the_law_protects_by_now_stays_with_the_plan_that_was_drawn(world):
    workspace, records = world
    others = others_of(workspace, records[0])
    flags = [Event(f"v-{name}", EventKind.FLAG, NOON, name, flag="vulnerable", is_set=True) for name in sorted(others)]
    workspace.day.events.record(flags, UNKNOWN)
    assert others.isdisjoint(taken(workspace, records[0]) + taken(workspace, records[0], CARE))
    assert not others.isdisjoint(taken(workspace, records[1], CARE))


def test_who_asks_is_told_that_another_plan_works_the_person(world):
    workspace, records = world
    name = min(others_of(workspace, records[0]))
    found = workspace.day.checks.check(ContactRequest(records[0].ranking_id, name, "", "CALL", "PERSON"))
    kinds = {reason.kind: reason for reason in found.reasons}
    assert found.verdict is ContactVerdict.BLOCKED
    assert "OTHER_PLAN" in kinds
    assert "another plan" in kinds["OTHER_PLAN"].description
    assert "HELD_OUT" not in kinds
    theirs = workspace.day.checks.check(ContactRequest(records[1].ranking_id, name, "", "CALL", "PERSON"))
    assert "OTHER_PLAN" not in {reason.kind for reason in theirs.reasons}


def test_planted_a_place_given_by_mistake_is_stopped_at_the_gate(world, monkeypatch):
    workspace, records = world
    others = others_of(workspace, records[0])
    monkeypatch.setattr(
        "collections_opt.application.answers.placement.worked_elsewhere", lambda _o, p, _r: np.zeros(p.account_count, bool)
    )
    workspace.day.events.record(richer(others), UNKNOWN)
    assert others.isdisjoint(taken(workspace, records[0]))
    gate = "collections_opt.application.day.desk.gate.Gate.worked_elsewhere"
    monkeypatch.setattr(gate, lambda _self, rows: np.zeros(len(rows), dtype=bool))
    workspace.day.events.record([replace(one, balance_minor=9_100_000) for one in richer(others, "c")], UNKNOWN)
    assert not others.isdisjoint(taken(workspace, records[0]))  # planted twice: without both nothing would stop it


def test_what_remains_of_a_day_is_shared_as_the_day_was(world):
    workspace, records = world
    taken(workspace, records[0])
    command = RankingCommand(
        str(uuid.uuid4()), PORTFOLIO, NAMES[0], None, Ordering.EXPECTED_VALUE, bundled_parameters(), "greedy"
    )
    rest = workspace.rank(replace(command, remaining_capacity=True), ignore_progress)
    assert rest.portfolio_id != PORTFOLIO  # an id that the scope does not name
    entries = workspace.recorded.entries(rest)
    assert (entries.experiment == 1).all()
    left = {name.decode() for name in entries.account_id.tolist()}
    assert others_of(workspace, rest) == others_of(workspace, records[0]) & left
    assert (entries.queue[entries.of_other_plan] == -1).all()
    verdict = workspace.evidence.verification.verify_ranking(rest.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
