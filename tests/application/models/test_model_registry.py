"""The registry: deny by default, bootstrap, promotions that take effect at once and never in the middle of a ranking."""

import shutil
import uuid
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.application.models.registry import ModelCommand
from collections_opt.application.models.registry_policy import ROLE_OF, RegistryPolicy, read_policy, write_policy
from collections_opt.application.rankings import making as rankings_module
from collections_opt.application.training.outcome import bundled_data
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ApprovalMode, LadderStep, ModelAction, ModelKind, ModelState
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.solvers import SOLVERS
from tests.support.books.bundled_portfolio import import_bundled, rank_bundled
from tests.support.models.folders import (
    NOW,
    SHIPPED,
    SHIPPED_VERSION,
    act,
    add_scorecard,
    add_version,
    approve,
    folder_with_people,
)


@pytest.fixture
def models(tmp_path):
    return folder_with_people(tmp_path)


@pytest.fixture
def workspace(tmp_path, models):
    opened = open_workspace(tmp_path / "data", models, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


def refused(reason, call, *args, **changes):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **changes)
    assert caught.value.reason is reason
    return caught.value


def test_the_shipped_model_works_out_of_the_box_and_the_record_says_who_approved_it(tmp_path):
    opened = open_workspace(tmp_path / "data", SHIPPED, lambda: NOW)
    import_bundled(opened)
    record = rank_bundled(opened)
    assert record["model_step"] == LadderStep.CHAMPION
    assert record["degraded"] == []
    assert record["model_approval"]["mode"] == ApprovalMode.BOOTSTRAP
    assert record["model_approval"]["expires_at"] == (NOW + timedelta(days=365)).isoformat()
    assert record["scores_expire_on"] == "2005-09-07"
    assert record["scores_stale"]
    refused(Reason.PERMISSION_DENIED, act, opened, SHIPPED_VERSION, ModelAction.RETIRE)  # nobody has a role as shipped
    count = len(opened.models.events(ModelKind.OUTCOME, "", 0, 100))
    opened.close()
    again = open_workspace(tmp_path / "data", SHIPPED, lambda: NOW)
    assert len(again.models.events(ModelKind.OUTCOME, "", 0, 100)) == count
    again.close()


def test_every_act_needs_a_role_and_nobody_has_one_by_default():
    assert set(ROLE_OF) == set(ModelAction)
    for action in ModelAction:
        with pytest.raises(CollectionsError) as caught:
            RegistryPolicy().require("anybody", action)
        assert caught.value.reason is Reason.PERMISSION_DENIED


def test_a_self_approving_folder_needs_no_second_person_and_says_so(tmp_path, models):
    write_policy(models, replace(read_policy(models), self_approving=True))
    add_version(models, "own")
    opened = open_workspace(tmp_path / "own", models, lambda: NOW)
    import_bundled(opened)
    for action in (ModelAction.SUBMIT, ModelAction.VALIDATE):
        act(opened, "own", action, actor="me")
    act(opened, "own", ModelAction.APPROVE, actor="me", terms=opened.models.model(ModelKind.OUTCOME, "").standing.terms)
    act(opened, "own", ModelAction.PROMOTE, actor="me")
    assert rank_bundled(opened)["model_approval"]["mode"] == ApprovalMode.SELF_APPROVED
    opened.close()


def test_a_promotion_takes_effect_without_a_restart_and_a_rollback_returns(workspace, models):
    add_version(models, "next")
    approve(workspace, "next")
    assert rank_bundled(workspace)["model_version"] == f"outcome/{SHIPPED_VERSION}"
    act(workspace, "next", ModelAction.PROMOTE)
    assert rank_bundled(workspace)["model_version"] == "outcome/next"
    rolled = act(workspace, "", ModelAction.ROLLBACK)
    assert (rolled.manifest.version, rolled.standing.state) == (SHIPPED_VERSION, ModelState.CHAMPION)
    assert rank_bundled(workspace)["model_version"] == f"outcome/{SHIPPED_VERSION}"


def test_a_promotion_never_reaches_a_running_ranking(workspace, models, monkeypatch):
    add_version(models, "next")
    approve(workspace, "next")

    def promote_meanwhile(problem, options, progress=ignore_progress):
        act(workspace, "next", ModelAction.PROMOTE)
        return SOLVERS["greedy"](problem, options, progress)

    monkeypatch.setattr(rankings_module, "SOLVERS", {**SOLVERS, "greedy": promote_meanwhile})
    running = rank_bundled(workspace)
    assert running["model_version"] == f"outcome/{SHIPPED_VERSION}"
    assert running["model_step"] == LadderStep.CHAMPION
    monkeypatch.undo()
    assert rank_bundled(workspace)["model_version"] == "outcome/next"


def test_a_request_sent_again_is_recorded_once_and_validate_only_records_nothing(workspace, models):
    add_version(models, "next")
    command = ModelCommand("sue", ModelAction.SUBMIT, ModelKind.OUTCOME, "next", request_id=str(uuid.uuid4()))
    assert workspace.models.act(command, validate_only=True).standing.state is ModelState.DRAFT
    for _ in range(2):
        assert workspace.models.act(command).standing.state is ModelState.SUBMITTED
    assert len(workspace.models.events(ModelKind.OUTCOME, "next", 0, 10)) == 1
    other = ModelCommand("sue", ModelAction.SUBMIT, ModelKind.OUTCOME, "next", "why", request_id=command.request_id)
    refused(Reason.REQUEST_ID_REUSED, workspace.models.act, other)


def test_acts_on_what_is_not_there_or_by_others_are_refused(workspace, models):
    refused(Reason.NOT_FOUND, act, workspace, "nothing", ModelAction.SUBMIT)
    add_version(models, "next")
    refused(Reason.PERMISSION_DENIED, act, workspace, "next", ModelAction.SUBMIT, actor="ada")
    refused(Reason.INVALID_ARGUMENT, act, workspace, "next", ModelAction.SUBMIT, actor="")
    refused(Reason.INVALID_ARGUMENT, act, workspace, "next", ModelAction.SUBMIT, note="x" * 3_000)
    refused(Reason.MODEL_STATE_CONFLICT, act, workspace, "", ModelAction.ROLLBACK)


def test_shipped_approvals_of_other_bytes_are_refused(tmp_path, models):
    add_version(models, "next")
    shutil.copy(models / "outcome/next/manifest.json", models / f"outcome/{SHIPPED_VERSION}/manifest.json")
    with pytest.raises(CollectionsError) as caught:
        open_workspace(tmp_path / "data", models, lambda: NOW)
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE


def test_people_win_over_declarations(tmp_path, workspace, models):
    add_version(models, "next")
    approve(workspace, "next")
    act(workspace, "next", ModelAction.PROMOTE)
    again = open_workspace(tmp_path / "data", models, lambda: NOW)
    assert again.models.standing(ModelKind.OUTCOME).champion == "next"
    again.close()


def test_challengers_score_in_shadow_and_are_compared_on_the_same_accounts(workspace, models):
    add_version(models, "twin")
    add_scorecard(models, "card")
    add_version(models, "broken")
    for version in ("twin", "card", "broken"):
        approve(workspace, version)
        act(workspace, version, ModelAction.CHALLENGE)
    (models / "outcome/broken/p_cure.txt").write_text("other")
    alone = rank_bundled(workspace, ordering=Ordering.P_CURE)
    shadow = {s["model_version"]: s for s in alone["shadow"]}
    assert alone["model_version"] == f"outcome/{SHIPPED_VERSION}"
    assert shadow["outcome/twin"]["agreement_nano"] == 10**9
    assert shadow["outcome/twin"]["mean_absolute_difference_nano"] == 0
    assert 0 < shadow["outcome/card"]["rank_correlation_cure_nano"] < 10**9
    assert "digest" in shadow["outcome/broken"]["problem"]
    assert "agreement_nano" not in shadow["outcome/broken"]
    later = bundled_data().later
    made = workspace.ledger.rankings.before(None, 1)[0].ranking_id
    losses = workspace.recorded.shadow_losses(made, later.portfolio.column("account_id"), later.outcome)
    assert list(losses) == [f"outcome/{SHIPPED_VERSION}", "outcome/card", "outcome/twin"]
    assert losses["outcome/twin"] == pytest.approx(losses[f"outcome/{SHIPPED_VERSION}"], abs=1e-8)
    assert losses["outcome/twin"] < losses["outcome/card"]
    refused(Reason.NOT_FOUND, workspace.recorded.shadow_losses, made, np.array([b"nobody"]), np.array([0]))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('lowest_stp = "SCORECARD"', "lowest_stp"),
        ('self_approving = "yes"', "self_approving"),
        ('lowest_step = "scorecard"', "lowest_step"),
        ('[roles]\naprover = ["kim"]', "aprover"),
        (
            "[[declared]]\nkind = 'outcome'\nversion = 'v'\ndigest = 'd'\nchampion = true\napproved_by = 'kim'\nvalid_dys = 3",
            "valid_dys",
        ),
    ],
)
def test_a_misspelt_setting_is_refused_where_the_default_would_permit(tmp_path, written, said):
    (tmp_path / "registry.toml").write_text(written, encoding="utf-8")
    with pytest.raises(CollectionsError) as caught:
        read_policy(tmp_path)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert any(said in violation.field for violation in caught.value.violations)
