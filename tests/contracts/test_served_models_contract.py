"""What holds of every kind of model that serves a ranking, be it of outcomes, effects, contacts or recoveries."""

import json
import re
import shutil
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.training import learners
from collections_opt.application.training.learners import LEARNERS
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.lifecycle import ModelAction, ModelEvent, ModelKind
from collections_opt.service.converters.recorded_rankings import write_inputs
from tests.support.books.evidence_worlds import NOW, ranked
from tests.support.engines.far import FarEngine
from tests.support.models.archives import files_of, signed_again
from tests.support.models.served import SERVED_KINDS, world_of_models

FIRST, SECOND = 0, 1


@pytest.fixture(params=SERVED_KINDS)
def served(request):
    return SERVED_KINDS[request.param]


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def world(tmp_path, clock):
    with world_of_models(tmp_path, clock) as made:
        yield made


@pytest.fixture(scope="module", params=SERVED_KINDS)
def archived(request, tmp_path_factory):
    """Return a kind, a workspace and a ranking that a model of the kind decided."""
    served = SERVED_KINDS[request.param]
    with world_of_models(tmp_path_factory.mktemp(request.param), [NOW]) as (workspace, models):
        served.write(models, FIRST, 0.0)
        served.approve(workspace, models, FIRST)
        yield served, workspace, ranked(workspace, seed=1)


def name_of(served, place):
    return f"{served.kind.value}/{served.versions[place]}"


def test_every_kind_that_serves_is_here():
    lacking = {kind.value for kind in ModelKind} - set(SERVED_KINDS)
    assert not lacking, f"say how {sorted(lacking)} is written and recorded: SERVED_KINDS in tests/support/models/served.py"


def test_the_service_learns_every_kind():
    lacking = [kind.value for kind in ModelKind if kind not in LEARNERS]
    assert not lacking, f"say how the service learns {lacking}: a line of LEARNERS in application/training/learners.py"


def test_a_kind_that_nothing_is_learned_of_is_refused_before_a_training_starts(monkeypatch):
    monkeypatch.setattr(learners, "LEARNERS", {ModelKind.OUTCOME: LEARNERS[ModelKind.OUTCOME]})
    with pytest.raises(CollectionsError, match=r"kind: models of kind effect are not learned.*Ask for one of outcome"):
        learners.learner_of(ModelKind.EFFECT)


def test_it_serves_once_approved_and_rankings_stay_replayable_when_it_is_gone(world, served):
    workspace, models = world
    folder = served.write(models, FIRST, 0.0)
    before = ranked(workspace, seed=1)
    assert (served.named(before.record), served.problem(before.record)) == (served.stands, "")
    served.approve(workspace, models, FIRST)
    after = ranked(workspace, seed=2)
    assert (served.named(after.record), served.problem(after.record)) == (name_of(served, FIRST), "")
    assert before.record["entries_digest"] != after.record["entries_digest"]
    entries = workspace.recorded.entries(after)
    row = int((entries.queue == 0).argmax())
    shown = workspace.explanations.explain(after.ranking_id, entries.account_id[row].decode())
    assert shown.queues[0].increment_minor == entries.increment_minor[row]
    served.write(models, SECOND, 0.0)
    served.approve(workspace, models, SECOND)
    shutil.rmtree(folder)
    for made in (before, after):
        replay = workspace.evidence.replays.replay(made.ranking_id)
        assert replay.outcome is ReplayOutcome.BIT_IDENTICAL, replay.detail
        verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
        assert all(check.holds for check in verdict.checks), verdict
    assert served.named(ranked(workspace, seed=3).record) == name_of(served, SECOND)


def test_it_serves_alike_where_an_engine_takes_it_to_other_processes(archived):
    _, workspace, _ = archived
    engine = workspace.rankings.engine = FarEngine()
    there = ranked(workspace, seed=1, solver="pricing")
    workspace.rankings.engine = None
    assert engine.used == 1
    assert there.record["entries_digest"] == ranked(workspace, seed=2, solver="pricing").record["entries_digest"]


def test_one_that_cannot_serve_leaves_what_stood_before_and_says_so(world, served, clock):
    workspace, models = world
    folder = served.write(models, FIRST, 0.0)
    served.approve(workspace, models, FIRST)

    def told(seed):
        workspace.serving.forget()
        held = ranked(workspace, seed=seed).record
        assert served.named(held) == served.stands
        return served.problem(held)

    clock[0] = NOW + timedelta(days=31)
    assert "expired" in told(1)
    clock[0] = NOW
    changed = next(path for path in sorted(folder.iterdir()) if path.name not in ("manifest.json", "CARD.md"))
    changed.write_bytes(changed.read_bytes() + b" ")
    assert "differs" in told(2)
    shutil.rmtree(folder)
    served.write(models, FIRST, 0.1)
    assert re.search("not the (artifact|one) approved", told(3))


def promoted(workspace, served, place):
    """Make a challenger the champion."""
    version = served.versions[place]
    digest = workspace.ledger.model_events.standing(served.kind).of(version).digest
    workspace.ledger.model_events.add([ModelEvent(served.kind, version, digest, ModelAction.PROMOTE, "d", NOW)])


def test_a_challenger_decides_nothing_and_its_list_is_the_one_that_it_makes_when_it_decides(world, served):
    workspace, models = world
    served.write(models, FIRST, 0.0)
    served.approve(workspace, models, FIRST)
    alone = ranked(workspace, seed=7)
    served.write(models, SECOND, 0.0)
    served.approve(workspace, models, SECOND, ModelAction.CHALLENGE)
    beside = ranked(workspace, seed=8)
    (shadow,) = beside.record["shadow"]
    assert (shadow["model_version"], shadow["problem"]) == (name_of(served, SECOND), "")
    told = workspace.recorded.opened(beside).challengers[name_of(served, SECOND)]
    mine = workspace.recorded.entries(beside)
    assert (workspace.recorded.entries(alone).queue == mine.queue).all()
    promoted(workspace, served, SECOND)
    theirs = workspace.recorded.entries(ranked(workspace, seed=9))
    assert (told["queue"] == theirs.queue).all()
    worked = theirs.queue >= 0
    assert (told["increment_minor"] == np.where(worked, theirs.increment_minor, 0)).all()
    same = worked & (theirs.queue == mine.queue)
    assert (told["here_minor"][same] == theirs.increment_minor[same]).all()
    assert (told["increment_minor"] != np.where(mine.queue >= 0, mine.increment_minor, 0)).any()
    assert shadow["same_count"] == int(same.sum())
    assert shadow["worked_count"] == shadow["same_count"] + shadow["added_count"] + shadow["moved_count"] == int(worked.sum())
    if not served.changes_times:
        # Nobody's list is better by his own lights than the best one that fits, but for what the solver leaves.
        left = beside.record["bound_minor"] - beside.record["objective_minor"]
        assert shadow["gain_by_model_minor"] <= left
        assert shadow["gain_by_challenger_minor"] >= -left
    assert all(check.holds for check in workspace.evidence.verification.verify_ranking(beside.ranking_id).checks)
    assert workspace.evidence.replays.replay(beside.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    workspace.evidence.erasures.erase([told["account_id"][0].decode()], ErasureRequest("asked for"))
    left = workspace.recorded.opened(beside).challengers[name_of(served, SECOND)]
    assert left["account_id"].tolist() == told["account_id"][1:].tolist()


def test_a_challenger_that_cannot_be_tried_says_so_and_fails_no_ranking(world, served):
    workspace, models = world
    folder = served.write(models, SECOND, 0.0)
    served.approve(workspace, models, SECOND, ModelAction.CHALLENGE)
    shutil.rmtree(folder)
    (shadow,) = ranked(workspace, seed=1).record["shadow"]
    assert shadow["model_version"] == name_of(served, SECOND)
    assert shadow["problem"]
    assert "list_object" not in shadow


def test_callers_are_told_which_served(archived):
    served, workspace, made = archived
    shown = write_inputs(workspace.recorded.opened(made).facts)
    versions = {ModelKind.OUTCOME.value: shown.model_version} | {one.kind: one.version for one in shown.models_beside}
    assert set(versions) == set(SERVED_KINDS)
    assert name_of(served, FIRST) in versions[served.kind.value].split(" over ")


def test_the_archive_holds_it_with_its_approvals(archived):
    served, workspace, made = archived
    proofs = workspace.evidence.proofs
    archive = workspace.evidence.archive(made)
    report = " ".join(verify_evidence.check_archive(archive, proofs.vkey))
    assert f"The {served.kind.value} model is {name_of(served, FIRST)}, with the manifest recorded." in report
    files = files_of(archive)
    approved = {act["version"] for act in json.loads(files["approvals.json"])["acts"] if act["kind"] == served.kind.value}
    assert approved == {served.versions[FIRST]}


@pytest.mark.parametrize("part", ["manifest", "model"])
def test_an_archive_with_another_one_or_none_is_refused(archived, part):
    served, workspace, made = archived
    proofs = workspace.evidence.proofs
    files = files_of(workspace.evidence.archive(made))
    name = f"{served.kind.value}_{part}.json"
    if served.kind is ModelKind.OUTCOME and part == "model":
        assert name not in files, "it has grown a model: check it as those of the others"
        return
    for forged in ({**files, name: files[name] + b" "}, {key: raw for key, raw in files.items() if key != name}):
        with pytest.raises(verify_evidence.Refused):
            verify_evidence.check_archive(signed_again(workspace, made.ranking_id, forged), proofs.vkey)
