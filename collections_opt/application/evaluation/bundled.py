"""Evaluate a model on the bundled data: August in full, September's coding break as an alarm, published work beside it."""

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

from collections_opt.application.evaluation.outcome import evaluate_outcomes
from collections_opt.application.evaluation.simulated_effects import evaluate_simulated_effects
from collections_opt.application.training.outcome import bundled_data
from collections_opt.core.accounts.admission import admit
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, september, snapshot
from collections_opt.datasets.lending_club import JUDGED_MONTH, TRAINING_MONTHS, charged_off
from collections_opt.scoring.effect.evaluation import EffectEvaluation
from collections_opt.scoring.evaluation.metrics import CLASSES
from collections_opt.scoring.evaluation.probabilities import ModelEvaluation, calibration_alarm
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.scorer import Scorer
from collections_opt.scoring.recovery.evaluation import RecoveryEvaluation, judge_recoveries
from collections_opt.scoring.recovery.rows import RecoveryRows
from collections_opt.scoring.recovery.training import learn_hurdle

Floats = NDArray[np.float64]
_STATUSES = ("PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")
RECOVERY_SEED = 1
MONEY = "the next month's cash"
NOTE = "September's status codes break (0 disappears, 1 appears): an alarm on 2005-09 is what should be found."


@dataclass(frozen=True)
class BundledEvaluation:
    """All figures of the bundled data, and of effects on a simulated lender, because no contact was recorded in it.

    ``recoveries`` are those of LendingClub loans, judged on June.
    """

    model: ModelEvaluation
    october_auc: Mapping[str, float]
    recoveries: RecoveryEvaluation
    effects: EffectEvaluation


def evaluate_bundled(
    models: Path, version: str, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> BundledEvaluation:
    """Evaluate a version; deterministic.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it cannot be loaded.
    """
    scorer = Scorer(load_artifact(models, version))
    progress("August", 0.05)
    accounts, data = load_accounts(), bundled_data()
    cash = snapshot(accounts, PORTFOLIO_MONTH).realised_for(data.later.portfolio).cash_minor
    model = evaluate_outcomes(scorer, data, MONEY, cash.astype(np.float64), drift_alarms(scorer), NOTE)
    progress("October default", 0.4)
    october = october_default(accounts)
    progress("recoveries", 0.6)
    recoveries = study_of_recoveries()
    effects = evaluate_simulated_effects(lambda stage, fraction: progress(stage, 0.7 + 0.3 * fraction))
    return BundledEvaluation(model, october, recoveries, effects)


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


def study_of_recoveries() -> RecoveryEvaluation:
    """Fit recoveries on LendingClub loans issued in April 2015, calibrate them on May and judge them on June."""
    april, may, june = (_loans(month) for month in (*TRAINING_MONTHS, JUDGED_MONTH))
    hurdle = learn_hurdle(april, may, (0,) * april.features.shape[1], RECOVERY_SEED)
    return judge_recoveries(hurdle, june, float(april.share.mean()), RECOVERY_SEED)


def _loans(month: int) -> RecoveryRows:
    loans = charged_off((month,))
    names = np.array([f"{month}-{row}".encode() for row in range(loans.exposure.size)])
    return RecoveryRows(loans.features.astype(np.float32), loans.exposure, loans.net_recovery, names)
