"""A foreign outcome model brought to a lender's own level, from the first matured ranking on.

Three matured rankings make a model of a lender's own: one each to fit, to calibrate and to judge. Until then the model that
serves was learned elsewhere. How it orders accounts may carry over; how often they cure and default hardly does, and increments
rest on both: a level that is wrong by a multiple can order accounts worse than no model at all. One matured ranking tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.card import recalibrated_card
from collections_opt.application.training.matured import MaturedRanking, outcome_periods
from collections_opt.application.training.outcome import judged_figures
from collections_opt.application.training.periods import creation_text
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.features import build_features
from collections_opt.core.arrays import digest_columns
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.experiments.arms import person_keys
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.outcome.artifacts import Artifact, load_artifact, write_artifact
from collections_opt.scoring.outcome.rows import TrainingPeriod
from collections_opt.scoring.outcome.shape import Predicted, choose_calibration, halves

Floats = NDArray[np.float64]

JUDGED_ON = "halves of people, each by the other half's calibration"


@dataclass(frozen=True)
class Recalibrated:
    """What was written: the version's folder, and log loss of the base and of the version on people it was not fitted on."""

    folder: Path
    loss_before: float
    loss_after: float


def recalibrate(workspace: Workspace, matured: Sequence[MaturedRanking], version: str, created_at: datetime) -> Recalibrated:
    """Write ``outcome/version``: the champion's predictor under a calibration fitted on unworked accounts of matured rankings.

    Shape and level are chosen as those of a model of one's own, on all rankings; figures are cross-fitted by halves of people.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE without a champion; INVALID_ARGUMENT for too few accounts of an outcome, or a time
            without zone; ALREADY_EXISTS when the version exists with other bytes.
    """
    made_at = creation_text(created_at)
    base = _champion(workspace)
    periods = outcome_periods(matured)
    rows = [_predicted(base, period) for period in periods]
    calibration, losses = choose_calibration(rows)
    before, after = _crossed(base, rows)
    outcome, weight = (np.concatenate([getattr(one, name) for one in rows]) for name in ("outcome", "weight"))
    figures = judged_figures(after, outcome, weight)
    told = f"{base.manifest.kind}/{base.manifest.version}"
    manifest = replace(
        base.manifest,
        version=version,
        created_at=made_at,
        metrics={name: value for name, (value, _) in figures.items()},
        metric_intervals={name: interval for name, (_, interval) in figures.items() if interval},
        training={
            "dataset": ", ".join(one.ranking_id for one in matured),
            "recalibrated": told,
            "base_digest": base.digest,
            "periods": [period.name for period in periods],
            "judged_on": JUDGED_ON,
            "digest": digest_columns({"account": np.concatenate([one.account for one in rows]), "outcome": outcome}),
            "unseen_outcomes": {period.name: dict(period.left_out) for period in periods if period.left_out},
            "methods": periods[-1].method,
            "calibration_log_loss": {name: round(loss, 9) for name, loss in losses.items()},
        },
    )
    loss_before, loss_after = (_log_loss(p, outcome, weight) for p in (before, after))
    card = recalibrated_card(manifest, calibration, loss_before, loss_after)
    folder = write_artifact(workspace.models.root, manifest, base.predictor, calibration, card)
    return Recalibrated(folder, loss_before, loss_after)


def _champion(workspace: Workspace) -> Artifact:
    champion = workspace.models.standing(ModelKind.OUTCOME).champion
    if not champion:
        raise refuse(Reason.MODEL_UNAVAILABLE, "champion", "no version is champion.", "Promote an approved version.")
    return load_artifact(workspace.models.root, champion)


def _predicted(base: Artifact, period: TrainingPeriod) -> Predicted:
    features = build_features(period.portfolio, base.manifest.own_columns).matrix
    weight = np.ones(period.outcome.size) if period.weight is None else period.weight
    return Predicted(base.predictor.raw(features), period.outcome, person_keys(period.portfolio), weight)


def _crossed(base: Artifact, rows: Sequence[Predicted]) -> tuple[Floats, Floats]:
    """Return what the base says of all rows, and what a calibration of the other half of people does, float64 (n, 3) each."""
    raw = np.vstack([one.raw for one in rows])
    person = np.concatenate([one.account for one in rows])
    first, after = halves(person), np.empty_like(raw)
    ends = np.cumsum([0, *(one.outcome.size for one in rows)])
    for judged in (first, ~first):
        others = [one.part(~judged[start:stop]) for one, start, stop in zip(rows, ends[:-1], ends[1:], strict=True)]
        after[judged] = choose_calibration(others)[0].apply(raw[judged])
    return base.calibration.apply(raw), after


def _log_loss(probability: Floats, outcome: NDArray[np.int64], weight: Floats) -> float:
    chosen = np.maximum(probability[np.arange(outcome.size), outcome], 1e-12)
    return float(-np.average(np.log(chosen), weights=weight))
