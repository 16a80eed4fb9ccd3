"""The ladder: each way in which a model can fail leads to the next step, and no fallback goes without its label."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from collections_opt.application.models.registry_policy import read_policy, write_policy
from collections_opt.application.rankings import making as rankings_module
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import LadderStep, ModelAction, ModelKind
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules.eligibility import bucket_of
from tests.support.books.bundled_portfolio import import_bundled, rank_bundled
from tests.support.factories import raw_portfolio, text
from tests.support.models.folders import (
    NOW,
    SHIPPED_VERSION,
    act,
    add_scorecard,
    add_version,
    approve,
    folder_with_people,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def models(tmp_path):
    return folder_with_people(tmp_path)


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def workspace(tmp_path, models, clock):
    opened = open_workspace(tmp_path / "data", models, lambda: clock[0])
    import_bundled(opened)
    yield opened
    opened.close()


def damage(models, version):
    path = next((models / "outcome" / version).glob("p_cure.txt"), models / "outcome" / version / "scorecard.json")
    path.write_bytes(path.read_bytes() + b" ")


def unlabelled_fallbacks(workspace, records):
    """Return the records in which something else than the champion decided without saying which step and why."""
    champion = workspace.models.standing(ModelKind.OUTCOME).champion
    found = []
    for record in records:
        labelled = record["model_step"] != LadderStep.CHAMPION and record["degraded"]
        if record["model_version"] != f"outcome/{champion}" and not labelled:
            found.append(record["model_version"])
    return found


def every_fallback(workspace, models):
    """Rank at each step of the ladder, taking away what served before."""
    add_version(models, "next")
    add_scorecard(models, "card")
    for version in ("next", "card"):
        approve(workspace, version)
    act(workspace, "next", ModelAction.PROMOTE)
    records = [rank_bundled(workspace)]
    for version in ("next", SHIPPED_VERSION, "card"):
        damage(models, version)
        workspace.serving.forget()
        records.append(rank_bundled(workspace))
    return records


def test_each_step_of_the_ladder_is_recorded_with_every_reason(workspace, models):
    champion, previous, scorecard, policy = every_fallback(workspace, models)
    assert [r["model_step"] for r in (champion, previous, scorecard, policy)] == [step.value for step in LadderStep]
    assert previous["model_version"] == f"outcome/{SHIPPED_VERSION}"
    assert "differs from the digest" in previous["degraded"][0]["problem"]
    assert [d["step"] for d in scorecard["degraded"]] == ["CHAMPION", "PREVIOUS_APPROVED"]
    assert scorecard["model_version"] == "outcome/card"
    assert len(policy["degraded"]) == 3
    assert (policy["ordering_asked"], policy["ordering"]) == ("EXPECTED_VALUE", "BALANCE_BUCKET")
    assert policy["model_version"] == "policy/bucket-rates-1"
    assert policy["model_approval"] == {}
    assert policy["counts"]["ASSIGNED"] > 0
    assert unlabelled_fallbacks(workspace, [champion, previous, scorecard, policy]) == []


def test_a_fallback_without_label_is_caught(workspace, models, monkeypatch):
    honest = rankings_module.serving_record
    silent = {"degraded": (), "step": LadderStep.CHAMPION}
    monkeypatch.setattr(rankings_module, "serving_record", lambda *given: replace(honest(*given), **silent))
    assert len(unlabelled_fallbacks(workspace, every_fallback(workspace, models))) == 3


def test_a_lapsed_approval_and_another_portfolio_degrade(workspace, models, clock):
    add_version(models, "next")
    approve(workspace, "next", days=10, portfolios=("other-*",))
    act(workspace, "next", ModelAction.PROMOTE)
    record = rank_bundled(workspace)
    assert record["model_version"] == f"outcome/{SHIPPED_VERSION}"
    assert "not approved for uci-2005-08" in record["degraded"][0]["problem"]
    clock[0] = NOW + timedelta(days=400)
    record = rank_bundled(workspace)
    assert record["model_step"] == LadderStep.POLICY_ORDER
    assert all("expired" in d["problem"] for d in record["degraded"])


def test_a_coverage_floor_has_a_list_on_the_morning_the_model_is_gone(workspace, models):
    damage(models, SHIPPED_VERSION)
    limits = (
        AccountLimit("late floor", LimitKind.AT_LEAST, Segment(buckets=(3, 4, 5, 6)), account_count=100),
        AccountLimit("few early", LimitKind.AT_MOST, Segment(buckets=(2,)), account_count=50),
    )
    record = rank_bundled(workspace, constraints=RankingConstraints(limits, exploration_share=0.05))
    assert (record["model_step"], record["ordering"]) == ("POLICY_ORDER", "BALANCE_BUCKET")
    made = workspace.ledger.rankings.before(None, 1)[0]
    entries = workspace.rankings.recorded.entries(made)
    portfolio = workspace.rankings.recorded.portfolio(made.portfolio_id)
    bucket = bucket_of(portfolio.column("days_past_due"))
    assert ((entries.queue >= 0) & (bucket >= 3)).sum() >= 100
    assert 0 < ((entries.queue >= 0) & (bucket == 2)).sum() <= 50
    assert record["proof"]["shortages"] == []
    assert (entries.explored == 1).any()


def test_rows_without_a_portfolio_say_how_they_were_scored(workspace, models):
    damage(models, SHIPPED_VERSION)
    plan = replace(bundled_plan(), currency_code="USD")
    raw = raw_portfolio(account_id=text(["a"]), days_past_due=[65])
    scored = workspace.scores.score(raw, plan, bundled_parameters())
    assert scored.model_use.step is LadderStep.POLICY_ORDER
    assert scored.reasons.rows()[0][0].code == "NO_MODEL"


def test_raw_orders_without_a_model_stay_as_asked(workspace, models):
    damage(models, SHIPPED_VERSION)
    assert rank_bundled(workspace, ordering=Ordering.DAYS_PAST_DUE)["ordering"] == "DAYS_PAST_DUE"


def test_a_folder_may_refuse_instead_of_degrading(tmp_path, models):
    policy = read_policy(models)
    write_policy(models, replace(policy, lowest_step=LadderStep.SCORECARD))
    opened = open_workspace(tmp_path / "strict", models, lambda: NOW)
    import_bundled(opened)
    damage(models, SHIPPED_VERSION)
    with pytest.raises(CollectionsError) as caught:
        rank_bundled(opened)
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE
    assert "differs from the digest" in caught.value.message
    opened.close()


def test_a_recorded_ranking_is_explained_by_the_model_that_made_it(workspace, models):
    record = rank_bundled(workspace)
    made = workspace.ledger.rankings.before(None, 1)[0]
    account = workspace.recorded.entries(made).account_id[0].decode()
    before = workspace.explanations.explain(made.ranking_id, account).reasons
    add_scorecard(models, "card")
    approve(workspace, "card")
    act(workspace, "card", ModelAction.PROMOTE)
    assert record["model_version"] == f"outcome/{SHIPPED_VERSION}"
    assert workspace.explanations.explain(made.ranking_id, account).reasons == before
    damage(models, SHIPPED_VERSION)
    workspace.serving.forget()
    gone = workspace.explanations.explain(made.ranking_id, account).reasons
    assert [reason.code for reason in gone] == ["MODEL_NOT_READABLE"]


WITHOUT_LIGHTGBM = """
import sys
sys.modules["lightgbm"] = None
from pathlib import Path
from tests.support.books.bundled_portfolio import import_bundled
from collections_opt.application.workspace import open_workspace
from tests.support.models.folders import NOW
from tests.support.books.bundled_portfolio import rank_bundled
opened = open_workspace(Path(sys.argv[1]), Path(sys.argv[2]), lambda: NOW)
record = rank_bundled(opened)
print(record["model_step"], record["model_version"], record["degraded"][0]["problem"])
opened.close()
"""


def test_a_scorecard_serves_where_lightgbm_cannot_be_imported(tmp_path, workspace, models):
    add_scorecard(models, "card")
    approve(workspace, "card")
    command = [sys.executable, "-c", WITHOUT_LIGHTGBM, str(tmp_path / "data"), str(models)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert shown.returncode == 0, shown.stderr
    assert "\nSCORECARD outcome/card" in shown.stdout
    assert "lightgbm" in shown.stdout
