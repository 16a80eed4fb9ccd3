"""Train the competing-outcomes model: early-stopped on a later period, monotone in p_cure, calibrated on rows it did not see.

Two calibrators, because two things go wrong: the shape (over- or under-confidence), which is a property of the model, and the
level, which drifts with the times. The shape is chosen by log loss on the last period; the level is that of the last period,
predicted out of time by a model of the earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from collections_opt.core.arrays import Array, digest_columns
from collections_opt.core.features import FEATURE_NAMES, FEATURES, build_features
from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.portfolio import Portfolio
from collections_opt.scoring.boosted import BoostedPredictor
from collections_opt.scoring.calibration import FITTERS, IDENTITY, Calibration, fit_level

Floats = NDArray[np.float64]

PERIOD_WEIGHT = 0.5
"""Weight of a period relative to the next: later ones are nearer to what is scored and know more months of history."""
MAX_ROUNDS = 3_000
EARLY_STOPPING_ROUNDS = 80
FOLDS = 5
MANY_ROWS = 50_000
"""A last period of this size calibrates the shape by itself, out of time; smaller ones need out-of-fold predictions too."""


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
        predictor: the LightGBM model.
        calibration: fitted on rows that the predictions calibrated did not train on.
        rounds: boosting rounds of cure and of default, chosen on the last period with a model of the earlier ones.
        candidates: out-of-time log loss per calibration, on the last period, each with the level of the other half.
        training_digest: SHA-256 of features, outcomes and groups.
        periods: names of the training periods.
        parameters: of LightGBM, with the seed, and the weight of a period relative to the next.
    """

    predictor: BoostedPredictor
    calibration: Calibration
    rounds: tuple[int, int]
    candidates: Mapping[str, float]
    training_digest: str
    periods: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingRows:
    """Stacked periods: features float32 (n, f), outcomes int64 (n,), account ids (n,), weights float64 (n,)."""

    features: NDArray[np.float32]
    outcome: NDArray[np.int64]
    account: Array
    weight: Floats

    def take(self, rows: Array | slice) -> TrainingRows:
        """Return some rows."""
        return TrainingRows(self.features[rows], self.outcome[rows], self.account[rows], self.weight[rows])


def stack(periods: Sequence[TrainingPeriod]) -> TrainingRows:
    """Return the rows of periods in order of time, later ones weighing more."""
    ages = range(len(periods) - 1, -1, -1)
    sizes = [p.outcome.size for p in periods]
    features = np.empty((sum(sizes), len(FEATURES)), dtype=np.float32)
    start = 0
    for period, size in zip(periods, sizes, strict=True):
        features[start : start + size] = build_features(period.portfolio).matrix
        start += size
    return TrainingRows(
        features,
        np.concatenate([p.outcome for p in periods]),
        np.concatenate([p.portfolio.column("account_id") for p in periods]),
        np.concatenate([np.full(size, PERIOD_WEIGHT**age) for age, size in zip(ages, sizes, strict=True)]),
    )


def parameters_for(row_count: int, seed: int) -> dict[str, Any]:
    """Return LightGBM's parameters for so many rows; deterministic, the same bytes on any number of threads."""
    many = row_count > MANY_ROWS
    return {
        "objective": "binary",
        "learning_rate": 0.1 if many else 0.02,
        "num_leaves": 31 if many else 16,
        "extra_trees": not many,
        "min_data_in_leaf": 200 if many else 30,
        "feature_fraction": 0.7 if many else 0.4,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 0 if many else 1,  # more threads only spin on little data
        "seed": seed,
        "verbosity": -1,
    }


def train(
    periods: Sequence[TrainingPeriod], seed: int, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> TrainedModel:
    """Train on all periods, in order of time.

    Raises:
        ValueError: for fewer than two periods.
    """
    if len(periods) < 2:
        raise ValueError("at least two periods are needed: rounds are chosen on a later one")
    everything = stack(periods)
    last_size = periods[-1].outcome.size
    cut = everything.outcome.size - last_size
    earlier, last = everything.take(slice(0, cut)), everything.take(slice(cut, None))
    parameters = parameters_for(everything.outcome.size, seed)
    progress("choose rounds", 0.05)
    probe, rounds = _early_stopped(earlier, last, parameters)
    progress("choose calibration", 0.4)
    raw_last = probe.raw(last.features)
    fold = _halves(last.account)
    out_of_time = last_size >= MANY_ROWS
    held_out = None if out_of_time else _out_of_fold(earlier, parameters, rounds)
    losses = {name: _judge(name, raw_last, last.outcome, fold, held_out, earlier.outcome) for name in ("identity", *FITTERS)}
    best = min(losses, key=lambda name: (losses[name], name))
    progress("train on all periods", 0.6)
    predictor = _fit(everything, parameters, rounds)
    progress("calibrate", 0.85)
    if held_out is None:
        probe_shape = shape = _shape(best, raw_last, last.outcome)
    else:
        probe_shape = _shape(best, held_out, earlier.outcome)
        fitted = best != "identity"  # the identity has nothing to fit
        shape = _shape(best, _out_of_fold(everything, parameters, rounds), everything.outcome) if fitted else IDENTITY
    calibration = shape.with_level(fit_level(probe_shape.apply(raw_last), last.outcome))
    digest = digest_columns({"features": everything.features, "outcome": everything.outcome, "account": everything.account})
    progress("done", 1.0)
    return TrainedModel(
        predictor,
        calibration,
        rounds,
        losses,
        digest,
        tuple(p.name for p in periods),
        {**parameters, "period_weight": PERIOD_WEIGHT, "monotone": "p_cure by cure_sign of the features"},
    )


def _shape(name: str, probability: Floats, outcome: NDArray[np.int64]) -> Calibration:
    return IDENTITY if name == "identity" else FITTERS[name](probability, outcome)


def _judge(
    name: str,
    raw_last: Floats,
    outcome: NDArray[np.int64],
    fold: NDArray[np.bool_],
    held_out: Floats | None,
    earlier: NDArray[np.int64],
) -> float:
    """Return a calibration's log loss on the last period; level (and shape, where there are rows enough) from the other half."""
    total = 0.0
    for judged in (fold, ~fold):
        fitted = ~judged
        shape = _shape(name, raw_last[fitted], outcome[fitted]) if held_out is None else _shape(name, held_out, earlier)
        shaped = shape.apply(raw_last)
        full = shape.with_level(fit_level(shaped[fitted], outcome[fitted]))
        p = full.apply(raw_last[judged])
        total -= float(np.log(p[np.arange(p.shape[0]), outcome[judged]]).sum())
    return total / outcome.size


def _halves(account: Array) -> NDArray[np.bool_]:
    """Return a split of accounts into halves, by their order, bool (n,)."""
    _, inverse = np.unique(account, return_inverse=True)
    return np.asarray(inverse % 2 == 0, dtype=np.bool_)


def _datasets(rows: TrainingRows) -> tuple[lgb.Dataset, lgb.Dataset]:
    """Return the rows of the first step, cure or not, and of the second, default or stay among those that did not cure."""
    rest = rows.outcome != CURE
    names = list(FEATURE_NAMES)
    cure = lgb.Dataset(rows.features, (~rest).astype(np.float64), weight=rows.weight, feature_name=names)
    label = (rows.outcome[rest] == DEFAULT).astype(np.float64)
    return cure, lgb.Dataset(rows.features[rest], label, weight=rows.weight[rest], feature_name=names)


def _of_steps(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters of both steps. Default has no sign: accounts past 90 days can no longer come to it."""
    return {**parameters, "monotone_constraints": [feature.cure_sign for feature in FEATURES]}, dict(parameters)


def _fit(rows: TrainingRows, parameters: Mapping[str, Any], rounds: tuple[int, int]) -> BoostedPredictor:
    steps = zip(_of_steps(parameters), _datasets(rows), rounds, strict=True)
    return BoostedPredictor(*(lgb.train(given, data, num_boost_round=count) for given, data, count in steps))


def _early_stopped(
    rows: TrainingRows, later: TrainingRows, parameters: Mapping[str, Any]
) -> tuple[BoostedPredictor, tuple[int, int]]:
    boosters = []
    for given, data, valid in zip(_of_steps(parameters), _datasets(rows), _datasets(later), strict=True):
        stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
        valid.set_reference(data)
        found = lgb.train(given, data, num_boost_round=MAX_ROUNDS, valid_sets=[valid], callbacks=[stop])
        best = max(int(found.best_iteration), 1)
        boosters.append((lgb.Booster(model_str=found.model_to_string(num_iteration=best)), best))
    return BoostedPredictor(*(booster for booster, _ in boosters)), (boosters[0][1], boosters[1][1])


def _out_of_fold(rows: TrainingRows, parameters: Mapping[str, Any], rounds: tuple[int, int]) -> Floats:
    """Predict every row by a model that saw none of its account's rows."""
    result = np.empty((rows.outcome.size, 3))
    for fitted, held in GroupKFold(FOLDS).split(rows.features, rows.outcome, rows.account):
        result[held] = _fit(rows.take(fitted), parameters, rounds).raw(rows.features[held])
    return result
