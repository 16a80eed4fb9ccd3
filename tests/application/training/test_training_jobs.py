"""Training from matured rankings as a job: a draft at the end, none when it is stopped, and a reason when it fails."""

import shutil
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.application.rankings.jobs import State
from collections_opt.application.training.jobs import TrainingJobs, training_name
from collections_opt.application.training.kept import KeptTraining, KeptTrainings
from collections_opt.application.training.learners import TrainingRequest
from collections_opt.application.training.matured import contact_log, matured_rankings, outcome_data, outcome_periods
from collections_opt.application.training.recalibration import recalibrate
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.models.lifecycle import ModelKind, ModelState
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.scorer import Scorer
from tests.support.day.day_worlds import MODELS, Clock
from tests.support.day.matured_months import COUNT, LATE, TERMS, month, ranked, save_desk, tell


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Yield a workspace with a small desk and three matured months, and models of its own."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(MODELS, folder / "models")
    with closing(open_workspace(Path(folder), folder / "models", Clock(LATE))) as opened:
        save_desk(opened, agents=4.0)
        for number in (1, 2, 3):
            ranked(opened, number, month(number))
            tell(opened, number, lambda default: 2.0 * default + 0.02, left=0.05)
        opened.monitors.mature([], TERMS)
        yield opened


@pytest.fixture(scope="module")
def matured(workspace):
    return matured_rankings(workspace, ())


def ended(jobs, training):
    for _ in jobs._jobs.watch(training.training_id, 300.0):
        pass
    return jobs.get(training.training_id)


def request_id():
    return str(uuid.uuid4())


def test_worked_accounts_are_left_out_and_those_that_left_sight_are_stood_for(matured):
    data = outcome_data(matured)
    assert [period.name for period in data.periods] == ["2026-01-05", "2026-02-04"]
    later, one = data.later, matured[-1]
    worked = one.opened.entries.queue != UNASSIGNED
    assert later.outcome.size == int((~worked & ~one.found.is_censored).sum())
    assert later.left_out["SOLD"] == int(one.found.is_censored.sum())
    assert later.left_out["CONTACTED"] == int((worked & ~one.found.is_censored).sum())
    assert later.weight.mean() == pytest.approx(1.0)
    assert set(later.method) == {"censored", "contact"}
    arm = np.where(np.arange(worked.size) % 3 == 0, Arm.OTHER_PLAN, Arm.CONTACT).astype(np.uint8)
    entries = replace(one.opened.entries, arm=arm)
    apart = replace(one, opened=SimpleNamespace(entries=entries, portfolio=one.opened.portfolio))
    (period,) = outcome_periods([apart])
    assert period.outcome.size == int((~worked & ~one.found.is_censored & (arm == Arm.CONTACT)).sum())


def test_a_log_has_the_chances_of_an_experiment_and_no_other(matured):
    one = matured[0]
    rows = np.arange(COUNT)
    intended = np.where(rows % 2, 0, -1).astype(np.int16)
    arm = np.where(rows % 4 == 1, Arm.HELD_OUT, np.where(rows % 4 == 3, Arm.CONTACT, Arm.NONE)).astype(np.uint8)
    queue = np.where(arm == Arm.CONTACT, 0, np.where(rows % 8 == 0, 0, UNASSIGNED)).astype(np.int16)
    taken = np.where(arm == Arm.HELD_OUT, 200_000_000, np.where(arm == Arm.CONTACT, 800_000_000, 1_000_000_000))
    entries = replace(
        one.opened.entries,
        queue=queue,
        arm=arm,
        experiment=(arm > 0).astype(np.uint8),
        intended_queue=intended,
        propensity_nano=taken.astype(np.int64),
    )
    contacts = np.where(queue == 0, 1, 0).astype(np.int32)
    found = replace(one.found, contacts=contacts, reached=contacts.astype(np.uint8), outcome=np.minimum(one.found.outcome, 2))
    designs = [SimpleNamespace(design=SimpleNamespace(arm=ArmKind.HOLDOUT))]
    facts = SimpleNamespace(inputs=SimpleNamespace(experiments=designs))
    one_more = replace(one, opened=SimpleNamespace(entries=entries, plan=one.opened.plan, facts=facts), found=found)
    fresh = rows < COUNT // 2
    made = contact_log(one_more, one.opened.plan, fresh)
    assert made.row_count == COUNT
    assert (made.randomised == (fresh & (arm != Arm.NONE))).all()
    assert not contact_log(one_more, one.opened.plan, None).randomised.any()
    assert np.allclose(made.propensity[made.randomised], 0.8)
    assert (made.contacted == (queue == 0)).all()
    assert not made.right_party[arm == Arm.HELD_OUT].any()
    assert (made.queue[arm == Arm.HELD_OUT] == 0).all()
    designs[0].design.arm = ArmKind.RANDOM_QUEUE  # whether somebody is contacted does not follow from a drawn queue
    assert not contact_log(one_more, one.opened.plan, fresh).randomised.any()
    designs[0].design.arm = ArmKind.TWO_PLANS  # nor from a drawn plan; and whom the other plan works was not left alone
    apart = replace(entries, arm=np.where(arm == Arm.HELD_OUT, int(Arm.OTHER_PLAN), arm).astype(np.uint8))
    shared = replace(one_more, opened=SimpleNamespace(entries=apart, plan=one.opened.plan, facts=facts))
    log = contact_log(shared, one.opened.plan, fresh)
    assert not log.randomised.any()
    assert np.isin(apart.account_id[apart.of_other_plan], log.account_id).sum() == 0
    assert log.row_count == int((~apart.of_other_plan).sum())
    gone = contact_log(one, one.opened.plan, None)
    assert gone.row_count == int((~one.found.is_censored).sum())
    assert np.isin(gone.outcome, (Outcome.CURED, Outcome.DEFAULTED, Outcome.STAYED)).all()


def test_a_training_ends_in_a_draft_and_the_same_request_joins_it(workspace):
    jobs = TrainingJobs(workspace, workspace.now)
    asked, request = request_id(), TrainingRequest(ModelKind.OUTCOME, "months-1")
    first = jobs.start(asked, request)
    assert jobs.start(asked, request).training_id == first.training_id
    with pytest.raises(CollectionsError) as caught:
        jobs.start(asked, replace(request, version="months-2"))
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    done = ended(jobs, first)
    assert done.status.state is State.SUCCEEDED, done.status.error
    view = workspace.models.model(ModelKind.OUTCOME, "months-1")
    assert view.standing.state is ModelState.DRAFT
    assert view.manifest.training["judged_on"] == "2026-03-06"
    assert jobs.start(asked, request).status.state is State.SUCCEEDED


def test_a_training_that_is_stopped_leaves_no_draft(workspace):
    jobs = TrainingJobs(workspace, workspace.now)
    running = jobs.start(request_id(), TrainingRequest(ModelKind.OUTCOME, "months-3"))
    stopped = jobs.start(request_id(), TrainingRequest(ModelKind.OUTCOME, "months-4"))
    for one in (stopped, running):
        jobs.stop(one.training_id)
    assert [ended(jobs, one).status.state for one in (running, stopped)] == [State.ABANDONED] * 2
    assert not {view.manifest.version for view in workspace.models.models(ModelKind.OUTCOME, "")} & {"months-3", "months-4"}


def test_what_became_of_a_training_outlives_its_server(workspace):
    first = TrainingJobs(workspace, workspace.now)
    asked = (request_id(), TrainingRequest(ModelKind.OUTCOME, "months-7"))
    done = ended(first, first.start(*asked))
    stopped = first.start(request_id(), TrainingRequest(ModelKind.OUTCOME, "months-8"))
    first.stop(stopped.training_id)
    ended(first, stopped)
    second = TrainingJobs(workspace, workspace.now)
    states = {one.request.version: one.status.state for one in second.all()}
    assert (states["months-7"], states["months-8"]) == (State.SUCCEEDED, State.ABANDONED)
    assert second.start(*asked).status.state is State.SUCCEEDED
    with pytest.raises(CollectionsError) as caught:
        second.start(asked[0], replace(asked[1], seed=9))
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert second.get(done.training_id).started_at == done.started_at


@pytest.mark.parametrize(("version", "state"), [("months-9", State.FAILED), ("credit-card-4", State.SUCCEEDED)])
def test_a_training_whose_server_died_has_failed_unless_its_draft_is_there(workspace, version, state):
    jobs = TrainingJobs(workspace, workspace.now)
    kept = KeptTrainings(workspace.models.root, workspace.ledger.workers.is_alive, workspace.now)
    name = training_name(request_id())
    started = "2000-01-01T00:00:00+00:00"
    kept.keep(KeptTraining(name, "outcome", version, (), "", 1, "a-server-that-died", started, "RUNNING"))
    found = jobs.get(name)
    assert found.status.state is state
    assert bool(found.status.error) is (state is State.FAILED)


def test_what_cannot_be_learned_says_why(workspace):
    jobs = TrainingJobs(workspace, workspace.now)
    with pytest.raises(CollectionsError) as caught:
        jobs.get("tr-none")
    assert caught.value.reason is Reason.NOT_FOUND
    few = matured_rankings(workspace, ())[:2]
    asked = TrainingRequest(ModelKind.CONTACT, "months-6", tuple(one.ranking_id for one in few))
    failed = ended(jobs, jobs.start(request_id(), asked))
    assert failed.status.state is State.FAILED
    assert "2 matured ranking(s)" in failed.status.error.message


def test_a_first_matured_ranking_brings_the_champion_to_the_lenders_level(workspace, matured):
    made = recalibrate(workspace, matured[:1], "level-1", LATE)
    assert made.loss_after < made.loss_before - 0.02  # defaults were planted at twice the odds and more
    artifact = load_artifact(workspace.models.root, "level-1")
    period = outcome_periods(matured[:1])[0]
    found = Scorer(artifact).score(period.portfolio).probability.mean(axis=0)
    rates = np.average(np.eye(3)[period.outcome], axis=0, weights=period.weight)
    assert np.allclose(found, rates, atol=0.01)
    trained = artifact.manifest.training
    assert trained["recalibrated"] == f"outcome/{workspace.models.standing(ModelKind.OUTCOME).champion}"
    assert trained["periods"] == ["2026-01-05"]
    assert f"{made.loss_after:.5f}" in artifact.card
    assert workspace.models.model(ModelKind.OUTCOME, "level-1").standing.state is ModelState.DRAFT
    judged = recalibrate(workspace, matured[:2], "level-2", LATE)
    assert judged.loss_after < judged.loss_before


def test_fewer_than_three_matured_rankings_recalibrate_as_a_job(workspace, matured):
    jobs = TrainingJobs(workspace, workspace.now)
    asked = TrainingRequest(ModelKind.OUTCOME, "level-3", tuple(one.ranking_id for one in matured[:2]))
    done = ended(jobs, jobs.start(request_id(), asked))
    assert done.status.state is State.SUCCEEDED, done.status.error
    manifest = workspace.models.model(ModelKind.OUTCOME, "level-3").manifest
    assert manifest.training["periods"] == [str(one.day) for one in matured[:2]]
    assert manifest.metrics["log_loss"] < 1.1
