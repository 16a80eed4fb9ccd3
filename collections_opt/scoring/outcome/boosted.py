"""LightGBM as a predictor of competing outcomes; the only module of serving that imports it.

Two boosters, one of p_cure and one of p_default, each over all accounts; who does neither stays. So p_cure itself can be monotone
in a feature, which one multiclass booster cannot give (its constraint would bind every class score in the same direction), and
p_default carries no error of p_cure. Where the two leave less than a hundredth of what does not cure for staying, p_default gives
way. Versions trained before asked for default among those that do not cure; they are read as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from collections_opt.scoring.outcome.tree_pushes import TreePushes

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]

ONE_THREAD_ROWS = 100
"""Up to here a call is scored by one thread."""

FILES = ("p_cure.txt", "p_default.txt")
STEPWISE_FILES = ("cure.txt", "default.txt")
MULTICLASS_FILE = "model.txt"

MOST_DEFAULT = 0.99
"""Largest share of what does not cure that may default: nothing is certain before it happened."""


class _Contributions:
    """The pushes of a booster of one class: looked up where its trees are small, else LightGBM's own."""

    def __init__(self, booster: lgb.Booster) -> None:
        self._booster = booster

    @cached_property
    def _small(self) -> TreePushes | None:
        return TreePushes.of(self._booster.dump_model())

    def of(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return the probability of each account, float64 (n, 1), and each feature's push on its log-odds, float64 (n, f)."""
        if self._small is not None:
            pushes = self._small.pushes(features)
            score = self._small.expected + pushes.sum(axis=1)
        else:
            values = _predicted(self._booster, features, pred_contrib=True)
            pushes, score = values[:, :-1], values.sum(axis=1)
        return (1.0 / (1.0 + np.exp(-score)))[:, np.newaxis], pushes


class _TwoBoosters:
    """A booster of cure and one of default; what the second is about is its subclass's."""

    files = FILES

    def __init__(self, cure: lgb.Booster, default: lgb.Booster) -> None:
        self.boosters = (cure, default)
        self._contributions = tuple(_Contributions(booster) for booster in self.boosters)

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return probabilities of cure, default and stay before calibration, float64 (n, 3)."""
        return _alike_together(features, self._raw)

    def _raw(self, features: NDArray[np.float32]) -> Floats:
        return self._together(*(_predicted(booster, features) for booster in self.boosters))

    @staticmethod
    def _together(cure: Floats, default: Floats) -> Floats:
        """Return the probabilities (n, 3) of what the two boosters say, (n,) each."""
        raise NotImplementedError

    def texts(self) -> dict[str, str]:
        """Return the artifact's files."""
        return {name: booster.model_to_string() for name, booster in zip(self.files, self.boosters, strict=True)}


class BoostedPredictor(_TwoBoosters):
    """A booster of p_cure and one of p_default, each over all accounts."""

    @staticmethod
    def _together(cure: Floats, default: Floats) -> Floats:
        result = np.empty((len(cure), 3))
        result[:, 0] = cure
        rest = 1.0 - result[:, 0]
        result[:, 1] = np.minimum(default, MOST_DEFAULT * rest)
        result[:, 2] = rest - result[:, 1]
        return result

    def contributions(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return probabilities before calibration, float64 (n, 3), and each feature's push on their logs, float64 (n, 3, f).

        SHAP values are pushes on the log-odds of cure and of default; here they are carried to the log-probabilities to first
        order at the account's own point.
        """
        (p_cure, push_cure), (p_default, push_default) = (one.of(features) for one in self._contributions)
        raw = self._together(p_cure[:, 0], p_default[:, 0])
        cure, default, stay = (raw[:, k, np.newaxis] for k in range(3))
        columns = [(1.0 - cure) * push_cure, (1.0 - default) * push_default]
        columns.append(-(cure * columns[0] + default * columns[1]) / stay)
        return raw, np.stack(columns, axis=1)


class StepwisePredictor(_TwoBoosters):
    """A booster of cure, and one of default among those that do not cure, as earlier versions were trained."""

    files = STEPWISE_FILES

    @staticmethod
    def _together(cure: Floats, default: Floats) -> Floats:
        result = np.empty((len(cure), 3))
        result[:, 0], rest = cure, 1.0 - cure
        result[:, 1] = rest * default
        result[:, 2] = rest * (1.0 - default)
        return result

    def contributions(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return probabilities before calibration, float64 (n, 3), and each feature's push on their logs, float64 (n, 3, f).

        SHAP values are pushes on the log-odds of the two steps; here they are carried to the log-probabilities to first order at
        the account's own point.
        """
        (cure, push_cure), (default, push_default) = (one.of(features) for one in self._contributions)
        not_cured = -cure * push_cure
        columns = [(1.0 - cure) * push_cure, not_cured + (1.0 - default) * push_default, not_cured - default * push_default]
        return self._together(cure[:, 0], default[:, 0]), np.stack(columns, axis=1)


class MulticlassPredictor:
    """One multiclass booster, as earlier versions were trained; kept so that what they ranked can be replayed."""

    def __init__(self, booster: lgb.Booster) -> None:
        self.booster = booster

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return probabilities before calibration, float64 (n, 3)."""
        return _alike_together(features, self._raw)

    def _raw(self, features: NDArray[np.float32]) -> Floats:
        return _predicted(self.booster, features)

    def contributions(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return probabilities, float64 (n, 3), and LightGBM's own pushes (SHAP values) on each class's score, (n, 3, f)."""
        values = _predicted(self.booster, features, pred_contrib=True).reshape(len(features), 3, -1)
        score = values.sum(axis=2)
        odds = np.exp(score - score.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True), values[:, :, :-1]

    def texts(self) -> dict[str, str]:
        """Return the artifact's file."""
        return {MULTICLASS_FILE: self.booster.model_to_string()}


def _predicted(booster: lgb.Booster, features: NDArray[np.float32], pred_contrib: bool = False) -> Floats:
    found = booster.predict(features, pred_contrib=pred_contrib, num_threads=_threads(features))
    return np.asarray(found, dtype=np.float64)


def read(contents: Mapping[str, bytes]) -> BoostedPredictor | StepwisePredictor | MulticlassPredictor:
    """Return the predictor of its files.

    Raises:
        ValueError: when LightGBM cannot read them.
    """
    import lightgbm as lgb  # noqa: PLC0415 - takes a second to load; a server starts without it

    try:
        if MULTICLASS_FILE in contents:
            return MulticlassPredictor(lgb.Booster(model_str=contents[MULTICLASS_FILE].decode()))
        kind = StepwisePredictor if STEPWISE_FILES[0] in contents else BoostedPredictor
        return kind(*(lgb.Booster(model_str=contents[name].decode()) for name in kind.files))
    except (lgb.basic.LightGBMError, UnicodeDecodeError) as error:
        raise ValueError(f"is not a LightGBM model: {error}") from error


def read_booster(text: str) -> lgb.Booster:
    """Return the booster of LightGBM's text.

    Raises:
        ValueError: when LightGBM cannot read it.
    """
    import lightgbm as lgb  # noqa: PLC0415 - takes a second to load; a server starts without it

    try:
        return lgb.Booster(model_str=text)
    except lgb.basic.LightGBMError as error:
        raise ValueError(f"is not a LightGBM model: {error}") from error


def log_odds(booster: lgb.Booster, features: NDArray[np.float32]) -> Floats:
    """Return the raw score of a booster of one class, float64 (n,)."""
    raw = booster.predict(features, raw_score=True, num_threads=_threads(features))
    return np.asarray(raw, dtype=np.float64)


def _alike_together(features: NDArray[np.float32], predict: Callable[[NDArray[np.float32]], Floats]) -> Floats:
    """Predict with alike accounts beside each other, and return the answers in the order given.

    Rows are independent, so no bit changes; but trees take the same branches for alike rows, which halves the time.
    """
    if len(features) <= ONE_THREAD_ROWS:
        return predict(features)
    order = np.lexsort(features.T[::-1])
    ordered = predict(features[order])
    result = np.empty_like(ordered)
    result[order] = ordered
    return result


def _threads(matrix: NDArray[np.float32]) -> int:
    """Return LightGBM's threads for a matrix (0: all cores); rows are independent, so this never changes a bit.

    A small call on several threads waits for the slowest of them: on busy cores 0.03 ms became 7 ms for one row.
    """
    return 1 if matrix.shape[0] <= ONE_THREAD_ROWS else 0
