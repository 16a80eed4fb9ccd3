"""Models that learn from own columns: the same bits in training and serving, and nothing lacking or leaking in silence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evaluation.outcome import evaluate_outcomes
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.models.registry_policy import read_policy, write_policy
from collections_opt.application.rankings.health.score_health import fit_warnings
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.training.outcome import train_model, training_period
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts import own_features as own_features_module
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_features import lacked, own_features, own_matrix, unknown_texts
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import LadderStep
from collections_opt.core.value.outcomes import CURE, DEFAULT, quantised
from collections_opt.datasets.files.group_files import GroupTable
from collections_opt.scoring.outcome import scorecard_training
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.rows import stack
from collections_opt.scoring.outcome.scorer import Scorer
from collections_opt.service.converters.recorded_rankings import write_recorded
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, rank_bundled
from tests.support.books.own_worlds import DESK, RARE, ROWS, SCORE, own_history, planted
from tests.support.models.folders import NOW, SHIPPED, SHIPPED_VERSION


@pytest.fixture(scope="module")
def data():
    return own_history()


@pytest.fixture(scope="module")
def models(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("own-models")
    train_model(folder, data, "own-1", 1, NOW)
    return folder


@pytest.fixture(scope="module")
def scorers(models):
    return {version: Scorer(load_artifact(models, version)) for version in ("own-1", "own-1-scorecard")}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, models):
    opened = open_workspace(tmp_path_factory.mktemp("own-data"), models, lambda: NOW)
    opened.books.import_portfolio(BUNDLED_PORTFOLIO_ID, planted(8).raw)
    yield opened
    opened.close()


def changed(portfolio, **own):
    return replace(portfolio, own=replace(portfolio.own, **own))


def without(portfolio):
    return replace(portfolio, own=None)


def test_the_manifest_declares_what_was_learned(models, data):
    manifest = load_artifact(models, "own-1").manifest
    assert manifest.feature_names[-2:] == ("own.bureau_score", "own.desk")
    assert [(one.name, one.unit, one.expected_sign, one.texts) for one in manifest.own_columns] == [
        ("bureau_score", "points", 1, ()),
        ("desk", "", 0, ("branch", "web")),  # five accounts of a month teach nothing
    ]
    assert not {"own.bureau_score", "own.desk"} & {*manifest.always_known} - {"own.desk"}
    about = manifest.training["own_columns"]
    assert 0.7 < about["own.bureau_score"]["alone_auc"] < 0.9
    assert about["own.desk"]["association"] is None
    card = (models / "outcome/own-1/CARD.md").read_text()
    assert "| own.bureau_score | Score of the bureau. | points | 0 | + |" in card
    assert f"| own.desk | {about['own.desk']['alone_auc']:.3f} | not tested |" in card


@pytest.mark.parametrize("version", ["own-1", "own-1-scorecard"])
def test_it_knows_more_than_the_schema_says(scorers, data, version):
    """The shipped columns alone rank these cures far worse; a model that ignored the planted ones would too."""
    later, scorer = data.later, scorers[version]
    p = scorer.score(later.portfolio).probability[:, CURE]
    shuffled = {name: np.roll(column, 100) for name, column in later.portfolio.own.values.items()}
    blind = scorer.score(changed(later.portfolio, values=shuffled)).probability[:, CURE]

    def auc(score):
        cured = later.outcome == CURE
        return (score[cured][:, None] > score[~cured][None, :]).mean()

    assert auc(p) > auc(blind) + 0.03


def test_training_and_serving_build_the_same_bits(workspace, scorers, data):
    """Through the door, the sealed record and back: what serves is what was trained on."""
    stored = workspace.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    for scorer in scorers.values():
        trained = stack([data.later], scorer.own)
        np.testing.assert_array_equal(scorer.features(stored).matrix, trained.features)
        raw = scorer.artifact.predictor.raw(trained.features)
        np.testing.assert_array_equal(scorer.score(stored).probability, scorer.artifact.calibration.apply(raw))
        rows = np.arange(0, stored.account_count, 7)
        np.testing.assert_array_equal(scorer.score(stored.take(rows)).probability, scorer.score(stored).probability[rows])


def test_a_number_of_expected_sign_never_lowers_p_cure(scorers, data):
    scorer, own = scorers["own-1"], data.later.portfolio.own
    raised = {**own.values, "bureau_score": own.values["bureau_score"] + 40.0}
    before, after = (
        scorer.artifact.predictor.raw(scorer.features(one).matrix)[:, CURE]
        for one in (data.later.portfolio, changed(data.later.portfolio, values=raised))
    )
    assert (after >= before).all()
    assert (after > before).any()


def test_reasons_are_told_in_the_words_of_the_column(scorers, data):
    portfolio = data.later.portfolio.take(slice(0, 60))
    told = {reason.code: reason.sentence for found in scorers["own-1"].reasons(portfolio, 9).rows() for reason in found}
    assert told["OWN_BUREAU_SCORE_RAISES_CURE"] == "Score of the bureau speaks for a cure."
    assert told["OWN_DESK_LOWERS_CURE"] == "Desk that opened the account speaks against a cure."
    nobody = np.isnan(portfolio.own.values["bureau_score"])
    assert nobody.any()
    silent = scorers["own-1"].reasons(portfolio.take(np.flatnonzero(nobody)), 9).rows()
    assert not any("BUREAU" in reason.code for found in silent for reason in found)


def test_a_ranking_with_them_is_replayed_and_explained(workspace):
    held = rank_bundled(workspace)
    record = workspace.ledger.rankings.before(None, 1)[0]
    assert held["model_version"] == "outcome/own-1"
    assert held["health"]["unknown_categories"] == {"own.desk": RARE}
    assert any("own.desk 5" in warning for warning in held["health"]["warnings"])
    told = write_recorded(record, workspace.recorded.plan_of(record)).health
    assert held["health"]["own_column_psi_milli"].keys() == {"own.bureau_score", "own.desk"}
    drift = {one.name: one.population_stability_index for one in told.own_column_drift}
    assert drift == {name: milli / 1000 for name, milli in held["health"]["own_column_psi_milli"].items()}
    assert 0 <= min(drift.values()) <= max(drift.values()) < 0.1
    assert [(one.name, one.account_count) for one in told.unknown_categories] == [("own.desk", RARE)]
    assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL


def few_rows(count=20):
    """Return the first accounts of the book as a call would bring them."""
    raw, rows = planted(8).raw, np.arange(count)
    columns = {name: column[rows] for name, column in raw.columns.items()}
    return replace(raw, columns=columns, present={name: mask[rows] for name, mask in raw.present.items()})


def test_rows_of_a_call_score_as_in_the_book_and_an_explanation_speaks_of_them(workspace, scorers):
    scored = workspace.scores.score(few_rows(), bundled_plan(), bundled_parameters())
    ids = scored.valued.portfolio.column("account_id")
    book = workspace.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    rows = np.searchsorted(book.column("account_id"), ids)
    expected = quantised(scorers["own-1"].score(book.take(rows))).probability
    np.testing.assert_array_equal(scored.valued.outcomes.probability, expected)
    told = {reason.code for found in scored.reasons.rows() for reason in found}
    assert {"OWN_BUREAU_SCORE_RAISES_INCREMENT", "OWN_BUREAU_SCORE_LOWERS_INCREMENT"} & told
    ranking_id = workspace.ledger.rankings.before(None, 1)[0].ranking_id
    why = [workspace.explanations.explain(ranking_id, one.decode()).reasons for one in ids]
    assert any(reason.code.startswith("OWN_") for found in why for reason in found)


def test_the_answer_of_a_call_says_how_its_rows_fit_the_model(workspace):
    health = workspace.scores.score(few_rows(), bundled_plan(), bundled_parameters(), with_reasons=False).health
    assert health.unknown_categories == {"own.desk": RARE}
    assert any("does not know some categories" in told for told in health.warnings)
    assert health.own_column_psi_milli == {}  # so few accounts have no spread


def test_a_text_that_was_not_learned_is_read_as_missing(scorers, data):
    portfolio, scorer = data.later.portfolio, scorers["own-1"]
    assert unknown_texts(portfolio, scorer.own) == {"own.desk": RARE}
    table = portfolio.own
    codes = np.where(table.values["desk"] == table.vocabulary["desk"].index("closed"), -1, table.values["desk"])
    blanked = changed(portfolio, values={**table.values, "desk": codes})
    np.testing.assert_array_equal(scorer.features(portfolio).matrix, scorer.features(blanked).matrix)


def with_another_vocabulary(portfolio):
    """Return the same accounts under other codes, as a portfolio with one more desk would hold them."""
    table = portfolio.own
    moved = np.where(table.values["desk"] >= 0, table.values["desk"] + 1, -1).astype(np.int32)
    wider = ("airport", *table.vocabulary["desk"])
    return changed(portfolio, values={**table.values, "desk": moved}, vocabulary={"desk": wider})


def skews(scorer, portfolio):
    """Return what makes serving see other numbers than training: codes of the portfolio, or its other accounts."""
    matrix, rows = scorer.features(portfolio).matrix, np.arange(0, portfolio.account_count, 7)
    served = {
        "codes": (scorer.features(with_another_vocabulary(portfolio)).matrix, matrix),
        "company": (scorer.features(portfolio.take(rows)).matrix, matrix[rows]),
    }
    return {name for name, (one, other) in served.items() if not np.array_equal(one, other, equal_nan=True)}


def test_neither_codes_nor_company_change_what_the_model_reads(scorers, data, monkeypatch):
    scorer, honest = scorers["own-1"], own_features_module._read
    assert skews(scorer, data.later.portfolio) == set()

    def by_code(feature, own):
        return own.values[feature.name].astype(np.float64)

    def standardised(feature, own):
        return honest(feature, own) - np.nanmean(honest(feature, own))

    for fault, name in ((by_code, "codes"), (standardised, "company")):
        monkeypatch.setattr(own_features_module, "_read", fault)
        assert skews(scorer, data.later.portfolio) == {name}


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ((), "is not sent"),
        ((replace(SCORE, unit="percent"), DESK), "is in percent, learned in points"),
    ],
)
def test_a_portfolio_without_a_column_is_not_scored_in_silence(tmp_path, workspace, models, data, own, why):
    """Beyond the bound no model that learned from it serves; within, every account is counted and the column reads as missing."""
    portfolio = data.later.portfolio
    bare = changed(portfolio, declared=own) if own else without(portfolio)
    served = workspace.serving.pin("", bare)
    assert served.step is LadderStep.POLICY_ORDER
    assert [one.model_version for one in served.degraded] == ["outcome/own-1", "outcome/own-1-scorecard"]
    assert all(f"own.bureau_score {why}" in one.problem for one in served.degraded)
    lenient = replace(read_policy(models), most_lacking_share=1.0)
    folder = shutil.copytree(models, tmp_path / "models")
    write_policy(folder, lenient)
    other = open_workspace(tmp_path / "data", folder, lambda: NOW)
    served = other.serving.pin("", bare)
    assert served.step is LadderStep.CHAMPION
    assert served.fit.lacking["own.bureau_score"] == served.fit.lacking_count == bare.account_count - served.fit.outside_count > 0
    assert np.isnan(served.scorer.scorers[0].features(bare).matrix[:, -2]).all()
    other.close()


def test_placing_accounts_needs_the_columns_that_the_ranking_read(workspace):
    ranking_id = workspace.ledger.rankings.before(None, 1)[0].ranking_id
    some = few_rows()
    assert workspace.placer.place(ranking_id, some).unchanged.any()
    bare = replace(some, own=(), columns={n: c for n, c in some.columns.items() if not n.startswith("own.")}, present={})
    with pytest.raises(CollectionsError, match=r"own\.bureau_score is not sent") as caught:
        workspace.placer.place(ranking_id, bare)
    assert {one.field for one in caught.value.violations} == {"own_columns"}


def test_a_column_that_moved_is_warned_about(workspace, data):
    own = data.later.portfolio.own
    moved = changed(data.later.portfolio, values={**own.values, "bureau_score": own.values["bureau_score"] + 200.0})
    serving = workspace.serving.pin("", moved)
    assert serving.fit.own_drift["own.bureau_score"] > 1
    assert any("own.bureau_score" in one and "own.desk" not in one for one in fit_warnings(serving))


def test_groups_are_reported_and_change_no_bit_of_the_model(tmp_path, models, data):
    """A group file that follows the desk: the report tells so, the model stays what it is."""
    portfolios = [one.portfolio for one in data.periods]
    ids, first = np.unique(np.concatenate([one.column("account_id") for one in portfolios]), return_index=True)
    web = np.concatenate([one.own.values["desk"] == one.own.vocabulary["desk"].index("web") for one in portfolios])[first]
    table = GroupTable(ids, {"SEX": np.where(web, "male", "female")})
    report = train_model(tmp_path, replace(data, groups=table), "own-1", 1, NOW)
    assert (
        report.own_columns["own.desk"]["association"]["SEX"] > 0.5 > report.own_columns["own.bureau_score"]["association"]["SEX"]
    )
    assert "SEX 0." in (report.folder / "CARD.md").read_text()
    for name in ("p_cure.txt", "p_default.txt", "calibration.json"):
        assert (report.folder / name).read_bytes() == (models / "outcome/own-1" / name).read_bytes()


def leaking(data, month_cells, periods=None):
    """Return the data with the score of every month replaced by cells made of its outcome."""

    def with_cells(period):
        values = {**period.portfolio.own.values, "bureau_score": month_cells(period)}
        return replace(period, portfolio=changed(period.portfolio, values=values))

    return replace(data, periods=[with_cells(one) for one in data.periods], later=with_cells(data.later))


def test_a_column_that_is_the_outcome_is_refused_by_the_leak_check(tmp_path, data):
    noise = np.random.default_rng(1)
    plants = {
        "the outcome": lambda one: (one.outcome == CURE) + 0.01 * noise.random(one.outcome.size),
        "filled in for who cured": lambda one: np.where(one.outcome == CURE, noise.random(one.outcome.size), np.nan),
        "against the sign": lambda one: (one.outcome == DEFAULT) * 1.0,
    }
    for cells in plants.values():
        with pytest.raises(CollectionsError, match=r"tells by itself who (cured|defaulted)") as caught:
            train_model(tmp_path, leaking(data, cells), "leak-1", 1, NOW)
        assert {one.field for one in caught.value.violations} == {"own.bureau_score"}
    assert not list(tmp_path.iterdir())


def test_periods_that_declare_a_column_differently_train_nothing(tmp_path, data):
    odd = replace(data.later, portfolio=changed(data.later.portfolio, declared=(replace(SCORE, unit="percent"), DESK)))
    for later, fields in (
        (odd, {"own.bureau_score"}),
        (replace(data.later, portfolio=without(data.later.portfolio)), {"own.bureau_score", "own.desk"}),
    ):
        with pytest.raises(CollectionsError, match="differ between periods") as caught:
            train_model(tmp_path, replace(data, later=later), "odd-1", 1, NOW)
        assert {one.field for one in caught.value.violations} == fields


def test_the_later_period_teaches_no_text(data):
    later = data.later
    closed = np.full(later.outcome.size, later.portfolio.own.vocabulary["desk"].index("closed"), dtype=np.int32)
    full = changed(later.portfolio, values={**later.portfolio.own.values, "desk": closed})
    assert own_features([one.portfolio for one in data.periods])[1].texts == ("branch", "web")
    assert "closed" in own_features([*(one.portfolio for one in data.periods), full])[1].texts


def test_a_judgement_needs_the_columns_too(scorers, data):
    bare = replace(data.later, portfolio=without(data.later.portfolio))
    with pytest.raises(CollectionsError) as caught:
        evaluate_outcomes(scorers["own-1"], replace(data, later=bare), "", np.zeros(bare.outcome.size))
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_a_model_without_own_columns_reads_none(data):
    portfolio = admit(planted(8).raw).portfolio
    assert own_matrix(portfolio, ()).shape == (ROWS, 0)
    assert lacked(without(portfolio), ()) == {}
    assert training_period(planted(8, own=(DESK,)), "x").portfolio.own.declared == (DESK,)
    assert "own_columns" not in json.loads(load_artifact(SHIPPED, SHIPPED_VERSION).manifest.to_json())


def test_many_bins_are_fitted_as_few_are(data, monkeypatch):
    """With hundreds of own columns the scorecard takes another solver; its probabilities are the same to three decimals."""
    own = own_features([one.portfolio for one in data.periods])
    matrix = stack([data.later], own).features
    few = scorecard_training.train_scorecard(data.periods, own)
    monkeypatch.setattr(scorecard_training, "MAX_NEWTON_BINS", 0)
    many = scorecard_training.train_scorecard(data.periods, own)
    assert many.strength == few.strength
    np.testing.assert_allclose(many.scorecard.raw(matrix), few.scorecard.raw(matrix), atol=1e-3)
