"""How good the probabilities are on rows that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY

CLASSES = {"cure": CURE, "default": DEFAULT, "stay": STAY}


def expected_calibration_error(
    probability: NDArray[np.float64], happened: NDArray[np.bool_], bins: int = 10, weight: NDArray[np.float64] | None = None
) -> float:
    """Return the mean distance of predicted and observed rate over equal-count bins, by their accounts (ECE).

    ``weight``, float64 (n,), says for how many accounts each stands; None where each stands for itself.
    """
    order = np.argsort(probability, kind="stable")
    if weight is not None:
        off = weight * (probability - happened)
        return sum(abs(float(off[part].sum())) for part in np.array_split(order, bins)) / float(weight.sum())
    gaps = [
        abs(float(probability[part].mean() - happened[part].mean())) * part.size
        for part in np.array_split(order, bins)
        if part.size
    ]
    return sum(gaps) / max(order.size, 1)


def outcome_metrics(
    probability: NDArray[np.float64], outcome: NDArray[np.int64], weight: NDArray[np.float64] | None = None
) -> dict[str, float]:
    """Return log loss and, per outcome, AUC, Brier score and ECE; an AUC is left out where only one class occurs.

    ``weight``, float64 (n,), says for how many accounts each stands; None where each stands for itself.
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score  # noqa: PLC0415 - takes a second to load; a server starts without it

    loss = log_loss(outcome, probability, labels=[0, 1, 2], sample_weight=weight)
    result = {"row_count": float(outcome.size), "log_loss": float(loss)}
    for name, index in CLASSES.items():
        happened = outcome == index
        result[f"{name}_rate"] = float(np.average(happened, weights=weight))
        if 0 < happened.sum() < happened.size:
            result[f"{name}_auc"] = float(roc_auc_score(happened, probability[:, index], sample_weight=weight))
        result[f"{name}_brier"] = float(brier_score_loss(happened, probability[:, index], sample_weight=weight))
        result[f"{name}_ece"] = expected_calibration_error(probability[:, index], happened, weight=weight)
    return result


@dataclass(frozen=True)
class Calibrated:
    """How well one outcome is calibrated: slope with its 95 % interval, error (ECE), and the error of a perfect model (ECE)."""

    slope: float
    slope_low: float
    slope_high: float
    ece: float
    ece_if_perfect: float


def worst_calibrated(classes: Mapping[str, Calibrated]) -> str:
    """Return which outcome is calibrated worst, "" of none.

    The one whose slope is surest not to be 1 (distance of 1 from the interval), then the one whose error is most beyond what
    sampling alone gives a perfect model.
    """

    def badness(name: str) -> tuple[float, float]:
        one = classes[name]
        outside = max(one.slope_low - 1.0, 1.0 - one.slope_high, 0.0)
        return outside, one.ece / max(one.ece_if_perfect, 1e-9)

    return max(classes, key=badness, default="")


def worst_calibration_sentence(classes: Mapping[str, Calibrated]) -> str:
    """Return how well the worst calibrated outcome is calibrated, in one sentence; of none, that too few accounts were judged."""
    worst = worst_calibrated(classes)
    if not worst:
        return "too few accounts to judge calibration."
    one = classes[worst]
    return (
        f"worst calibrated: {worst}, slope {one.slope:.2f} ({one.slope_low:.2f} to {one.slope_high:.2f}; 1 is right), "
        f"calibration error {one.ece:.3f} (sampling alone gives a perfect model {one.ece_if_perfect:.3f})."
    )


def calibrated_of(metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]) -> dict[str, Calibrated]:
    """Return the calibration of each outcome that a manifest's figures tell in full."""
    found = {}
    for name in CLASSES:
        slope, ece, perfect = (metrics.get(f"{name}_{figure}") for figure in ("slope", "ece", "ece_if_perfect"))
        low, high = intervals.get(f"{name}_slope", (float("nan"), float("nan")))
        if slope is not None and ece is not None:
            found[name] = Calibrated(slope, low, high, ece, float("nan") if perfect is None else perfect)
    return found
