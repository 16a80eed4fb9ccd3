"""Faults that make a model look better than it is, planted one by one: each check must name its own."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from collections_opt.application.training import outcome as model_training
from collections_opt.application.training.outcome import bundled_data
from collections_opt.core.accounts import features as features_module
from collections_opt.core.accounts.features import FEATURE_NAMES, build_features
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.outcomes import CURE
from collections_opt.scoring.evaluation.metrics import expected_calibration_error
from collections_opt.scoring.outcome import rounds as rounds_module
from collections_opt.scoring.outcome import training as training_module
from collections_opt.scoring.outcome.boosting import fit, grow, parameters_for
from collections_opt.scoring.outcome.calibration import FITTERS
from collections_opt.scoring.outcome.rows import TrainingPeriod, chains, stack


@pytest.fixture(scope="module")
def data():
    return bundled_data()


def too_good(period, limit=0.97):
    """Return features that tell the label by themselves: none that is known before it should."""
    matrix, cured = build_features(period.portfolio).matrix, period.outcome == CURE
    found = []
    for index, name in enumerate(FEATURE_NAMES):
        values = np.nan_to_num(matrix[:, index].astype(np.float64), nan=-1e9)
        auc = roc_auc_score(cured, values)
        if max(auc, 1 - auc) > limit:
            found.append(name)
    return found


def test_a_label_in_the_features_is_named(data, monkeypatch):
    later = data.later
    assert too_good(later) == []
    honest = features_module._compute
    leaking = {"months_on_book": lambda: np.where(later.outcome == CURE, 1.0, 0.0)}
    monkeypatch.setattr(features_module, "_compute", lambda portfolio: {**honest(portfolio), **leaking})
    assert too_good(later) == ["months_on_book"]


def skewed(predictor, period):
    """Return whether serving, in small calls, and training, in one matrix, see different numbers."""
    together = predictor(build_features(period.portfolio).matrix)
    apart = [predictor(build_features(period.portfolio.take(slice(i, i + 1))).matrix) for i in range(40)]
    return not np.array_equal(np.vstack(apart), together[:40])


def test_a_feature_that_depends_on_the_company_is_skew(data, monkeypatch):
    assert not skewed(np.nan_to_num, data.later)
    honest = features_module._compute

    def standardised(portfolio):
        columns = dict(honest(portfolio))
        balance = columns["balance"]
        columns["balance"] = lambda: balance() - balance().mean()
        return columns

    monkeypatch.setattr(features_module, "_compute", standardised)
    assert skewed(np.nan_to_num, data.later)


def test_a_calibrator_fitted_on_its_models_training_rows_is_worse_out_of_time(data):
    """What the model trained on looks sharper than it is, so a calibrator fitted there makes later predictions overconfident."""
    rows = stack(data.periods)
    later, happened = build_features(data.later.portfolio).matrix, data.later.outcome == CURE
    given = {"learning_rate": 0.2, "num_leaves": 40, "min_data_in_leaf": 5}
    parameters = {step: {**one, **given} for step, one in parameters_for(rows.outcome.size, 1).items()}
    rounds = {"cure": 60, "default": 60}
    predictor = fit(rows, parameters, rounds)
    seen = FITTERS["matrix"](predictor.raw(rows.features), rows.outcome)
    before, last = chains(rows, [p.outcome.size for p in data.periods], 1)[0]
    unseen = FITTERS["matrix"](fit(before, parameters, rounds).raw(last.features), last.outcome)
    errors = [expected_calibration_error(c.apply(predictor.raw(later))[:, CURE], happened) for c in (seen, unseen)]
    assert errors[0] > 1.2 * errors[1]


def test_training_never_shows_a_calibrator_the_rows_of_its_model(data, monkeypatch):
    """The rows of every booster and of every prediction that chooses rounds or calibrates are recorded; none may overlap."""
    small = [TrainingPeriod(p.name, p.portfolio.take(slice(0, 900)), p.outcome[:900]) for p in data.periods]
    trained: dict[str, set[bytes]] = {}
    checked = 0

    def recording(rows, step, parameters, rounds):
        booster = grow(rows, step, parameters, rounds)
        trained[booster.model_to_string(num_iteration=1)] = {row.tobytes() for row in rows.features}
        return booster

    def judged(booster, rows, step):
        nonlocal checked
        checked += 1
        known = trained[booster.model_to_string(num_iteration=1)]
        overlap = sum(row.tobytes() in known for row in rows.features) / len(rows.features)
        assert overlap < 0.05  # different accounts may have the same features
        return losses(booster, rows, step)

    losses = rounds_module._losses
    monkeypatch.setattr(training_module, "grow", recording)
    monkeypatch.setattr(rounds_module, "_losses", judged)
    training_module.train(small, 1)
    assert checked == 4  # two later periods, two steps
    rows = stack(small)
    booster = recording(rows, "cure", parameters_for(rows.outcome.size, 1), 300)
    with pytest.raises(AssertionError):  # judged on the rows that it was trained on
        judged(booster, rows, "cure")


def test_no_feature_and_no_column_is_protected_and_a_planted_proxy_is_refused(monkeypatch, data, tmp_path):
    # A language that the person chose says who may speak with them; no score reads it.
    check_no_protected([*FEATURE_NAMES, *(name for name in ACCOUNT_SCHEMA if name != "language")], "features")
    monkeypatch.setattr(model_training, "FEATURE_NAMES", (*FEATURE_NAMES, "postcode_rank"))
    with pytest.raises(CollectionsError) as caught:
        model_training.train_model(tmp_path, data, "x", 1, datetime(2026, 11, 24, tzinfo=UTC))
    assert [v.field for v in caught.value.violations] == ["features[postcode_rank]"]
    assert not any(tmp_path.iterdir())
