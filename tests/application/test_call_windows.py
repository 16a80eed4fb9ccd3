"""When to contact each account: recorded, listed, explained, placed, verified, replayed; and said where no plan knows it."""

import uuid
from dataclasses import replace
from datetime import time

import numpy as np
import pytest

from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import dump
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules import call_hours
from collections_opt.service.converters.recorded_rankings import write_recorded
from tests.support.books.evidence_worlds import PLAN, book, opened, values

MORNING = (DayWindow(time(7), time(9, 30)),)
CALLS = replace(PLAN.queues[0], agents=0.5, windows=MORNING)
EARLY = replace(PLAN, plan_id="early", queues=(CALLS, PLAN.queues[1]))
PLACES = np.array(["US-NY", "US-IL", "US-CA"], dtype=object)
OPENS = {"US-NY": 480, "US-IL": 540}
"""8:00 there, by the clocks of a desk in New York; California has not woken up when the desk closes."""


def places(count=120):
    raw = book(count, 0, bad=0)
    return replace(raw, columns={**raw.columns, "state": PLACES[np.arange(count) % 3]})


def ranked(workspace, plan=EARLY, ordering=Ordering.EXPECTED_VALUE):
    command = RankingCommand(str(uuid.uuid4()), "p1", plan.plan_id, 1, ordering, values(), "default", 7)
    return workspace.rank(command, ignore_progress)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("windows"))
    made.books.save_plan(EARLY, None)
    made.books.import_portfolio("p1", places())
    yield made
    made.close()


@pytest.fixture(scope="module")
def record(workspace):
    return ranked(workspace)


@pytest.mark.parametrize("ordering", [Ordering.EXPECTED_VALUE, Ordering.BALANCE])
def test_windows_are_recorded_verified_and_made_anew(workspace, ordering):
    record = ranked(workspace, ordering=ordering)
    entries, states = workspace.recorded.entries(record), workspace.recorded.portfolio("p1").column("state")
    called = np.flatnonzero(entries.queue == 0)
    assert {states[row] for row in called} == {b"US-NY", b"US-IL"}
    for row in called:
        assert (entries.call_from[row], entries.call_until[row]) == (OPENS[states[row].decode()], 570)
    assert set(entries.call_from[entries.queue == 1].tolist()) == {-1}  # letters say nothing of when
    verdict = workspace.evidence.verification.verify_ranking(record.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
    assert "Some queues do not say when they work" in next(c.sentence for c in verdict.checks if c.name == "hours")
    assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    report = verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
    assert f"{called.size} accounts have a window in which to contact them, within their queue's hours." in report


def test_worklists_explanations_and_placements_say_when(workspace, record):
    entries, portfolio = workspace.recorded.entries(record), workspace.recorded.portfolio("p1")
    listed = {e.account_id: (e.call_from, e.call_until) for e in workspace.ledger.worklists.page(record.ranking_id, 0, 0, 1_000)}
    worked = np.flatnonzero(entries.queue == 0)
    assert listed == {entries.account_id[r].decode(): (int(entries.call_from[r]), 570) for r in worked}
    row = next(r for r in worked if portfolio.column("state")[r] == b"US-IL")
    name = entries.account_id[row].decode()
    assert workspace.explanations.explain(record.ranking_id, name).queues[0].call_window == (540, 570)
    raw = places()
    at = np.flatnonzero(raw.columns["account_id"] == name)
    placed = workspace.placer.place(record.ranking_id, replace(raw, columns={key: c[at] for key, c in raw.columns.items()}))
    assert "Contact it between 09:00 and 09:30 by the desk's clocks." in placement_sentence(placed, 0)
    asleep = next(entries.account_id[r].decode() for r in np.flatnonzero(portfolio.column("state") == b"US-CA"))
    why = workspace.explanations.explain(record.ranking_id, asleep).queues[0]
    assert (why.call_window, why.rule_id) in {(None, "us-hours"), (None, "bankruptcy")}


def test_somebody_unworked_shows_the_window_of_the_best_queue(workspace, record):
    entries, states = workspace.recorded.entries(record), workspace.recorded.portfolio("p1").column("state")
    waiting = np.flatnonzero(entries.queue == UNASSIGNED)
    shown = [OPENS[states[row].decode()] if entries.best_queue[row] == 0 else -1 for row in waiting]
    assert waiting.size
    assert entries.call_from[waiting].tolist() == shown


def test_a_plan_without_windows_is_kept_as_it_was_and_the_accounts_are_counted(workspace, record):
    once = ranked(workspace, PLAN)
    entries = workspace.recorded.entries(once)
    assert entries.call_from is None
    assert "windows" not in dump(PLAN)
    called = int((entries.queue == 0).sum())
    health = write_recorded(once, PLAN).health
    assert health.hours_not_planned_account_count == called > 0
    assert any(told.startswith(f"hours not planned: {called:,} accounts") for told in health.warnings)
    assert "hours" not in {check.name for check in workspace.evidence.verification.verify_ranking(once.ranking_id).checks}
    planned = write_recorded(record, EARLY).health
    assert planned.hours_not_planned_account_count == 0  # the law has no hours for letters
    assert not [told for told in planned.warnings if told.startswith("hours")]


def test_a_what_if_opens_a_queue_in_its_own_hours(workspace, record):
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    evening = replace(CALLS, queue_id="evening", windows=(DayWindow(time(20), time(23)),))
    plan = changed_plan(baseline.answer.plan, [QueueChange("evening", opened=evening)])
    value = baseline.problem_under(plan).value
    states = workspace.recorded.portfolio("p1").column("state")
    allowed = value[:, plan.queue_index("evening")] > np.iinfo(np.int32).min
    assert allowed[states == b"US-CA"].any()
    assert not (value[states == b"US-CA", 0] > np.iinfo(np.int32).min).any()


def test_planted_hours_are_noticed_by_the_check_that_does_not_decide(tmp_path, monkeypatch):
    """Planted: a judge that takes every person to live in New York, also where the ranking is verified."""
    workspace = opened(tmp_path)
    workspace.books.save_plan(EARLY, None)
    workspace.books.import_portfolio("p1", places())
    zones = "collections_opt.core.rules.call_hours.zones_of_place"
    honest = call_hours.zones_of_place
    monkeypatch.setattr(zones, lambda _: ("America/New_York",))
    record = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(record.ranking_id).checks
    assert [check.name for check in checks if not check.holds] == ["hours"]
    assert "of its own clocks, against us-hours" in next(check.sentence for check in checks if check.name == "hours")
    monkeypatch.setattr(zones, honest)
    checks = workspace.evidence.verification.verify_ranking(record.ranking_id).checks
    assert {"hours", "values"} <= {check.name for check in checks if not check.holds}
    workspace.close()


def test_the_standalone_verifier_refuses_windows_beside_the_plan():
    plan = {"queues": [{"windows": [{"start": "08:00:00", "end": "12:00:00"}, {"start": "13:00:00", "end": "00:00:00"}]}, {}]}
    good = [{"queue": 0, "call_from": 480, "call_until": 720}, {"queue": 0, "call_from": 800, "call_until": 1440}]
    assert verify_evidence.check_windows(plan, [*good, {"queue": 1, "call_from": -1, "call_until": -1}, {"queue": 1}])
    for wrong in ((479, 720), (480, 721), (700, 800), (-1, -1), (500, 500)):
        with pytest.raises(verify_evidence.Refused, match="call window"):
            verify_evidence.check_windows(plan, [{"queue": 0, "call_from": wrong[0], "call_until": wrong[1]}])
    with pytest.raises(verify_evidence.Refused, match="call window"):
        verify_evidence.check_windows(plan, [{"queue": 1, "call_from": 480, "call_until": 500}])
