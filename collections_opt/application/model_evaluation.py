"""Evaluate a model on the bundled data out of time: August in full, September's coding break as an alarm, money at capacity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from collections_opt.application.model_training import bundled_data
from collections_opt.core.admission import admit
from collections_opt.core.eligibility import bucket_of
from collections_opt.core.features import FEATURE_NAMES, build_features
from collections_opt.core.outcomes import CURE, DEFAULT
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, september, snapshot
from collections_opt.datasets.lending_club import JUDGED_MONTH, TRAINING_MONTHS, charged_off
from collections_opt.scoring.artifacts import load_artifact
from collections_opt.scoring.evaluation import (
    Drift,
    Estimate,
    ModelEvaluation,
    bootstrap_share,
    calibration_alarm,
    evaluate_class,
    population_stability,
)
from collections_opt.scoring.metrics import CLASSES
from collections_opt.scoring.recovery import NOTHING, train_recovery
from collections_opt.scoring.scorer import Scorer

Floats = NDArray[np.float64]
SHARES = (0.1, 0.2)
_STATUSES = ("PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")
SEED = 20_050_801


@dataclass(frozen=True)
class StudyOfRecoveries:
    """LendingClub loans judged on June: share of net recovered money held by the first loans, per order and share worked."""

    gains: Mapping[str, Mapping[float, Estimate]]
    observed_kinds: tuple[float, float, float]
    predicted_kinds: tuple[float, float, float]


@dataclass(frozen=True)
class BundledEvaluation:
    """All figures of the bundled data."""

    model: ModelEvaluation
    october_auc: Mapping[str, float]
    recoveries: StudyOfRecoveries


def evaluate_bundled(
    models: Path, version: str, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> BundledEvaluation:
    """Evaluate a version; deterministic.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it cannot be loaded.
    """
    scorer = Scorer(load_artifact(models, version))
    progress("August", 0.05)
    model = evaluate_outcomes(scorer)
    progress("October default", 0.4)
    october = october_default(load_accounts())
    progress("recoveries", 0.9)
    return BundledEvaluation(model, october, study_of_recoveries())


def evaluate_outcomes(scorer: Scorer) -> ModelEvaluation:
    """Return everything about the outcome model on August, and the alarms that September raises."""
    accounts = load_accounts()
    data = bundled_data()
    later = data.later
    outcomes = scorer.score(later.portfolio)
    p = outcomes.probability
    bucket = bucket_of(later.portfolio.column("days_past_due"))
    segments = {f"{30 * b}-{30 * b + 29} days past due": bucket == b for b in np.unique(bucket).tolist()}
    last = data.periods[-1].portfolio  # earlier ones know fewer months of history
    before = build_features(last).matrix.astype(np.float64)
    after = build_features(later.portfolio).matrix.astype(np.float64)
    drift: dict[str, Drift] = {
        name: population_stability(before[:, index], after[:, index]) for index, name in enumerate(FEATURE_NAMES)
    }
    drift["p_cure"] = population_stability(scorer.score(last).probability[:, CURE], p[:, CURE])
    cash = snapshot(accounts, PORTFOLIO_MONTH).realised_for(later.portfolio).cash_minor.astype(np.float64)
    balance = later.portfolio.column("balance_minor").astype(np.float64)
    orders = {
        "p_cure": p[:, CURE],
        "p_default": p[:, DEFAULT],
        "balance": balance,
        "p_cure x balance": p[:, CURE] * balance,
        "perfect hindsight": cash,
    }
    return ModelEvaluation(
        model_version=scorer.model_version,
        judged_on=later.name,
        classes={name: evaluate_class(p[:, index], later.outcome == index, SEED) for name, index in CLASSES.items()},
        segments={
            segment: {
                name: evaluate_class(p[rows][:, index], later.outcome[rows] == index, SEED) for name, index in CLASSES.items()
            }
            for segment, rows in segments.items()
        },
        drift=drift,
        gains=gains(orders, cash),
        alarms=drift_alarms(scorer),
    )


def drift_alarms(scorer: Scorer) -> tuple[str, ...]:
    """Return the alarms of September, whose status codes break: the model still ranks, but its level is gone."""
    raw, outcome = september(load_accounts())
    admission = admit(raw)
    ids = np.array(raw.columns["account_id"].tolist(), dtype="S")
    order = np.argsort(ids)
    happened = outcome[order[np.searchsorted(ids[order], admission.portfolio.column("account_id"))]]
    p = scorer.score(admission.portfolio).probability
    found = [calibration_alarm(f"2005-09 {name}", p[:, index], happened == index) for name, index in CLASSES.items()]
    return tuple(alarm for alarm in found if alarm)


def gains(orders: Mapping[str, Floats], money: Floats) -> dict[str, dict[float, Estimate]]:
    """Return the share of money held by the first accounts of each order, with bootstrap intervals."""
    return {
        name: {share: bootstrap_share(money, money, np.argsort(-key, kind="stable"), share, SEED) for share in SHARES}
        for name, key in orders.items()
    }


def october_default(accounts: pd.DataFrame) -> dict[str, float]:
    """Return the AUC of October default on all accounts by five-fold cross-validation, with and without September's status."""
    label = accounts["default_payment_next_month"].to_numpy(dtype=np.int64)
    settings = {"with September's status": ["PAY_0", *_STATUSES], "without": list(_STATUSES)}
    parameters = {
        "objective": "binary",
        "learning_rate": 0.03,
        "num_leaves": 12,
        "min_data_in_leaf": 100,
        "feature_fraction": 0.3,
        "lambda_l2": 10.0,
        "deterministic": True,
        "force_row_wise": True,
        "extra_trees": True,
        "num_threads": 1,
        "seed": 1,
        "verbosity": -1,
    }
    result = {}
    for name, statuses in settings.items():
        matrix = _october_features(accounts, statuses)
        held = np.empty(label.size)
        for fitted, judged in StratifiedKFold(5, shuffle=True, random_state=1).split(matrix, label):
            booster = lgb.train(parameters, lgb.Dataset(matrix[fitted], label[fitted]), num_boost_round=500)
            held[judged] = booster.predict(matrix[judged])
        result[name] = float(roc_auc_score(label, held))
    return result


def _october_features(accounts: pd.DataFrame, statuses: list[str]) -> Floats:
    """Return amounts, statuses, use of the limit and payment ratios, float64 (n, f); no protected attribute."""
    amounts = [c for c in accounts.columns if c.startswith(("LIMIT_BAL", "PAY_AMT", "BILL_AMT"))]
    status = accounts[statuses].to_numpy(dtype=np.float64)
    bills = accounts[[f"BILL_AMT{k}" for k in range(1, 7)]].to_numpy(dtype=np.float64)
    paid = accounts[[f"PAY_AMT{k}" for k in range(1, 6)]].to_numpy(dtype=np.float64)
    use = bills / accounts[["LIMIT_BAL"]].to_numpy(dtype=np.float64)
    ratios = paid / np.maximum(bills[:, 1:], 1.0)
    summary = [status.max(axis=1), (status > 0).sum(axis=1), status.mean(axis=1)]
    return np.column_stack([accounts[amounts].to_numpy(dtype=np.float64), status, use, ratios, *summary])


def study_of_recoveries() -> StudyOfRecoveries:
    """Train recoveries on loans issued in April and May 2015 and judge them on June."""
    fitted, judged = charged_off(TRAINING_MONTHS), charged_off((JUDGED_MONTH,))
    model = train_recovery(fitted.features, fitted.recovered_share, seed=1)
    p = model.probabilities(judged.features)
    orders = {
        "probability": 1.0 - p[:, NOTHING],
        "balance": judged.exposure,
        "value": model.expected_share(judged.features) * judged.exposure,
        "perfect hindsight": judged.net_recovery,
    }
    share = judged.recovered_share
    observed = (float((share <= 0).mean()), float(((share > 0) & (share < 0.95)).mean()), float((share >= 0.95).mean()))
    nothing, part, everything = p.mean(axis=0).tolist()
    return StudyOfRecoveries(gains(orders, judged.net_recovery), observed, (nothing, part, everything))
