"""Learn recoveries from charged-off accounts: fitted on early periods, calibrated on a later one that the fit did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import lightgbm as lgb
import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.scoring.recovery.model import ALL, NOTHING, PART, RecoveryHurdle, RecoveryStep
from collections_opt.scoring.recovery.rows import RecoveryRows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_OF_EACH = 50
"""Accounts that gave something back, and that did not, to fit and to calibrate on; with fewer a step knows its level only."""

MAX_AUC = 0.97
"""Recoveries are hardly predictable: a feature that alone tells better than this who gave something back was known too late."""

MAX_ROUNDS, EARLY_STOPPING_ROUNDS = 300, 25
FOLDS = 5
PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "objective": "cross_entropy",
        "metric": "cross_entropy",
        "learning_rate": 0.05,
        "num_leaves": 8,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
)
_FLOOR = 1e-9
_DIGITS = 9
"""Fitted parameters are kept to so many digits: what linear algebra differs by between machines must not change an artifact."""


def check_no_leaks(rows: RecoveryRows, names: Sequence[str]) -> None:
    """Refuse features that tell by themselves which accounts gave something back.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every one of them.
    """
    gave = rows.kind != NOTHING
    if not 0 < gave.sum() < rows.count:
        return
    found = []
    for index, name in enumerate(names):
        auc = float(roc_auc_score(gave, np.nan_to_num(rows.features[:, index].astype(np.float64), nan=-1e9)))
        if max(auc, 1.0 - auc) > MAX_AUC:
            told = f"tells by itself who gave something back (AUC {max(auc, 1.0 - auc):.2f})."
            found.append(FieldViolation(f"features[{name}]", told, "Give columns as they were before the charge-off."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} feature(s) were known too late.", tuple(found))


def learn_hurdle(
    fitted: RecoveryRows,
    calibrating: RecoveryRows,
    signs: Sequence[int],
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> RecoveryHurdle:
    """Return the hurdle of some accounts, calibrated on later ones that it did not see.

    Args:
        fitted: accounts that the boosters learn from.
        calibrating: later accounts, none of them among the fitted.
        signs: direction of each feature on the recovered share, 0 for none.
        seed: of training.
        progress: told the share done; what it raises ends the work.

    Raises:
        CollectionsError: INVALID_ARGUMENT for too few accounts, saying how many are missing, or an account in both.
    """
    if np.isin(calibrating.account, fitted.account).any():
        told = "an account calibrates what was fitted on it."
        raise refuse(Reason.INVALID_ARGUMENT, "recoveries", told, "Keep each account in one period.")
    for name, rows in (("to fit", fitted), ("to calibrate", calibrating)):
        nothing = int((rows.kind == NOTHING).sum())
        some = rows.count - nothing
        if min(nothing, some) < MIN_OF_EACH:
            lacking = max(MIN_OF_EACH - nothing, 0), max(MIN_OF_EACH - some, 0)
            told = f"{nothing} accounts that gave nothing back and {some} that gave something {name}: "
            told += f"{lacking[0]} and {lacking[1]} are missing."
            remedy = f"Give more charged-off accounts: at least {MIN_OF_EACH} of each in every period."
            raise refuse(Reason.INVALID_ARGUMENT, "recoveries", told, remedy)
    steps = []
    for at, ((target, mine), (later, theirs)) in enumerate(zip(_targets(fitted), _targets(calibrating), strict=True)):
        progress(at / 3)
        steps.append(_step(fitted.take(mine), target[mine], calibrating.take(theirs), later[theirs], signs, seed))
    anything, everything, part = steps
    full = np.concatenate([rows.share[rows.kind == ALL] for rows in (fitted, calibrating)])
    return RecoveryHurdle(anything, everything, part, round(float(full.mean()), _DIGITS) if full.size else 1.0)


def _targets(rows: RecoveryRows) -> list[tuple[Floats, Bools]]:
    """Return what each step foretells, (n,), and on which rows: anything of all, everything of these, the share of the rest."""
    kind = rows.kind
    anything = kind != NOTHING
    return [
        (anything.astype(np.float64), np.ones(rows.count, dtype=bool)),
        ((kind == ALL).astype(np.float64), anything),
        (rows.share, kind == PART),
    ]


def _step(
    fitted: RecoveryRows, target: Floats, calibrating: RecoveryRows, later: Floats, signs: Sequence[int], seed: int
) -> RecoveryStep:
    """Return a step with its calibration: the level alone where accounts cannot be told apart out of time."""
    level = _level(later, target)
    if min(_smaller_side(target), _smaller_side(later)) < MIN_OF_EACH:
        return level
    data = lgb.Dataset(fitted.features, target, free_raw_data=False)
    given = {**PARAMETERS, "seed": seed, "monotone_constraints": list(signs)}
    rounds = _rounds(given, data, fitted, target)
    if not rounds:
        return level
    trees = lgb.train(given, data, num_boost_round=rounds).model_to_string()
    raw = RecoveryStep(trees, 1.0, 0.0).raw(calibrating.features)
    lined = RecoveryStep(trees, *_line(raw, later))
    # A line that falls says the opposite of what was fitted: no better than knowing nothing.
    return lined if lined.slope > 0 and _is_better(lined.of_raw(raw), level.of_raw(raw), later) else level


def _smaller_side(target: Floats) -> int:
    """Return how many rows lie on the rarer side of a yes or no; of shares, how many there are."""
    is_share = bool(((target > 0) & (target < 1)).any())
    return target.size if is_share else int(min(target.sum(), target.size - target.sum()))


def _level(later: Floats, earlier: Floats) -> RecoveryStep:
    """Return the mean of the later rows, with one row of the earlier ones' mean, so that nothing is impossible."""
    prior = (float(earlier.sum()) + 0.5) / (earlier.size + 1.0)
    mean = (float(later.sum()) + prior) / (later.size + 1.0)
    return RecoveryStep("", 1.0, round(float(np.log(mean / (1.0 - mean))), _DIGITS))


def _rounds(given: Mapping[str, Any], data: lgb.Dataset, fitted: RecoveryRows, target: Floats) -> int:
    """Return the rounds with the least loss over folds of accounts, 0 where they do not clearly beat the mean."""
    folds = list(GroupKFold(FOLDS).split(fitted.features, target, fitted.account))
    stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
    found: dict[str, Any] = lgb.cv(
        dict(given), data, num_boost_round=MAX_ROUNDS, folds=folds, callbacks=[stop], return_cvbooster=True
    )
    rounds = int(np.argmin(found["valid cross_entropy-mean"])) + 1
    learned, mean = np.empty(target.size), np.empty(target.size)
    for booster, (kept, held) in zip(found["cvbooster"].boosters, folds, strict=True):
        learned[held] = booster.predict(fitted.features[held], num_iteration=rounds)
        mean[held] = target[kept].mean()
    return rounds if _is_better(learned, mean, target) else 0


def _is_better(predicted: Floats, plain: Floats, target: Floats) -> bool:
    """Return whether predictions lose less than plainer ones by more than a standard error, as noise seldom does."""
    gain = _losses(plain, target) - _losses(predicted, target)
    return bool(gain.mean() > gain.std() / np.sqrt(gain.size))


def _line(raw: Floats, target: Floats) -> tuple[float, float]:
    """Return slope and intercept of a later period; the slope stays 1 where the period does not speak against it."""
    family = sm.families.Binomial()
    both = sm.GLM(target, sm.add_constant(raw, has_constant="add"), family=family).fit(cov_type="HC0")
    low, high = np.asarray(both.conf_int())[1]
    if low <= 1.0 <= high:
        level = sm.GLM(target, np.ones((raw.size, 1)), family=family, offset=raw).fit()
        return 1.0, round(float(np.asarray(level.params)[0]), _DIGITS)
    intercept, slope = np.asarray(both.params)
    return round(float(slope), _DIGITS), round(float(intercept), _DIGITS)


def _losses(predicted: Floats, target: Floats) -> Floats:
    """Return the cross-entropy of each share or chance, from 0 to 1."""
    p = np.clip(predicted, _FLOOR, 1.0 - _FLOOR)
    return np.asarray(-(target * np.log(p) + (1.0 - target) * np.log(1.0 - p)), dtype=np.float64)
