"""Evaluate an outcome model out of time: each outcome, by segment, drift since training, money at capacity, alarms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.evaluation.segments import segments_of
from collections_opt.application.training.outcome import TrainingData
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.evaluation.metrics import CLASSES
from collections_opt.scoring.evaluation.probabilities import (
    ClassEvaluation,
    Drift,
    Estimate,
    ModelEvaluation,
    bootstrap_share,
    calibration_alarm,
    evaluate_class,
    population_stability,
)
from collections_opt.scoring.outcome.rows import TrainingPeriod, unseen_sentence
from collections_opt.scoring.outcome.scorer import Scorer

Floats = NDArray[np.float64]
SHARES = (0.1, 0.2)
SEED = 20_050_801


def evaluate_outcomes(
    scorer: Scorer, data: TrainingData, money: str, money_minor: Floats, alarms: tuple[str, ...] = (), alarm_note: str = ""
) -> ModelEvaluation:
    """Return everything about a model on the later period of a history; deterministic.

    Args:
        scorer: of the model.
        data: its ``later`` is judged on, its last period is what drift is measured from.
        money: what the money is, in a few words.
        money_minor: float64 (n,) of the later accounts, minor units.
        alarms: of other periods, beside those of the later one.
        alarm_note: what a reader should know of the alarms.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the history lacks own columns that the model learned from.
    """
    later = data.later
    lacks = scorer.lacks(later.portfolio)
    if lacks:
        told = "; ".join(f"{name} {why}" for name, why in lacks.items())
        raise refuse(Reason.INVALID_ARGUMENT, "own_columns", f"{told}.", "Judge it on accounts with what it learned from.")
    p = scorer.score(later.portfolio).probability
    weight, segments = later.weight, segments_of(later.portfolio)
    found = [calibration_alarm(f"{later.name} {name}", p[:, i], later.outcome == i, weight=weight) for name, i in CLASSES.items()]
    return ModelEvaluation(
        model_version=scorer.model_version,
        judged_on=later.name,
        classes=_classes(p, later.outcome, weight),
        segments={
            name: _classes(p[rows], later.outcome[rows], None if weight is None else weight[rows])
            for name, rows in segments.items()
        },
        drift=_drift(scorer, data.periods[-1], later, p),
        money=money,
        gains=gains(_orders(p, later, money_minor), money_minor, weight),
        alarms=(*(alarm for alarm in found if alarm), *alarms),
        alarm_note=alarm_note,
        unseen=unseen_sentence(later),
    )


def _classes(p: Floats, outcome: NDArray[np.int64], weight: Floats | None) -> dict[str, ClassEvaluation | None]:
    return {name: evaluate_class(p[:, index], outcome == index, SEED, weight=weight) for name, index in CLASSES.items()}


def _drift(scorer: Scorer, last: TrainingPeriod, later: TrainingPeriod, p: Floats) -> dict[str, Drift]:
    """Return the drift since the last training period; earlier ones may know fewer months of history."""
    before, after = (scorer.features(one.portfolio).matrix.astype(np.float64) for one in (last, later))
    names = scorer.artifact.manifest.feature_names
    drift = {name: population_stability(before[:, i], after[:, i]) for i, name in enumerate(names)}
    return {**drift, "p_cure": population_stability(scorer.score(last.portfolio).probability[:, CURE], p[:, CURE])}


def _orders(p: Floats, later: TrainingPeriod, money_minor: Floats) -> dict[str, Floats]:
    balance = later.portfolio.column("balance_minor").astype(np.float64)
    return {
        "p_cure": p[:, CURE],
        "p_default": p[:, DEFAULT],
        "balance": balance,
        "p_cure x balance": p[:, CURE] * balance,
        "perfect hindsight": money_minor,
    }


def gains(orders: Mapping[str, Floats], money: Floats, weight: Floats | None = None) -> dict[str, dict[float, Estimate]]:
    """Return the share of money held by the first accounts of each order, with bootstrap intervals; empty without money."""
    if not money.any():
        return {}
    return {
        name: {
            share: bootstrap_share(money, money, np.argsort(-key, kind="stable"), share, SEED, weight=weight) for share in SHARES
        }
        for name, key in orders.items()
    }
