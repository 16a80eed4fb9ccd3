"""Recoveries of nothing, a part or all: calibrated on accounts that nothing saw, better than one mean, safe on disk."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts import features as features_module
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.scoring.recovery.artifacts import (
    RECOVERY_ENGINE,
    RECOVERY_KIND,
    load_recovery,
    parse_recovery,
    recovery_text,
    write_recovery,
)
from collections_opt.scoring.recovery.evaluation import judge_recoveries
from collections_opt.scoring.recovery.features import (
    RECOVERY_FEATURE_NAMES,
    RECOVERY_FEATURE_SET_VERSION,
    RECOVERY_FEATURES,
    RECOVERY_SIGN,
    build_recovery_features,
    recovery_signs,
)
from collections_opt.scoring.recovery.model import RecoveryModel, RecoveryStep
from collections_opt.scoring.recovery.rows import RecoveryRows, without_seen
from collections_opt.scoring.recovery.training import check_no_leaks, learn_hurdle
from collections_opt.scoring.versions.artifacts import Manifest, read_manifest
from collections_opt.scoring.versions.mlflow_format import export_mlflow, import_mlflow

COUNT = len(RECOVERY_FEATURE_NAMES)
PAID, OWED = RECOVERY_FEATURE_NAMES.index("months_paid"), RECOVERY_FEATURE_NAMES.index("balance")


def charged_off(seed, count=3_000, told=1.5):
    """Return accounts whose recovery depends on the months paid and the balance, as strongly as told."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, COUNT)).astype(np.float32)
    features[rng.random((count, COUNT)) < 0.1] = np.nan
    push = told * (np.nan_to_num(features[:, PAID]) - 0.5 * np.nan_to_num(features[:, OWED]))
    gave = rng.random(count) < 1.0 / (1.0 + np.exp(0.3 - push))
    full = gave & (rng.random(count) < 0.1)
    mean = 0.3 / (1.0 + np.exp(-0.5 * push)) + 0.05
    share = np.where(full, 1.0, np.where(gave, np.clip(rng.gamma(4.0, mean / 4.0), 0.01, 0.9), 0.0))
    exposure = np.rint(np.exp(rng.normal(12.0, 0.6, count)))
    return RecoveryRows(features, exposure, share * exposure, np.array([f"{seed}-{i}".encode() for i in range(count)]))


@pytest.fixture(scope="module")
def hurdle():
    return learn_hurdle(charged_off(1), charged_off(2), recovery_signs(), 1)


@pytest.fixture(scope="module")
def judged(hurdle):
    return judge_recoveries(hurdle, charged_off(3), float(charged_off(1).share.mean()), 1)


def test_it_is_calibrated_and_better_than_one_mean_on_accounts_that_nothing_saw(judged):
    assert judged.slope.low <= 1.0 <= judged.slope.high
    assert judged.level.low <= 1.0 <= judged.level.high
    assert judged.r2.low > 0.1
    assert judged.mae.high < judged.mae_of_mean
    assert judged.captured["value"][0.2].low > judged.captured["balance"][0.2].high
    for kind, share in judged.observed.items():
        assert judged.predicted[kind] == pytest.approx(share, abs=0.02), kind


def test_one_mean_foretells_nobody_where_recoveries_are_nothing_a_part_or_all(hurdle):
    later = charged_off(3)
    p = hurdle.probabilities(later.features)
    likely = np.array([p[later.kind == kind, kind].mean() for kind in range(3)])
    base = np.bincount(later.kind) / later.count
    assert (likely > base).all()


@pytest.fixture(scope="module")
def flat():
    return learn_hurdle(charged_off(1, told=0.0), charged_off(2, told=0.0), recovery_signs(), 1)


def test_what_nobody_can_foretell_gets_its_level_alone(flat):
    later = charged_off(3, told=0.0)
    assert np.ptp(flat.expected_share(later.features)) < 0.1
    assert flat.expected_share(later.features).mean() == pytest.approx(later.share.mean(), abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)), min_size=COUNT, max_size=COUNT), max_size=5))
def test_probabilities_sum_to_one_shares_stay_inside_and_rows_do_not_know_each_other(hurdle, rows):
    features = np.array(rows, dtype=np.float32).reshape(-1, COUNT)
    p, share = hurdle.probabilities(features), hurdle.expected_share(features)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert ((p >= 0) & (p <= 1)).all()
    assert ((share >= 0) & (share <= 1)).all()
    alone = [hurdle.expected_share(features[i : i + 1])[0] for i in range(len(features))]
    assert share.tolist() == alone


def test_the_share_moves_with_a_feature_only_as_the_domain_demands(hurdle):
    base = charged_off(4, 200).features
    for name, sign in RECOVERY_SIGN.items():
        column = RECOVERY_FEATURE_NAMES.index(name)
        grid = []
        for value in np.linspace(-3, 3, 13):
            moved = base.copy()
            moved[:, column] = value
            grid.append(hurdle.expected_share(moved))
        assert (np.diff(np.array(grid), axis=0) * sign >= -1e-12).all(), name


def test_training_and_serving_see_the_same_bits(hurdle):
    portfolio = admit(SimulatedLender(5, 4_000).month(0).snapshot.raw).portfolio
    model = RecoveryModel("r", hurdle)
    together = model.losses_of(portfolio)
    assert np.array_equal(together, 1.0 - hurdle.expected_share(build_recovery_features(portfolio)))
    alone = [model.losses_of(portfolio.take(slice(i, i + 1)))[0] for i in range(30)]
    assert together[:30].tolist() == alone
    assert model.losses_of(portfolio.take(slice(0, 0))).size == 0


def test_a_world_teaches_the_recoveries_of_another():
    def lived(seed):
        rows = []
        for month in SimulatedLender(seed, 150_000).history([0, 1, 2]):
            portfolio = admit(month.snapshot.raw).portfolio
            place = month.snapshot.rows_of(portfolio)
            lost = month.snapshot.outcome[place] == 1
            owed = portfolio.column("balance_minor")[lost].astype(np.float64)
            back = month.recovery_minor[place][lost].astype(np.float64)
            rows.append(RecoveryRows(build_recovery_features(portfolio)[lost], owed, back, portfolio.column("account_id")[lost]))
        return without_seen(rows)

    mine, theirs = lived(61), lived(62)
    made = learn_hurdle(mine[0], mine[1], recovery_signs(), 1)
    other = judge_recoveries(made, theirs[2], float(mine[0].share.mean()), 1)
    assert other.level.low < 1.1
    assert other.level.high > 0.9
    assert other.r2.value > -0.03  # the world says so little of an account that the level is all there is to know


def test_too_few_accounts_are_refused_in_words():
    few = charged_off(1, 120)
    with pytest.raises(CollectionsError, match="to fit") as refused:
        learn_hurdle(few.take(few.kind != 1), charged_off(2), recovery_signs(), 1)
    assert "at least 50" in str(refused.value)
    with pytest.raises(CollectionsError, match="to calibrate"):
        learn_hurdle(charged_off(2, 500), few.take(few.kind == 0), recovery_signs(), 1)
    with pytest.raises(CollectionsError, match="to judge on"):
        judge_recoveries(
            learn_hurdle(charged_off(1, 500), charged_off(2, 500), recovery_signs(), 1), few.take(few.kind == 0), 0.1, 1
        )


def test_a_calibrator_fitted_on_its_models_rows_is_refused():
    """Planted fault: the accounts that calibrate are those that were fitted on."""
    fitted = charged_off(1)
    with pytest.raises(CollectionsError, match="calibrates what was fitted"):
        learn_hurdle(fitted, fitted, recovery_signs(), 1)
    assert [part.count for part in without_seen([fitted, fitted])] == [fitted.count, 0]
    assert without_seen([fitted, fitted])[1].dropped_count == fitted.count


def test_a_recovery_among_the_features_is_named(monkeypatch):
    """Planted fault: a column that was filled in after the recovery."""
    portfolio = admit(SimulatedLender(5, 4_000).month(0).snapshot.raw).portfolio
    share = np.random.default_rng(1).random(portfolio.account_count) * (np.arange(portfolio.account_count) % 2)

    def rows():
        owed = np.full(portfolio.account_count, 1e5)
        return RecoveryRows(build_recovery_features(portfolio), owed, share * owed, portfolio.column("account_id"))

    check_no_leaks(rows(), RECOVERY_FEATURE_NAMES)
    honest = features_module._compute
    monkeypatch.setattr(features_module, "_compute", lambda p: {**honest(p), "months_on_book": lambda: share})
    with pytest.raises(CollectionsError) as refused:
        check_no_leaks(rows(), RECOVERY_FEATURE_NAMES)
    assert [v.field for v in refused.value.violations] == ["features[months_on_book]"]


def test_a_mean_in_place_of_the_hurdle_is_noticed(judged, flat):
    """Planted fault: every account gets the mean share, as one regression without signal would say."""
    rows, mean = charged_off(3), float(charged_off(1).share.mean())
    found = judge_recoveries(flat, rows, mean, 1)
    assert found.r2.high < judged.r2.low
    assert found.captured["value"][0.2].high < judged.captured["value"][0.2].low


def test_features_are_declared_once_and_none_is_protected():
    check_no_protected(RECOVERY_FEATURE_NAMES, "features")
    assert set(RECOVERY_SIGN) <= set(RECOVERY_FEATURE_NAMES)
    assert all(feature.meaning and feature.unit for feature in RECOVERY_FEATURES)
    assert not any("recover" in name or "loss" in name or "charge" in name for name in RECOVERY_FEATURE_NAMES)


def written(root, model, **changes):
    made = (RECOVERY_FEATURE_SET_VERSION, RECOVERY_FEATURE_NAMES, "", {}, {}, {}, "2026-11-24T00:00:00+00:00", RECOVERY_ENGINE)
    return write_recovery(root, replace(Manifest(RECOVERY_KIND, model.version, *made), **changes), model, "# A test\n")


def test_it_comes_back_from_disk_bit_for_bit_and_damage_is_refused(tmp_path, hurdle):
    model = RecoveryModel("r-1", hurdle)
    folder = written(tmp_path, model)
    loaded = load_recovery(tmp_path, "r-1")
    assert loaded.model == model
    assert loaded.text == recovery_text(model)
    assert loaded.digest == read_manifest(tmp_path, "r-1", RECOVERY_KIND)[1]
    rows = charged_off(3).features
    assert np.array_equal(loaded.model.hurdle.expected_share(rows), hurdle.expected_share(rows))
    exported = export_mlflow(tmp_path, RECOVERY_KIND, "r-1", tmp_path / "out")
    assert import_mlflow(exported, tmp_path / "other") == (RECOVERY_KIND, "r-1")
    assert load_recovery(tmp_path / "other", "r-1") == loaded
    assert "loss_given_default" in (exported / "MLmodel").read_text()
    path = folder / "recovery.json"
    path.write_text(path.read_text().replace('"slope": 1.0', '"slope": 2.0'))
    with pytest.raises(CollectionsError, match="differs"):
        load_recovery(tmp_path, "r-1")


def test_what_is_no_recovery_model_is_refused(tmp_path, hurdle):
    text = recovery_text(RecoveryModel("r-1", hurdle))
    senseless = recovery_text(RecoveryModel("r-1", replace(hurdle, part=replace(hurdle.part, trees="no trees"))))
    for broken, said in (
        ("{}", "not a recovery model"),
        (senseless, "not a LightGBM model"),
        (text.replace(f'"full_share": {hurdle.full_share}', '"full_share": 1.5'), "outside 0 to 1"),
    ):
        with pytest.raises(CollectionsError, match=said):
            parse_recovery(broken)
    written(tmp_path, RecoveryModel("r-1", hurdle), feature_set_version="recovery-0")
    with pytest.raises(CollectionsError, match="feature set"):
        load_recovery(tmp_path, "r-1")


def test_without_lightgbm_it_says_so_and_a_level_alone_needs_none(hurdle, flat, monkeypatch):
    monkeypatch.setitem(sys.modules, "collections_opt.scoring.outcome.boosted", None)
    with pytest.raises(CollectionsError, match="import") as refused:
        parse_recovery(recovery_text(RecoveryModel("r-1", hurdle)))
    assert refused.value.reason is Reason.MODEL_UNAVAILABLE
    level = RecoveryStep("", 1.0, -1.0)
    known = parse_recovery(recovery_text(RecoveryModel("r-2", replace(flat, anything=level, everything=level, part=level))))
    assert known.hurdle.expected_share(charged_off(3, 5).features).size == 5
