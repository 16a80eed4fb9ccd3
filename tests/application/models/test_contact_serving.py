"""What a contact model alone does to a ranking; what holds of every kind is in tests/contracts."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evaluation.effect import unseen_served
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.models.pinned import Pinned
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.lifecycle import ModelKind
from tests.support.books.evidence_worlds import PLAN, ranked
from tests.support.models.archives import files_of, signed_again
from tests.support.models.served import approve, contact_model, effect_model, write_effects
from tests.support.models.served import write_contacts as write


def test_handling_minutes_follow_the_account(workspace, models):
    """Talk time is spent on the accounts that are reached: more of them are reached, fewer fit."""
    write(models, contact_model(push=2.0))
    before = workspace.recorded.entries(ranked(workspace, seed=1))
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    after = workspace.recorded.entries(ranked(workspace, seed=2))
    assert len(set(before.seconds[before.queue == 0].tolist())) == 1
    assert len(set(after.seconds[after.queue == 0].tolist())) > 10


def test_effects_and_contacts_serve_together(workspace, models):
    write_effects(models, effect_model())
    approve(workspace, models, "calls-1")
    write(models, contact_model())
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    made = ranked(workspace, seed=1)
    assert made.record["effects_version"].startswith("contact/reach-1 over effect/calls-1 over plan/")
    assert made.record["evidence_by_queue"][0] == "EXPERIMENT"
    proofs = workspace.evidence.proofs
    files = files_of(workspace.evidence.archive(made))
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
    write_effects(models, effect_model())
    approve(workspace, models, "calls-1")
    write(models, contact_model(), portfolios=["p0"])
    approve(workspace, models, "reach-1", ModelKind.CONTACT)
    served = workspace.serving.beside.pin("p1")
    accounts = workspace.recorded.portfolio("p1")
    rows, chances = slice(0, accounts.account_count), np.full((accounts.account_count, 3), 1 / 3)
    judged = unseen_served(served, "p1")(accounts, PLAN)
    assert judged.version.startswith("contact/reach-1 over effect/calls-1 over plan/")
    rates = judged.block(rows, 0, chances).rpc_rate
    assert np.array_equal(rates, served.learned.effects_of(accounts, PLAN).block(rows, 0, chances).rpc_rate)
    assert not np.array_equal(rates, served.effect.model.effects_of(accounts, PLAN).block(rows, 0, chances).rpc_rate)
    with pytest.raises(CollectionsError, match="contact/reach-1 was learned from p0"):
        unseen_served(served, "p0")
    artifact = served.effect.artifact
    learned = replace(artifact, manifest=replace(artifact.manifest, training={"portfolios": ["p2"]}))
    with pytest.raises(CollectionsError, match="effect/calls-1 was learned from p2"):
        unseen_served(replace(served, effect=Pinned(learned)), "p2")
