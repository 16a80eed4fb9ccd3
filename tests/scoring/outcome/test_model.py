"""The outcome model: repeatable, point in time, checked before it is parsed, calibrated on rows it was not trained on."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt import datasets
from collections_opt.application.models.card import CURVE_COLUMNS
from collections_opt.application.models.registry_policy import read_policy
from collections_opt.application.training.outcome import BUNDLED_SEED, train_bundled_model, training_period
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURES, build_features
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings
from collections_opt.scoring.evaluation.metrics import (
    Calibrated,
    calibrated_of,
    expected_calibration_error,
    outcome_metrics,
    worst_calibrated,
)
from collections_opt.scoring.outcome import boosted
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.boosting import splits_per_account
from collections_opt.scoring.outcome.calibration import FITTERS, IDENTITY, Calibration, fit_shifts, read_calibration, shifted
from collections_opt.scoring.outcome.scorer import Scorer
from collections_opt.scoring.outcome.training import train
from collections_opt.scoring.versions.artifacts import list_versions, read_manifest, write_version

MODELS = Path(__file__).parents[3] / "models"
VERSION = "credit-card-4"


def shipped_scorer():
    return Scorer(load_artifact(MODELS, VERSION))


@pytest.fixture(scope="module")
def august():
    return snapshot(load_accounts(), 8)


@pytest.fixture(scope="module")
def portfolio(august):
    return admit(august.raw).portfolio


@pytest.fixture
def models(tmp_path):
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


def test_training_again_gives_the_shipped_model(tmp_path, models):
    """The model in the repository is what the code trains; only versions of libraries may change it.

    On another processor figures may differ beyond the sixth decimal and a zero may have the other sign: then the versions are the
    same to ``write_version``, which refuses any other.
    """
    shipped = load_artifact(MODELS, VERSION).manifest
    report = train_bundled_model(tmp_path / "new", VERSION, BUNDLED_SEED, datetime.fromisoformat(shipped.created_at))
    versions = [VERSION, f"{VERSION}-scorecard"]
    assert sorted(p.name for p in report.folder.parent.iterdir()) == versions
    for version in versions:
        trained, _, _ = read_manifest(tmp_path / "new", version)
        texts = {name: (report.folder.parent / version / name).read_text() for name in trained.files}
        before = {path: path.read_bytes() for path in (models / "outcome" / version).iterdir()}
        write_version(models, trained, texts)
        assert {path: path.read_bytes() for path in before} == before
    for name in ("p_cure.txt", "p_default.txt", "calibration.json", "CARD.md"):
        assert (report.folder / name).read_bytes() == (MODELS / "outcome" / VERSION / name).read_bytes()


def test_the_manifest_states_what_the_model_does_on_august(august):
    scorer = shipped_scorer()
    period = training_period(august, "2005-08")
    measured = outcome_metrics(scorer.score(period.portfolio).probability, period.outcome)
    stated = scorer.artifact.manifest.metrics
    assert measured == pytest.approx({name: stated[name] for name in measured}, abs=1e-6)
    assert "2005-08" not in scorer.artifact.manifest.training["periods"]
    assert 0.7965 <= measured["cure_auc"] <= 0.8238  # the interval of the version before
    assert measured["default_ece"] <= 0.015
    for name in ("cure", "default", "stay"):
        low, high = scorer.artifact.manifest.metric_intervals[f"{name}_slope"]
        assert low <= 1.0 <= high, name
        assert measured[f"{name}_ece"] <= 0.03, name  # sampling alone gives a perfect model half of it


def test_blocks_do_not_change_a_bit_and_single_accounts_score_as_in_the_book(portfolio):
    scorer = shipped_scorer()
    book = scorer.score(portfolio).probability
    np.testing.assert_array_equal(scorer.score(portfolio.take(slice(100, 107))).probability, book[100:107])
    assert scorer.score(portfolio.take(slice(0, 0))).probability.shape == (0, 3)


def test_threads_do_not_change_a_bit(portfolio, monkeypatch):
    scorer = shipped_scorer()
    assert portfolio.account_count > boosted.ONE_THREAD_ROWS
    on_all_cores, pushes = scorer.score(portfolio).probability, scorer.reasons(portfolio.take(slice(0, 200))).rows()
    monkeypatch.setattr(boosted, "ONE_THREAD_ROWS", portfolio.account_count)
    np.testing.assert_array_equal(scorer.score(portfolio).probability, on_all_cores)
    assert scorer.reasons(portfolio.take(slice(0, 200))).rows() == pushes


def test_reasons_are_known_codes_and_move_with_their_feature(portfolio):
    scorer = shipped_scorer()
    one = portfolio.take(slice(0, 1))
    before = {(r.code.split("_")[0], r.code.split("_")[2]): r.contribution for r in scorer.reasons(one, 9).rows()[0]}
    late = one.column("status_history").copy()
    late[:] = 8
    changed = type(one)(one.as_of_date, one.time_zone, one.currency_code, {**one.columns, "status_history": late}, one.present)
    after = {(r.code.split("_")[0], r.code.split("_")[2]): r.contribution for r in scorer.reasons(changed, 9).rows()[0]}
    assert after["DELINQUENCY", "CURE"] < before["DELINQUENCY", "CURE"]
    assert after["DELINQUENCY", "DEFAULT"] != before["DELINQUENCY", "DEFAULT"]
    assert {target for _, target in before} == {"CURE", "DEFAULT"}
    assert all(r.sentence for r in scorer.reasons(one).rows()[0])


@pytest.mark.parametrize("name", ["p_cure.txt", "calibration.json", "CARD.md"])
def test_a_changed_byte_is_refused_before_parsing(models, name):
    path = models / "outcome" / VERSION / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CollectionsError, match="differs from the digest") as caught:
        load_artifact(models, VERSION)
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE
    assert name in caught.value.violations[0].field


def test_missing_models_say_what_to_do(tmp_path, models):
    with pytest.raises(CollectionsError, match="make models"):
        read_policy(tmp_path)
    with pytest.raises(CollectionsError, match=r"cannot be read"):
        load_artifact(models, "nothing")
    with pytest.raises(CollectionsError, match="version name"):
        load_artifact(models, "../../etc")
    assert list_versions(tmp_path) == ()


def test_another_feature_set_is_refused(models):
    path = models / "outcome" / VERSION / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "feature_set_version": "other"}))
    with pytest.raises(CollectionsError, match="feature set other"):
        load_artifact(models, VERSION)


def test_features_are_named_once_and_missing_histories_are_nan(portfolio):
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    bare = {k: (v[:, :0] if v.ndim == 2 else v) for k, v in portfolio.columns.items()}
    masks = {k: (v[:, :0] if v.ndim == 2 else v) for k, v in portfolio.present.items()}
    features = build_features(type(portfolio)(portfolio.as_of_date, "UTC", "TWD", bare, masks))
    assert np.isnan(features.matrix[:, FEATURE_NAMES.index("status_0")]).all()
    assert np.isfinite(features.matrix[:, FEATURE_NAMES.index("balance")]).all()


def test_a_file_read_for_serving_scores_as_the_training_path_does(august):
    """Training-serving equality: reader, door and scorer against snapshot, features, model and calibration by hand."""
    scorer = shipped_scorer()
    mapping = read_bundled_settings("mappings/credit_card.toml", FileMapping)
    path = Path(datasets.__file__).parent / "bundled/uci_credit_card/uci_credit_card_default.parquet"
    served = scorer.score(admit(read_portfolio(path, mapping).raw).portfolio)
    trained = build_features(training_period(august, "2005-08").portfolio).matrix
    by_hand = scorer.artifact.calibration.apply(scorer.artifact.predictor.raw(trained))
    np.testing.assert_array_equal(served.probability, by_hand)


def test_a_manifest_in_another_folder_is_refused(models):
    shutil.copytree(models / "outcome" / VERSION, models / "outcome" / "renamed")
    with pytest.raises(CollectionsError, match="is the manifest of") as caught:
        load_artifact(models, "renamed")
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE


def test_later_periods_weigh_more_and_training_never_sees_august():
    training = shipped_scorer().artifact.manifest.training
    assert training["periods"] == ["2005-05", "2005-06", "2005-07"]
    assert training["parameters"]["period_weight"] < 1
    for parameters in training["parameters"]["steps"].values():
        assert parameters["deterministic"]
        assert parameters["num_threads"] == 1


weights = st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=10)


@given(weights, st.lists(st.floats(-3, 3), min_size=12, max_size=12))
def test_calibrated_rows_sum_to_one(rows, values):
    p = np.array(rows) + 1e-9
    p /= p.sum(axis=1, keepdims=True)
    calibrated = Calibration("matrix", np.array(values[:9]).reshape(3, 3), np.array(values[9:])).apply(p)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1.0, atol=1e-12)


def drawn(seed=5, count=20_000):
    """Return true probabilities and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet([2, 1, 2], size=count)
    return truth, (rng.random(count)[:, None] > truth.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("name", FITTERS)
def test_calibrations_repair_known_distortions(name):
    truth, outcome = drawn()
    sharp = truth**2 / (truth**2).sum(axis=1, keepdims=True)
    other_truth, other_outcome = drawn(seed=6)
    other = other_truth**2 / (other_truth**2).sum(axis=1, keepdims=True)
    fitted = read_calibration(FITTERS[name](sharp, outcome).to_json().encode())
    repaired = fitted.apply(other)
    np.testing.assert_allclose(repaired.sum(axis=1), 1.0, atol=1e-12)
    for k in range(3):
        assert expected_calibration_error(repaired[:, k], other_outcome == k) < 0.5 * expected_calibration_error(
            other[:, k], other_outcome == k
        )


def test_shifts_bring_the_rates_of_a_later_period():
    """A rise that came over all alike, and a fall that took the same share of all, are undone."""
    truth, outcome = drawn(count=60_000)
    before = truth.copy()
    before[:, 1] = np.where(truth[:, 1] > 0.06, truth[:, 1] - 0.04, truth[:, 1] / 3)
    before[:, 0] = truth[:, 0] / 0.8
    shifts = fit_shifts(before, outcome)
    assert shifts == pytest.approx((-0.2, 0.04), abs=0.01)
    rest = 1 - before[:, :2].sum(axis=1)
    fine = rest > 0.05
    before[:, 2] = rest
    repaired = IDENTITY.with_shifts(shifts).apply(before[fine])
    np.testing.assert_allclose(repaired[:, :2].mean(axis=0), truth[fine, :2].mean(axis=0), atol=0.005)


@given(st.floats(-0.9, 0.5), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_shift_keeps_order_and_what_cannot_happen(shift, values):
    p = np.sort(np.array([0.0, *values]))
    moved = shifted(p, shift)
    assert moved[0] == 0.0
    assert (np.diff(moved) >= -1e-12).all()


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"method": "x", "weight": [[1]], "bias": [0], "curves": []}', b"not json"])
def test_what_is_no_calibration_is_refused(content):
    with pytest.raises(ValueError, match="no calibration"):
        read_calibration(content)


def test_p_cure_never_rises_with_what_speaks_against_a_cure(portfolio):
    """Monotone where a sign is declared: before calibration, whose level is common to all accounts."""
    scorer = shipped_scorer()
    matrix = build_features(portfolio).matrix[:500]
    before = scorer.artifact.predictor.raw(matrix)[:, 0]
    for index, feature in enumerate(FEATURES):
        if feature.cure_sign:
            more = matrix.copy()
            more[:, index] += 1.0
            change = (scorer.artifact.predictor.raw(more)[:, 0] - before) * feature.cure_sign
            assert np.nanmin(change) >= 0.0, feature.name
    assert sum(f.cure_sign != 0 for f in FEATURES) > 5


def test_the_scorecard_scores_a_row_alike_in_any_company(portfolio):
    card = load_artifact(MODELS, f"{VERSION}-scorecard")
    matrix = build_features(portfolio).matrix
    book = card.predictor.raw(matrix)
    np.testing.assert_array_equal(np.vstack([card.predictor.raw(matrix[i : i + 1]) for i in range(50)]), book[:50])
    np.testing.assert_allclose(book.sum(axis=1), 1.0, atol=1e-12)


def test_one_period_is_not_enough(august):
    with pytest.raises(ValueError, match="two periods"):
        train([training_period(august, "2005-08")], 1)


def test_a_step_costs_what_the_chosen_trees_cost_and_no_smaller_number_was_as_good():
    training = shipped_scorer().artifact.manifest.training
    for step, rows in training["size_curves"].items():
        marked = [row for row in rows if row[CURVE_COLUMNS.index("chosen")]]
        assert [int(row[0]) for row in marked] == [training["rounds"][step]]
        for rounds, _, _, worse, error, _ in rows:
            assert rounds >= training["rounds"][step] or worse > error
    booster = shipped_scorer().artifact.predictor.boosters[0]
    assert splits_per_account(booster).size == training["rounds"]["cure"]


def test_the_model_costs_a_fifth_of_the_one_before():
    splits = [
        sum(splits_per_account(b).sum() for b in load_artifact(MODELS, v).predictor.boosters) for v in (VERSION, "credit-card-2")
    ]
    assert splits[0] < splits[1] / 5


def test_the_card_leads_with_the_worst_calibrated_outcome():
    manifest = shipped_scorer().artifact.manifest
    found = calibrated_of(manifest.metrics, manifest.metric_intervals)
    worst = worst_calibrated(found)
    second = shipped_scorer().card.split("\n\n")[1]
    assert f"worst calibrated: {worst}, slope {found[worst].slope:.2f}" in second
    off = {**found, "default": Calibrated(0.7, 0.58, 0.82, 0.001, 0.01)}
    assert worst_calibrated(off) == "default"  # a slope surely off, whatever the error
    assert worst_calibrated({}) == ""


def test_predicting_alike_accounts_together_changes_no_bit(portfolio):
    for version in list_versions(MODELS):
        predictor = load_artifact(MODELS, version).predictor
        features = build_features(portfolio.take(slice(0, 700))).matrix
        one_by_one = np.concatenate([predictor.raw(features[row : row + 1]) for row in range(0, 700, 7)])
        np.testing.assert_array_equal(predictor.raw(features)[::7], one_by_one)
