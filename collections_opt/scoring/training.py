"""Train the competing-outcomes model: one multiclass LightGBM, early-stopped on a later period, calibrated on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

from collections_opt.core.arrays import Array, digest_columns
from collections_opt.core.features import FEATURE_NAMES, build_features
from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.portfolio import Portfolio
from collections_opt.scoring.calibration import FITTERS, IDENTITY, Calibration

Floats = NDArray[np.float64]

PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "objective": "multiclass",
        "num_class": 3,
        "learning_rate": 0.05,
        "num_leaves": 10,
        "extra_trees": True,
        "min_data_in_leaf": 30,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,  # the same bytes on any machine; more only spin on data of this size
        "verbosity": -1,
    }
)
PERIOD_WEIGHT = 0.5
"""Weight of a period relative to the next: later ones are nearer to what is scored and know more months of history."""
MAX_ROUNDS = 1_500
EARLY_STOPPING_ROUNDS = 50
FOLDS = 5


@dataclass(frozen=True)
class TrainingPeriod:
    """One period's accounts with their outcomes, aligned by row: the features and the label never share a month."""

    name: str
    portfolio: Portfolio
    outcome: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.outcome.shape != (self.portfolio.account_count,) or not np.isin(self.outcome, (CURE, DEFAULT, STAY)).all():
            raise ValueError(f"period {self.name}: one outcome of cure, default, stay per account is needed")


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and everything its manifest must say.

    Attributes:
        booster: the LightGBM model.
        calibration: fitted on rows that the predictions calibrated did not train on.
        rounds: boosting rounds, chosen on the last period with a model of the earlier ones.
        candidates: held-out log loss per calibration, on the last period.
        training_digest: SHA-256 of features, outcomes and groups.
        periods: names of the training periods.
        parameters: of LightGBM, with the seed, and the weight of a period relative to the next.
    """

    booster: lgb.Booster
    calibration: Calibration
    rounds: int
    candidates: Mapping[str, float]
    training_digest: str
    periods: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rows:
    features: NDArray[np.float32]
    outcome: NDArray[np.int64]
    account: Array
    weight: Floats

    def take(self, rows: Array) -> _Rows:
        return _Rows(self.features[rows], self.outcome[rows], self.account[rows], self.weight[rows])


def _stack(periods: Sequence[TrainingPeriod]) -> _Rows:
    ages = range(len(periods) - 1, -1, -1)
    return _Rows(
        np.vstack([build_features(p.portfolio).matrix for p in periods]),
        np.concatenate([p.outcome for p in periods]),
        np.concatenate([p.portfolio.column("account_id") for p in periods]),
        np.concatenate([np.full(p.outcome.size, PERIOD_WEIGHT**age) for age, p in zip(ages, periods, strict=True)]),
    )


def train(
    periods: Sequence[TrainingPeriod], seed: int, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> TrainedModel:
    """Train on all periods, in order of time.

    Rounds are chosen by early stopping on the last period; the calibration method by log loss on the last period, fitted on
    out-of-fold predictions (folds by account) of the earlier ones; then the model is trained on all periods and its
    calibration fitted on out-of-fold predictions of all periods, so that no calibrator sees its model's training rows.

    Raises:
        ValueError: for fewer than two periods.
    """
    if len(periods) < 2:
        raise ValueError("at least two periods are needed: rounds are chosen on a later one")
    parameters = {**PARAMETERS, "seed": seed}
    earlier, last, everything = _stack(periods[:-1]), _stack(periods[-1:]), _stack(periods)
    progress("choose rounds", 0.05)
    probe = _early_stopped(earlier, last, parameters)
    rounds = max(int(probe.best_iteration), 1)
    progress("choose calibration", 0.3)
    raw_last = np.asarray(probe.predict(last.features, num_iteration=rounds), dtype=np.float64)
    held_out = _out_of_fold(earlier, parameters, rounds)
    candidates = {"identity": IDENTITY} | {name: fit(held_out, earlier.outcome) for name, fit in FITTERS.items()}
    losses = {name: float(log_loss(last.outcome, c.apply(raw_last), labels=[0, 1, 2])) for name, c in candidates.items()}
    best = min(losses, key=lambda name: (losses[name], name))
    progress("train on all periods", 0.6)
    booster = _fit(everything, parameters, rounds)
    progress("calibrate", 0.8)
    calibration = (
        IDENTITY if best == "identity" else FITTERS[best](_out_of_fold(everything, parameters, rounds), everything.outcome)
    )
    digest = digest_columns({"features": everything.features, "outcome": everything.outcome, "account": everything.account})
    progress("done", 1.0)
    return TrainedModel(
        booster,
        calibration,
        rounds,
        losses,
        digest,
        tuple(p.name for p in periods),
        {**parameters, "period_weight": PERIOD_WEIGHT},
    )


def _dataset(rows: _Rows) -> lgb.Dataset:
    return lgb.Dataset(rows.features, rows.outcome, weight=rows.weight, feature_name=list(FEATURE_NAMES), free_raw_data=False)


def _fit(rows: _Rows, parameters: Mapping[str, Any], rounds: int) -> lgb.Booster:
    return lgb.train(dict(parameters), _dataset(rows), num_boost_round=rounds)


def _early_stopped(rows: _Rows, later: _Rows, parameters: Mapping[str, Any]) -> lgb.Booster:
    train_set = _dataset(rows)
    valid = lgb.Dataset(later.features, later.outcome, reference=train_set, feature_name=list(FEATURE_NAMES))
    stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
    return lgb.train(dict(parameters), train_set, num_boost_round=MAX_ROUNDS, valid_sets=[valid], callbacks=[stop])


def _out_of_fold(rows: _Rows, parameters: Mapping[str, Any], rounds: int) -> Floats:
    """Predict every row by a model that saw none of its account's rows."""
    result = np.empty((rows.outcome.size, 3))
    for fitted, held in GroupKFold(FOLDS).split(rows.features, rows.outcome, rows.account):
        result[held] = _fit(rows.take(fitted), parameters, rounds).predict(rows.features[held])
    return result
