"""How good the probabilities are on rows that nothing was fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from collections_opt.core.outcomes import CURE, DEFAULT, STAY

CLASSES = {"cure": CURE, "default": DEFAULT, "stay": STAY}


def expected_calibration_error(probability: NDArray[np.float64], happened: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the count-weighted mean distance of predicted and observed rate over equal-count bins (ECE)."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(probability[part].mean() - happened[part].mean())) * part.size
        for part in np.array_split(order, bins)
        if part.size
    ]
    return sum(gaps) / max(order.size, 1)


def outcome_metrics(probability: NDArray[np.float64], outcome: NDArray[np.int64]) -> dict[str, float]:
    """Return log loss and, per outcome, AUC, Brier score and ECE; an AUC is left out where only one class occurs."""
    result = {"row_count": float(outcome.size), "log_loss": float(log_loss(outcome, probability, labels=[0, 1, 2]))}
    for name, index in CLASSES.items():
        happened = outcome == index
        result[f"{name}_rate"] = float(happened.mean())
        if 0 < happened.sum() < happened.size:
            result[f"{name}_auc"] = float(roc_auc_score(happened, probability[:, index]))
        result[f"{name}_brier"] = float(brier_score_loss(happened, probability[:, index]))
        result[f"{name}_ece"] = expected_calibration_error(probability[:, index], happened)
    return result
