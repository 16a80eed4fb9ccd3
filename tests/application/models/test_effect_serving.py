"""What learned effects alone do to a ranking, and their artifacts; what holds of every kind is in tests/contracts."""

from dataclasses import replace

import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.models.pinned import recorded_learned
from collections_opt.application.records.scoring_facts import BesideFacts, ServedModel
from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.errors import CollectionsError
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
from tests.support.books.evidence_worlds import NOW, ranked
from tests.support.models.residuals import residual_model
from tests.support.models.served import approve, effect_model
from tests.support.models.served import write_effects as write


def test_the_money_rests_on_the_plan_until_a_model_is_approved_and_then_on_its_experiment(workspace, models):
    held = ranked(workspace, seed=1).record
    assert held["evidence_minor"] == {"EXPERIMENT": 0, "OBSERVATIONAL": 0, "ASSUMED": held["objective_minor"]}
    write(models, effect_model())
    approve(workspace, models, "calls-1")
    held = ranked(workspace, seed=2).record
    assert held["evidence_minor"]["EXPERIMENT"] > 0
    assert sum(held["evidence_minor"].values()) == held["objective_minor"]
    assert held["evidence_by_queue"] == ["EXPERIMENT", "ASSUMED"]


def test_effects_learned_by_residuals_decide_are_recorded_with_their_interval_and_replayed(workspace, models):
    learned = residual_model()
    model = replace(learned, queues=(replace(learned.queues[0], queue_id="calls"), *learned.queues[1:]))
    manifest = Manifest(
        EFFECT_KIND, model.version, FEATURE_SET_VERSION, FEATURE_NAMES, "", {}, {}, {}, NOW.isoformat(), engine_of(model)
    )
    write_effect(models, manifest, model, effect_card(model, "a test"))
    approve(workspace, models, model.version)
    made = ranked(workspace)
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


def test_recorded_effects_are_the_plans_where_none_were_kept(workspace):
    assert (
        recorded_learned(workspace.ledger.objects, BesideFacts(ServedModel(), ServedModel(), ServedModel())).effects_of.__name__
        == "PlannedEffects"
    )


def test_an_artifact_returns_the_model_and_refuses_changes(tmp_path):
    model = effect_model()
    write(tmp_path, model)
    write(tmp_path, model)
    assert load_effect(tmp_path, "calls-1").model == model
    assert "| calls | EXPERIMENT | 2,000 |" in load_effect(tmp_path, "calls-1").card
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
