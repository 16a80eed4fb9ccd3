"""A model speaks of what it was trained on: others are scored by who knows them, counted and told; what is lacking too."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.models.domain_scoring import DomainScorer
from collections_opt.application.models.registry_policy import RegistryPolicy, read_policy, write_policy
from collections_opt.application.settings import bundled_policy_rates
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.domain import FIELDS, ModelDomain, domain_of
from collections_opt.core.models.lifecycle import LadderStep, ModelAction
from collections_opt.core.ranking.policy import policy_probabilities
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.service.converters.recorded_rankings import write_recorded
from tests.support.books.bundled_portfolio import import_bundled, rank_bundled
from tests.support.factories import raw_portfolio, text
from tests.support.models.folders import NOW, SHIPPED_VERSION, act, add_version, approve, folder_with_people


@pytest.fixture
def models(tmp_path):
    return folder_with_people(tmp_path)


def opened(tmp_path, models):
    return open_workspace(tmp_path / "data", models, lambda: NOW)


def with_products(products):
    """Return the bundled August with other products in its first rows."""
    raw = snapshot(load_accounts(), 8).raw
    column = raw.columns["product"].copy()
    column[: len(products)] = products[: column.size]
    return admit(replace(raw, columns={**raw.columns, "product": column})).portfolio


def redeclare(models, version, **changes):
    """Change what a version declares, before anybody approves it."""
    path = models / "outcome" / version / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["domain"] = {**manifest["domain"], **changes} if manifest["domain"] else changes
    path.write_text(json.dumps(manifest))


def test_a_domain_is_what_training_knew_and_says_why_an_account_is_outside():
    portfolio = with_products(["MORTGAGE"] * 40 + ["AUTO"] * 3)
    domain = domain_of([portfolio])
    assert domain.products == ("CREDIT_CARD", "MORTGAGE")  # three accounts teach nothing
    assert (domain.countries, domain.currencies) == (("TW",), ("TWD",))
    assert domain.missed_by(portfolio)["product AUTO"] == 3
    narrow = ModelDomain(("CREDIT_CARD",), ("US",), ("USD",), domain.buckets)
    assert not narrow.inside(portfolio).any()
    assert narrow.inside(portfolio, ("product",)).sum() == portfolio.account_count - 43
    assert narrow.inside(portfolio, ()).all()
    assert ModelDomain(("CREDIT_CARD",), (), ("TWD",), domain.buckets).inside(portfolio, ("country",)).all()


def test_a_mortgage_is_never_scored_by_a_card_model(tmp_path, models):
    workspace = opened(tmp_path, models)
    portfolio = with_products(["MORTGAGE"] * 50)
    serving = workspace.serving.pin("", portfolio)
    mortgages = portfolio.column("product") == b"MORTGAGE"
    scored = serving.scorer.score(portfolio).probability
    by_policy = policy_probabilities(portfolio, bundled_policy_rates()).probability
    np.testing.assert_array_equal(scored[mortgages], by_policy[mortgages])
    alone = serving.scorer.scorers[0].score(portfolio).probability
    np.testing.assert_array_equal(scored[~mortgages], alone[~mortgages])
    assert serving.fit.outside == {"product MORTGAGE": 50}
    assert [(version, count) for version, _, count in serving.fit.scored_by] == [
        (f"outcome/{SHIPPED_VERSION}", portfolio.account_count - 50),
        (serving.scorer.scorers[-1].model_version, 50),
    ]
    reasons = serving.scorer.reasons(portfolio.take(np.flatnonzero(mortgages)[:2])).rows()
    assert {reason.code for found in reasons for reason in found} == {"NO_MODEL"}
    pushes = serving.scorer.group_pushes(portfolio.take(np.flatnonzero(mortgages)[:2]))
    assert not pushes.pushes.any()
    all_mortgages = with_products(["MORTGAGE"] * 10_000)
    nobody = workspace.serving.pin("", all_mortgages)
    assert nobody.step is LadderStep.POLICY_ORDER
    assert "no account is in its domain (product MORTGAGE" in nobody.degraded[0].problem
    workspace.close()


def test_a_folder_that_allows_no_policy_refuses_who_no_model_knows(tmp_path, models):
    write_policy(models, replace(read_policy(models), lowest_step=LadderStep.SCORECARD))
    workspace = opened(tmp_path, models)
    with pytest.raises(CollectionsError, match="outside every model's domain"):
        workspace.serving.pin("", with_products(["MORTGAGE"] * 50))
    workspace.close()


def test_the_next_model_scores_whom_the_champion_does_not_know_and_replay_repeats_it(tmp_path, models):
    write_policy(models, replace(read_policy(models), domain_binds=FIELDS))
    add_version(models, "narrow")
    redeclare(models, "narrow", buckets=[2])
    workspace = opened(tmp_path, models)
    import_bundled(workspace)
    approve(workspace, "narrow")
    act(workspace, "narrow", ModelAction.PROMOTE)
    held = rank_bundled(workspace)
    counts = {one["model_version"]: one["count"] for one in held["scoring"]["by"]}
    assert list(counts) == ["outcome/narrow", f"outcome/{SHIPPED_VERSION}"]
    assert counts[f"outcome/{SHIPPED_VERSION}"] == held["health"]["outside_domain_count"] > 100
    warning = next(w for w in held["health"]["warnings"] if "outside the domain of outcome/narrow" in w)
    assert f"outcome/{SHIPPED_VERSION} scored" in warning
    record = workspace.ledger.rankings.before(None, 1)[0]
    assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    told = write_recorded(record, workspace.recorded.plan_of(record)).health
    assert told.domain_declared
    assert list(told.domain_binding_fields) == list(FIELDS)
    assert told.outside_domain_account_count == held["health"]["outside_domain_count"]
    assert {one.model_version: one.account_count for one in told.scored_by} == counts
    assert list(told.warnings) == held["health"]["warnings"]
    workspace.close()


def test_what_training_always_had_and_serving_lacks_is_counted_and_beyond_a_bound_the_next_step_decides(tmp_path, models):
    bare = admit(raw_portfolio(account_id=text(["a", "b"]), days_past_due=np.array([65, 200]))).portfolio
    workspace = opened(tmp_path, models)
    serving = workspace.serving.pin("", bare)
    assert serving.step is LadderStep.CHAMPION  # the shipped folder serves files of few columns
    assert serving.fit.lacking_count == 2
    assert serving.fit.lacking["status_0"] == serving.fit.lacking["credit_limit"] == 2
    assert "balance" not in serving.fit.lacking
    groups = {reason.code.split("_")[0] for found in serving.scorer.reasons(bare, 9).rows() for reason in found}
    assert groups == {"DELINQUENCY", "BALANCE"}  # never a group without data
    workspace.close()
    write_policy(models, replace(read_policy(models), most_lacking_share=0.2))
    strict = opened(tmp_path, models)
    degraded = strict.serving.pin("", bare)
    assert degraded.step is LadderStep.POLICY_ORDER
    assert "2 of 2 accounts lack what its training always had" in degraded.degraded[0].problem
    strict.close()


def test_a_model_that_declares_nothing_says_so_and_is_no_way_out(tmp_path, models):
    add_version(models, "old")
    path = models / "outcome" / "old" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in manifest.items() if name not in ("domain", "always_known")}))
    workspace = opened(tmp_path, models)
    approve(workspace, "old")
    nobody = workspace.serving.pin("", with_products(["MORTGAGE"] * 10_000))
    assert nobody.step is LadderStep.POLICY_ORDER
    assert any("declares no domain" in one.problem for one in nobody.degraded)
    act(workspace, "old", ModelAction.PROMOTE)
    import_bundled(workspace)
    held = rank_bundled(workspace)
    assert any("outcome/old: domain not declared" in warning for warning in held["health"]["warnings"])
    workspace.close()


def test_what_binds_is_checked():
    for changes in ({"domain_binds": ("colour",)}, {"most_lacking_share": 1.5}):
        with pytest.raises(CollectionsError, match=r"no field|no share"):
            RegistryPolicy(**changes)


def test_one_scorer_of_several_gives_the_bits_of_each_in_any_company(tmp_path, models):
    workspace = opened(tmp_path, models)
    portfolio = with_products(["MORTGAGE"] * 500)
    scorer = workspace.serving.pin("", portfolio).scorer
    assert isinstance(scorer, DomainScorer)
    whole = scorer.score(portfolio).probability
    rows = np.arange(0, portfolio.account_count, 97)
    np.testing.assert_array_equal(scorer.score(portfolio.take(rows)).probability, whole[rows])
    workspace.close()
