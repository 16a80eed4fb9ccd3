"""Learned effects through a whole ranking: approved, pinned, recorded with their evidence, explained, replayed and refused."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.models.effect_serving import recorded_effects
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.errors import CollectionsError
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.scoring.effect.artifacts import (
    EFFECT_KIND,
    effect_card,
    effect_text,
    engine_of,
    load_effect,
    parse_effect,
    write_effect,
)
from collections_opt.scoring.effect.segments import Segments
from collections_opt.scoring.versions.artifacts import Manifest
from tests.support.books.bundled_portfolio import import_bundled
from tests.support.models.residuals import residual_model
from tests.support.models.served import approve, effect_model
from tests.support.models.served import write_effects as write

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REQUEST = "5b0a6f7e-8b1d-4f53-9d2e-0c7f3b6a1e0{}"


@pytest.fixture
def models(tmp_path):
    return Path(shutil.copytree(Path(__file__).parents[3] / "models", tmp_path / "models"))


@pytest.fixture
def workspace(tmp_path, models):
    opened = open_workspace(tmp_path / "data", models, lambda: NOW)
    yield opened
    opened.close()


def ranked(workspace, number):
    portfolio = import_bundled(workspace)
    command = RankingCommand(
        REQUEST.format(number),
        portfolio.portfolio_id,
        bundled_plan().plan_id,
        None,
        Ordering.EXPECTED_VALUE,
        bundled_parameters(),
    )
    return workspace.rank(command, lambda _: None)


def test_the_plan_stands_until_a_model_is_approved_and_the_money_rests_on_it(workspace):
    held = ranked(workspace, 1).record
    assert held["effects_version"].startswith("plan/")
    assert held["evidence_minor"] == {"EXPERIMENT": 0, "OBSERVATIONAL": 0, "ASSUMED": held["objective_minor"]}


def test_an_approved_model_decides_is_recorded_explained_and_replayed(workspace, models):
    before = ranked(workspace, 1)
    write(models, effect_model())
    approve(workspace, models, "calls-1")
    after = ranked(workspace, 2)
    held = after.record
    assert held["effects_version"].startswith("effect/calls-1")
    assert held["effects_problem"] == ""
    assert held["evidence_minor"]["EXPERIMENT"] > 0
    assert sum(held["evidence_minor"].values()) == held["objective_minor"]
    assert held["evidence_by_queue"][0] == "EXPERIMENT"
    assert before.record["entries_digest"] != held["entries_digest"]
    entries = workspace.recorded.entries(after)
    row = int((entries.queue == 0).argmax())
    shown = workspace.explanations.explain(after.ranking_id, entries.account_id[row].decode())
    assert shown.queues[0].increment_minor == entries.increment_minor[row]
    replay = workspace.evidence.replays.replay(after.ranking_id)
    assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay.detail
    (models / EFFECT_KIND / "calls-1" / "effect.json").unlink()
    kept = workspace.evidence.replays.replay(after.ranking_id)
    assert kept.outcome is ReplayOutcome.BIT_IDENTICAL, kept.detail


def test_effects_learned_by_residuals_decide_are_recorded_with_their_interval_and_replayed(workspace, models):
    model = residual_model()
    manifest = Manifest(
        EFFECT_KIND, model.version, FEATURE_SET_VERSION, FEATURE_NAMES, "", {}, {}, {}, NOW.isoformat(), engine_of(model)
    )
    write_effect(models, manifest, model, effect_card(model, "a test"))
    approve(workspace, models, model.version)
    made = ranked(workspace, 4)
    held = made.record
    assert held["effects_version"].startswith("effect/residual-1")
    assert held["evidence_by_queue"][0] == "EXPERIMENT"
    assert held["evidence_minor"]["EXPERIMENT"] > 0
    entries = workspace.recorded.entries(made)
    row = int((entries.queue == 0).argmax())
    shown = workspace.explanations.explain(made.ranking_id, entries.account_id[row].decode())
    assert shown.queues[0].increment_minor == entries.increment_minor[row]
    (models / EFFECT_KIND / model.version / "effect.json").unlink()
    kept = workspace.evidence.replays.replay(made.ranking_id)
    assert kept.outcome is ReplayOutcome.BIT_IDENTICAL, kept.detail


def test_a_model_that_cannot_serve_leaves_the_plans_effects_and_says_so(workspace, models):
    write(models, effect_model())
    approve(workspace, models, "calls-1")
    path = models / EFFECT_KIND / "calls-1" / "effect.json"
    path.write_text(path.read_text().replace("0.9", "1.9"))
    held = ranked(workspace, 3).record
    assert held["effects_version"].startswith("plan/")
    assert "calls-1" in held["effects_problem"]
    assert "differs" in held["effects_problem"]


def test_recorded_effects_are_the_plans_where_none_were_kept(workspace):
    assert recorded_effects(workspace.ledger.objects, {}).__name__ == "PlannedEffects"


def test_an_artifact_returns_the_model_and_refuses_changes(tmp_path):
    model = effect_model()
    write(tmp_path, model)
    write(tmp_path, model)
    assert load_effect(tmp_path, "calls-1").model == model
    assert "| early-calls | EXPERIMENT | 2,000 |" in load_effect(tmp_path, "calls-1").card
    with pytest.raises(CollectionsError, match="other bytes"):
        write(tmp_path, effect_model(theta=0.5))
    with pytest.raises(CollectionsError, match="unknown"):
        load_effect(tmp_path, "calls-2")
    (tmp_path / EFFECT_KIND / "calls-1" / "CARD.md").write_text("another card")
    with pytest.raises(CollectionsError, match=r"CARD\.md"):
        load_effect(tmp_path, "calls-1")


def test_a_protected_segment_is_refused_when_written_and_when_read(tmp_path):
    model = replace(effect_model(), segments=Segments(("age",), (0.0,), (1.0,)))
    with pytest.raises(CollectionsError, match="protected"):
        write(tmp_path, model)
    with pytest.raises(CollectionsError, match="protected"):
        parse_effect(effect_text(model))
    with pytest.raises(CollectionsError, match="not an effect model"):
        parse_effect("{}")
    broken = replace(effect_model(), queues=(replace(effect_model().queues[0], rate=(0.0,)),))
    with pytest.raises(CollectionsError, match="other segments"):
        parse_effect(effect_text(broken))
