"""Evaluate an outcome model on a lender's own history: judged on its last period, which the model must not know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.evaluation.outcome import evaluate_outcomes
from collections_opt.application.training.own import own_data
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE
from collections_opt.datasets.files.training_files import LabelledAccounts, TrainingFiles
from collections_opt.scoring.evaluation.probabilities import ModelEvaluation
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.rows import TrainingPeriod
from collections_opt.scoring.outcome.scorer import Scorer

CASH = "the cash paid in the period"
CURED_ARREARS = "the arrears of accounts that cured"


def evaluate_own(models: Path, version: str, settings: TrainingFiles, labelled: Sequence[LabelledAccounts]) -> ModelEvaluation:
    """Evaluate a version on the last period of a history; money is cash where the outcomes say it, else arrears cured.

    Raises:
        CollectionsError: as ``load_artifact`` and ``own_data``; INVALID_ARGUMENT when the model was fitted on that period.
    """
    artifact = load_artifact(models, version)
    data = own_data(settings, labelled)
    trained = artifact.manifest.training
    if trained.get("dataset") == data.dataset and data.later.name in trained.get("periods", ()):
        told = f"{version} was fitted on {data.later.name} of {data.dataset}."
        raise refuse(Reason.INVALID_ARGUMENT, "periods", told, "Let the last period of the history be a later one.")
    money, minor = _money(labelled[-1], data.later)
    return evaluate_outcomes(Scorer(artifact), data, money, minor)


def _money(labelled: LabelledAccounts, later: TrainingPeriod) -> tuple[str, NDArray[np.float64]]:
    if labelled.cash_minor is None:
        arrears = later.portfolio.arrears_minor().astype(np.float64)
        return CURED_ARREARS, np.where(later.outcome == CURE, arrears, 0.0)
    order = np.argsort(labelled.account_id, kind="stable")  # every account has one outcome: ``own_data`` saw to it
    found = np.searchsorted(labelled.account_id[order], later.portfolio.column("account_id"))
    return CASH, labelled.cash_minor[order[found]].astype(np.float64)
