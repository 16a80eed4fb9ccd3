"""Train the competing-outcomes model: sized, stopped and calibrated on periods later than those it was trained on.

Forward chains: every period but the first is predicted by a model of those before it. On these predictions the rounds of both
steps are chosen, then the calibration; the model served is trained on all periods with these rounds. Where the last period is
large enough by itself, it alone is the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.arrays import digest_columns
from collections_opt.scoring.outcome.boosted import BoostedPredictor
from collections_opt.scoring.outcome.boosting import (
    MANY_ROWS,
    MAX_ROUNDS_OF_FEW,
    STEPS,
    Parameters,
    cut,
    fit,
    grow,
    grow_until_stopped,
    parameters_for,
)
from collections_opt.scoring.outcome.calibration import Calibration
from collections_opt.scoring.outcome.rounds import SizeCurve, choose_rounds
from collections_opt.scoring.outcome.rows import PERIOD_WEIGHT, TrainingPeriod, TrainingRows, chains, stack
from collections_opt.scoring.outcome.shape import Predicted, choose_calibration

Pair = tuple[TrainingRows, TrainingRows]


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and everything its manifest must say.

    Attributes:
        predictor: the LightGBM model.
        calibration: fitted on rows that the predictions calibrated did not train on.
        rounds: boosting rounds by step, chosen on later periods with models of the earlier ones.
        candidates: out-of-time log loss per calibration, on later periods, each with the level of the other half.
        curves: by step, cost against loss; empty where early stopping chose.
        training_digest: SHA-256 of features, outcomes and groups.
        periods: names of the training periods.
        parameters: of LightGBM by step, with the seed, and the weight of a period relative to the next.
        later: the last of the periods, each predicted by a model of the earlier ones, as every choice was made.
    """

    predictor: BoostedPredictor
    calibration: Calibration
    rounds: Mapping[str, int]
    candidates: Mapping[str, float]
    curves: Mapping[str, SizeCurve]
    training_digest: str
    periods: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    later: tuple[Predicted, ...] = ()


def train(
    periods: Sequence[TrainingPeriod],
    seed: int,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
    own: Sequence[OwnFeature] = (),
) -> TrainedModel:
    """Train on all periods, in order of time, and on some own columns of theirs.

    Raises:
        ValueError: for fewer than two periods.
    """
    if len(periods) < 2:
        raise ValueError("at least two periods are needed: rounds are chosen on a later one")
    everything, sizes = stack(periods, own), [period.outcome.size for period in periods]
    parameters = parameters_for(everything.outcome.size, seed)
    progress("choose rounds", 0.05)
    many = sizes[-1] >= MANY_ROWS
    pairs = chains(everything, sizes, 1 if many else len(periods))
    found = _stopped(pairs[-1], parameters) if many else _sized(pairs, parameters)
    progress("choose calibration", 0.5)
    calibration, losses = choose_calibration(found.predicted)
    progress("train on all periods", 0.6)
    predictor = fit(everything, parameters, found.rounds)
    digest = digest_columns({"features": everything.features, "outcome": everything.outcome, "account": everything.account})
    progress("done", 1.0)
    return TrainedModel(
        predictor,
        calibration,
        found.rounds,
        losses,
        found.curves,
        digest,
        tuple(p.name for p in periods),
        {"steps": parameters, "period_weight": PERIOD_WEIGHT, "monotone": "p_cure by cure_sign of the features"},
        tuple(found.predicted),
    )


@dataclass(frozen=True)
class _Found:
    """Rounds by step with their curves, and later periods predicted by what was known before."""

    rounds: dict[str, int]
    curves: dict[str, SizeCurve]
    predicted: list[Predicted]


def _stopped(pair: Pair, parameters: Parameters) -> _Found:
    """Stop where the loss of the last period no longer falls."""
    found = {step: grow_until_stopped(*pair, step, parameters) for step in STEPS}
    predictor = BoostedPredictor(*(booster for booster, _ in found.values()))
    return _Found({step: rounds for step, (_, rounds) in found.items()}, {}, [_predicted(predictor, pair[1])])


def _sized(pairs: Sequence[Pair], parameters: Parameters) -> _Found:
    """Choose rounds over all later periods."""
    grown = {step: [grow(earlier, step, parameters, MAX_ROUNDS_OF_FEW) for earlier, _ in pairs] for step in STEPS}
    curves = {step: choose_rounds(grown[step], [later for _, later in pairs], step) for step in STEPS}
    rounds = {step: curve.chosen for step, curve in curves.items()}
    predicted = [
        _predicted(BoostedPredictor(*(cut(grown[step][place], rounds[step]) for step in STEPS)), later)
        for place, (_, later) in enumerate(pairs)
    ]
    return _Found(rounds, curves, predicted)


def _predicted(predictor: BoostedPredictor, rows: TrainingRows) -> Predicted:
    return Predicted(predictor.raw(rows.features), rows.outcome, rows.account, rows.stands_for)
