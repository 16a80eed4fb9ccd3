"""A contact model through a whole ranking: approved, pinned, recorded, explained, verified, replayed; refused when changed."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.evaluation.effect import unseen_served
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.contact.artifacts import CONTACT_KIND
from tests.support.books.evidence_worlds import MODELS, NOW, PLAN, book, opened, ranked
from tests.support.models.archives import files_of, signed_again
from tests.support.models.served import approve, contact_model, effect_model, write_effects
from tests.support.models.served import write_contacts as write


@pytest.fixture
def models(tmp_path):
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def workspace(tmp_path, models, clock):
    made = opened(tmp_path / "data", models=models, now=lambda: clock[0])
    made.books.import_portfolio("p1", book(400))
    yield made
    made.close()


def test_it_serves_only_once_approved_and_its_ranking_stays_replayable(workspace, models):
    write(models, contact_model())
    before = ranked(workspace, seed=1)
    assert before.record["contact_version"] == before.record["contact_digest"] == before.record["contact_problem"] == ""
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    after = ranked(workspace, seed=2)
    held = after.record
    assert held["contact_version"] == "contact/reach-1"
    assert held["effects_version"].startswith("contact/reach-1 over plan/")
    assert held["contact_problem"] == held["effects_digest"] == ""
    assert before.record["entries_digest"] != held["entries_digest"]
    entries = workspace.recorded.entries(after)
    row = int((entries.queue == 0).argmax())
    shown = workspace.explanations.explain(after.ranking_id, entries.account_id[row].decode())
    assert shown.queues[0].increment_minor == entries.increment_minor[row]
    write(models, contact_model("reach-2", -0.8))
    approve(workspace, models, "reach-2", ModelKind.CONTACT)
    shutil.rmtree(models / CONTACT_KIND / "reach-1")
    for made in (before, after):
        replay = workspace.evidence.replays.replay(made.ranking_id)
        assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay.detail
        verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
        assert all(check.holds for check in verdict.checks), verdict


def test_handling_minutes_follow_the_account(workspace, models):
    """Talk time is spent on the accounts that are reached: more of them are reached, fewer fit."""
    write(models, contact_model(push=2.0))
    before = workspace.recorded.entries(ranked(workspace, seed=1))
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    after = workspace.recorded.entries(ranked(workspace, seed=2))
    assert len(set(before.seconds[before.queue == 0].tolist())) == 1
    assert len(set(after.seconds[after.queue == 0].tolist())) > 10


def test_effects_and_contacts_serve_together(workspace, models):
    learned = replace(effect_model().queues[0], queue_id="calls")
    write_effects(models, replace(effect_model(), queues=(learned,)))
    approve(workspace, models, "calls-1")
    write(models, contact_model())
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    made = ranked(workspace, seed=1)
    assert made.record["effects_version"].startswith("contact/reach-1 over effect/calls-1 over plan/")
    assert made.record["evidence_by_queue"][0] == "EXPERIMENT"
    proofs = workspace.evidence.proofs
    files = files_of(proofs.archive(made))
    assert verify_evidence.sha256(files["contact_model.json"]).hex() == made.record["contact_object"]
    report = " ".join(verify_evidence.check_archive(signed_again(workspace, made.ranking_id, files), proofs.vkey))
    for name in ("contact model is contact/reach-1", "effect model is effect/calls-1"):
        assert f"The {name}, with the manifest recorded." in report
    for name in ("contact_model.json", "effect_model.json", "contact_manifest.json"):
        for changed in ({**files, name: files[name] + b" "}, {key: raw for key, raw in files.items() if key != name}):
            with pytest.raises(verify_evidence.Refused):
                verify_evidence.check_archive(signed_again(workspace, made.ranking_id, changed), proofs.vkey)
    replay = workspace.evidence.replays.replay(made.ranking_id)
    assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay.detail


def test_orders_are_judged_with_exactly_what_serves_and_never_on_what_it_learned_from(workspace, models):
    learned = replace(effect_model().queues[0], queue_id="calls")
    write_effects(models, replace(effect_model(), queues=(learned,)))
    approve(workspace, models, "calls-1")
    write(models, contact_model(), portfolios=["p0"])
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    served = workspace.serving.effects.pin("p1")
    accounts = workspace.recorded.portfolio("p1")
    rows, chances = slice(0, accounts.account_count), np.full((accounts.account_count, 3), 1 / 3)
    judged = unseen_served(served, "p1")(accounts, PLAN)
    assert judged.version.startswith("contact/reach-1 over effect/calls-1 over plan/")
    rates = judged.block(rows, 0, chances).rpc_rate
    assert np.array_equal(rates, served.effects_of(accounts, PLAN).block(rows, 0, chances).rpc_rate)
    assert not np.array_equal(rates, served.artifact.model.effects_of(accounts, PLAN).block(rows, 0, chances).rpc_rate)
    with pytest.raises(CollectionsError, match="contact/reach-1 was learned from p0"):
        unseen_served(served, "p0")
    effect = replace(served.artifact.manifest, training={"portfolios": ["p2"]})
    with pytest.raises(CollectionsError, match="effect/calls-1 was learned from p2"):
        unseen_served(replace(served, artifact=replace(served.artifact, manifest=effect)), "p2")


def test_one_that_cannot_serve_leaves_the_plans_rate_and_says_so(workspace, models, clock):
    folder = write(models, contact_model())
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    clock[0] = NOW + timedelta(days=31)
    expired = ranked(workspace, seed=1).record
    assert expired["effects_version"].startswith("plan/")
    assert "expired" in expired["contact_problem"]
    clock[0] = NOW
    path = folder / "contact.json"
    path.write_text(path.read_text().replace("-0.9", "0.9"))
    changed = ranked(workspace, seed=2).record
    assert changed["effects_version"].startswith("plan/")
    assert "contact/reach-1" in changed["contact_problem"]
    assert "differs" in changed["contact_problem"]


def test_another_model_with_an_approved_name_does_not_serve(workspace, models):
    folder = write(models, contact_model())
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    shutil.rmtree(folder)
    channel = replace(contact_model().channels[0], calibration_intercept=1.0)
    write(models, replace(contact_model(), channels=(channel,)))
    held = ranked(workspace, seed=1).record
    assert held["effects_version"].startswith("plan/")
    assert "not the artifact approved" in held["contact_problem"]
