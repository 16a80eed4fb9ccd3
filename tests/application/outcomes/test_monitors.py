"""Rankings are held against what happened: right predictions pass, wrong ones are named in the next ranking's health."""

import json
import shutil
from contextlib import closing
from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.records.monitor_facts import Figure, MonitorFacts, monitor_warnings
from collections_opt.application.workspace import open_workspace
from collections_opt.core.day.event_columns import day_number
from collections_opt.core.models.lifecycle import ModelAction
from collections_opt.core.outcomes.terms import Outcome, ToldOutcomes
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.ledger.records import OutcomeKind
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.services import all_services
from tests.support.day.day_worlds import Clock, open_world, rows
from tests.support.day.matured_months import COUNT, FIRST, LATE, TERMS, month, ranked, save_desk, tell
from tests.support.models.folders import act, add_scorecard, approve, folder_with_people


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return a folder with three months ranked."""
    folder = tmp_path_factory.mktemp("months")
    with closing(open_world(folder, Clock(LATE))) as workspace:
        save_desk(workspace)
        for number in (1, 2, 3):
            ranked(workspace, number, month(number))
    return folder


@pytest.fixture
def workspace(template, tmp_path):
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    with closing(open_world(tmp_path, Clock(LATE))) as opened:
        yield opened


def observed(workspace, number, *change, **more):
    ranking_id = tell(workspace, number, *change, **more)
    workspace.monitors.mature([ranking_id], TERMS)
    return workspace.monitors.observe(ranking_id)


def test_right_predictions_pass_in_every_part(workspace):
    facts = observed(workspace, 1, left=0.1)
    assert facts.unseen_count > 0
    cell = facts.cell("all", "", "default")
    assert cell.account_count == COUNT - facts.unseen_count
    assert cell.slope.low < 1.0 < cell.slope.high
    assert cell.realised.low < cell.predicted < cell.realised.high
    assert cell.level.low < 0.0 < cell.level.high
    assert not [one.key for one in facts.cells if one.alarm]
    assert {one.dimension for one in facts.cells} == {"all", "unworked", "product", "bucket", "queue"}
    assert facts.captured["hindsight"].value >= max(facts.captured[name].value for name in ("worked", "balance"))
    assert monitor_warnings(workspace.ledger, facts.model_version) == []


def test_worked_accounts_are_held_against_what_contact_was_said_to_do(workspace):
    facts = observed(workspace, 1)
    opened = workspace.recorded.open(facts.ranking_id)
    worked = opened.entries.queue != UNASSIGNED
    p = opened.outcomes().probability[:, 0]
    queue = facts.cell("queue", "calls", "cure")
    assert queue.account_count == int((opened.entries.queue == 0).sum())
    assert queue.predicted > p[opened.entries.queue == 0].mean()
    assert facts.cell("unworked", "", "cure").predicted == pytest.approx(p[~worked].mean(), abs=1e-8)


def test_a_model_that_tells_defaults_apart_no_more_is_named_in_the_next_ranking(workspace):
    facts = observed(workspace, 1, lambda default: np.full(COUNT, default.mean()))
    warning = monitor_warnings(workspace.ledger, facts.model_version)[0]
    assert facts.model_version in warning
    assert "slope" in warning
    ranking_id = ranked(workspace, 9, date(2026, 11, 20))
    told = workspace.recorded.open(ranking_id).facts.health.warnings
    assert warning in told


def test_a_shift_raises_an_alarm_that_is_in_the_log(workspace):
    observed(workspace, 1)
    facts = observed(workspace, 2, lambda default: default * 1.8)
    cell = facts.cell("all", "", "default")
    assert cell.alarm
    assert cell.level_log >= cell.threshold_log
    assert any("alarm" in line for line in monitor_warnings(workspace.ledger, facts.model_version))
    record = workspace.ledger.outcomes.last(OutcomeKind.MONITOR, facts.ranking_id)
    assert same(MonitorFacts.of(record), facts)
    assert all(check.holds for check in workspace.evidence.verification.verify_log().checks)


def test_what_overlaps_is_shown_and_read_by_no_alarm(workspace):
    first = observed(workspace, 2)
    workspace.books.import_portfolio("near", replace(rows(50), as_of_date=FIRST + timedelta(days=40)))
    ranking_id = ranked(workspace, 11, FIRST + timedelta(days=41))
    workspace.monitors.mature([ranking_id], TERMS)
    second = workspace.monitors.observe(ranking_id)
    assert second.overlaps == first.ranking_id
    assert not any(cell.alarm for cell in second.cells)
    assert [one.ranking_id for one in workspace.monitors.all() if one.is_counted] == [first.ranking_id]


def test_the_same_outcomes_are_held_against_the_ranking_once_and_new_ones_again(workspace):
    ranking_id = tell(workspace, 1)
    workspace.monitors.mature([ranking_id], TERMS)
    workspace.monitors.mature([ranking_id], TERMS)
    assert len(workspace.ledger.outcomes.latest(OutcomeKind.MONITOR, 10)) == 1
    ids = workspace.recorded.portfolio("book-1").column("account_id")[:3]
    day = np.full(3, day_number(FIRST) + 3)
    mended = ToldOutcomes(ids, np.full(3, Outcome.DIED, dtype=np.int64), day, np.full(3, -1))
    workspace.monitors.maturities.record_file("book-1", mended, "mended")
    workspace.monitors.mature([ranking_id], TERMS)
    assert len(workspace.ledger.outcomes.latest(OutcomeKind.MONITOR, 10)) == 2
    assert len(workspace.monitors.all()) == 1
    assert workspace.monitors.all()[0].unseen_count == 3


def test_a_challenger_in_shadow_is_held_against_the_model_on_what_became_of_unworked_accounts(tmp_path, database_url):
    models = folder_with_people(tmp_path)
    add_scorecard(models, "shadow")
    with closing(open_workspace(tmp_path / "data", models, Clock(LATE), database_url)) as opened:
        approve(opened, "shadow", days=300)
        act(opened, "shadow", ModelAction.CHALLENGE)
        save_desk(opened)
        ranked(opened, 1, month(1))
        facts = observed(opened, 1)
        found = facts.challengers["outcome/shadow"]
        assert found.loss.low > 0.0  # outcomes were drawn from the model's own chances
        assert found.judged_on == "UNWORKED"
        shadow = opened.recorded.open(facts.ranking_id).facts.shadow[0]
        assert (found.money.dropped_count, found.money.added_count) == (shadow.dropped_count, shadow.added_count)
        assert found.money.gain_bounds_minor[0] <= found.money.gain_bounds_minor[1]
        assert all(check.holds for check in opened.evidence.verification.verify_log().checks)
        record = opened.ledger.outcomes.last(OutcomeKind.MONITOR, facts.ranking_id)
        assert MonitorFacts.of(record).challengers["outcome/shadow"] == found
        # Before challengers made lists a record held the figure alone.
        older = replace(record, payload=json.dumps({**record.facts, "challengers": {"outcome/shadow": list(found.loss_nano)}}))
        held = MonitorFacts.of(older).challengers["outcome/shadow"]
        assert (held.loss, held.money) == (found.loss, None)


def test_a_ranking_whose_server_ended_before_it_was_judged_is_judged_by_the_next_call(workspace):
    ranking_id = tell(workspace, 1)
    workspace.monitors.maturities.mature(ranking_id, TERMS)
    assert workspace.monitors.all() == []
    workspace.monitors.mature([], TERMS)
    assert ranking_id in {one.ranking_id for one in workspace.monitors.all()}


def test_a_server_that_starts_again_shows_the_last_monitor_to_prometheus(workspace):
    observed(workspace, 1)
    metrics = ServerMetrics()
    all_services(workspace, metrics=metrics)
    labels = {"model_version": "outcome/credit-card-4", "dimension": "all", "value": "", "outcome": "default"}
    cell = workspace.monitors.last().cell("all", "", "default")
    for name, value in (("predicted", cell.predicted), ("realised", cell.realised.value), ("alarm", float(cell.alarm))):
        assert metrics.registry.get_sample_value(f"collections_opt_monitor_{name}", labels) == pytest.approx(value)


def same(one, other):
    """Return whether facts are alike up to what a record rounds, no figure being like no figure."""
    for cell, twin in zip(one.cells, other.cells, strict=True):
        for each in fields(cell):
            held, told = getattr(cell, each.name), getattr(twin, each.name)
            if isinstance(held, Figure):
                held, told = (held.value, held.low, held.high), (told.value, told.low, told.high)
            if isinstance(held, (float, tuple)):
                np.testing.assert_allclose(held, told, atol=1e-9)
            else:
                assert held == told
    return one.captured.keys() == other.captured.keys()
