"""A recovery model through a whole ranking: approved, recorded, explained, placed, verified, replayed; refused when changed."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.core.accounts.admission import admit
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.value.losses import LossSource
from collections_opt.core.value.payoffs import payoffs
from collections_opt.scoring.recovery.artifacts import RECOVERY_KIND
from tests.support.books.evidence_worlds import MODELS, NOW, PLAN, book, opened, ranked, values
from tests.support.models.archives import files_of, signed_again
from tests.support.models.served import approve, recovery_model
from tests.support.models.served import write_recoveries as write


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


def check(workspace, made):
    """Replay and verify a ranking."""
    replay = workspace.evidence.replays.replay(made.ranking_id)
    assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay.detail
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict


def test_it_serves_only_once_approved_and_its_ranking_stays_replayable(workspace, models):
    write(models, recovery_model())
    before = ranked(workspace, seed=1)
    assert {name: before.record[f"recovery_{name}"] for name in ("version", "digest", "object", "problem")} == {
        "version": "",
        "digest": "",
        "object": "",
        "problem": "",
    }
    assert before.record["losses_by_source"]["VALUE_PARAMETERS"] == workspace.recorded.portfolio("p1").account_count
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    after = ranked(workspace, seed=2)
    assert after.record["recovery_version"] == "recovery/back-1"
    assert after.record["recovery_problem"] == ""
    assert after.record["losses_by_source"]["RECOVERY_MODEL"] == workspace.recorded.portfolio("p1").account_count
    assert before.record["entries_digest"] != after.record["entries_digest"]
    assert before.record["queue_seconds"] != after.record["queue_seconds"] or before.record["prices"] != after.record["prices"]
    write(models, recovery_model("back-2", -1.0))
    approve(workspace, models, "back-2", ModelKind.RECOVERY)
    shutil.rmtree(models / RECOVERY_KIND / "back-1")
    for made in (before, after):
        check(workspace, made)
    other = ranked(workspace, seed=2, portfolio_id="p1", solver="exact")
    assert other.record["recovery_version"] == "recovery/back-2"


def test_explanation_placement_and_what_if_are_those_of_the_ranking_whatever_serves_now(workspace, models):
    write(models, recovery_model())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    made = ranked(workspace, seed=1)
    write(models, recovery_model("back-2", -1.0))
    approve(workspace, models, "back-2", ModelKind.RECOVERY)
    entries = workspace.recorded.entries(made)
    portfolio = workspace.recorded.portfolio("p1")
    losses = payoffs(portfolio, values(), recovery_model().losses_of)
    for row in np.flatnonzero(entries.queue == 0)[:3].tolist():
        shown = workspace.explanations.explain(made.ranking_id, entries.account_id[row].decode())
        assert shown.queues[0].increment_minor == entries.increment_minor[row]
        assert shown.loss.source is LossSource.RECOVERY_MODEL
        assert shown.loss.given_default == losses.loss_given_default[row]
    placed = workspace.placer.place(made.ranking_id, book(400, bad=0))
    held = np.searchsorted(placed.valued.portfolio.column("account_id"), entries.account_id)
    worked = entries.queue >= 0
    value = placed.valued.problem.value[held[worked], entries.queue[worked]]
    assert value.tolist() == entries.increment_minor[worked].tolist()
    baseline = workspace.baselines.of_ranking(made.ranking_id)
    assert baseline.answer.assignment.objective_minor == made.record["objective_minor"]
    fresh = workspace.baselines.of_portfolio("p1", PLAN.plan_id, 1, values())
    assert not np.array_equal(fresh.answer.problem.value, baseline.answer.problem.value)


def test_scores_take_the_accounts_own_loss_before_the_models(workspace, models):
    write(models, recovery_model())
    raw = book(10, bad=0)
    known = np.arange(10) < 4
    raw = type(raw)(
        raw.as_of_date,
        raw.time_zone,
        raw.currency_code,
        {**raw.columns, "loss_given_default": np.full(10, 0.2)},
        {"loss_given_default": known},
    )
    before = workspace.scores.score(raw, PLAN, values())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    after = workspace.scores.score(raw, PLAN, values())
    assert (before.recovery.version, after.recovery.version) == ("", "recovery/back-1")
    own = after.ranking.worth.loss_source == LossSource.ACCOUNT
    assert own.sum() == 4
    assert (after.ranking.worth.loss_given_default[own] == 0.2).all()
    np.testing.assert_array_equal(before.ranking.worth.default[own], after.ranking.worth.default[own])
    assert (before.ranking.worth.default[~own] != after.ranking.worth.default[~own]).all()
    modelled = recovery_model().losses_of(admit(raw).portfolio)[~own]
    np.testing.assert_allclose(after.ranking.worth.loss_given_default[~own], modelled, atol=1e-9)


def test_one_that_cannot_serve_leaves_the_parameters_loss_and_says_so(workspace, models, clock):
    folder = write(models, recovery_model())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    clock[0] = NOW + timedelta(days=31)
    expired = ranked(workspace, seed=1).record
    assert expired["recovery_version"] == expired["recovery_object"] == ""
    assert "expired" in expired["recovery_problem"]
    assert expired["losses_by_source"]["RECOVERY_MODEL"] == 0
    clock[0] = NOW
    path = folder / "recovery.json"
    path.write_text(path.read_text().replace('"intercept": 0.4', '"intercept": 0.5'))
    changed = ranked(workspace, seed=2).record
    assert changed["recovery_version"] == ""
    assert "differs" in changed["recovery_problem"]
    shutil.rmtree(folder)
    write(models, recovery_model(level=0.9))
    other = ranked(workspace, seed=3).record
    assert "not the artifact approved" in other["recovery_problem"]


def test_the_archive_holds_the_model_and_its_approvals_and_a_changed_one_is_refused(workspace, models):
    write(models, recovery_model())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    made = ranked(workspace, seed=1)
    archive, vkey = workspace.evidence.proofs.archive(made), workspace.evidence.proofs.vkey
    report = " ".join(verify_evidence.check_archive(archive, vkey))
    assert "The recovery model is recovery/back-1, with the manifest recorded." in report
    files = files_of(archive)
    assert {a["version"] for a in json.loads(files["approvals.json"])["acts"] if a["kind"] == "recovery"} == {"back-1"}
    for name, said in (("recovery_model.json", "model.json differs"), ("recovery_manifest.json", "manifest differs")):
        forged = {**files, name: files[name] + b" "}
        with pytest.raises(verify_evidence.Refused, match=said):
            verify_evidence.check_archive(signed_again(workspace, made.ranking_id, forged), vkey)
