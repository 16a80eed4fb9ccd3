"""What a recovery version says of itself: figures for the manifest, and the model card."""

from __future__ import annotations

import math
from datetime import date

from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.scoring.evaluation.probabilities import Estimate
from collections_opt.scoring.recovery.evaluation import KINDS, RecoveryEvaluation
from collections_opt.scoring.recovery.features import RECOVERY_FEATURES, RECOVERY_SIGN
from collections_opt.scoring.recovery.model import RecoveryModel

_STEPS = ("something comes back", "all comes back, where something does", "the share, where a part does")

_NET = (
    "Money is net of what recovering cost, without labour, and discounted to the default: otherwise cost or time would count",
    "twice.",
)


def _estimates(judged: RecoveryEvaluation) -> dict[str, Estimate]:
    found = {
        "recovered_share": judged.mean_share,
        "money_calibration_slope": judged.slope,
        "money_level": judged.level,
        "share_mae": judged.mae,
        "share_r2": judged.r2,
    }
    for order, shares in judged.captured.items():
        found |= {f"captured_{share:.0%}_by_{order.replace(' ', '_')}".replace("%", "pct"): e for share, e in shares.items()}
    return found


def recovery_metrics(judged: RecoveryEvaluation) -> dict[str, float]:
    """Return the figures of the last period by name; kinds in small cells have none."""
    metrics = {"judged_count": float(judged.count), "share_mae_of_one_mean": judged.mae_of_mean}
    metrics |= {name: estimate.value for name, estimate in _estimates(judged).items()}
    metrics |= {f"{kind}_observed": judged.observed[kind] for kind in KINDS if not math.isnan(judged.observed[kind])}
    return metrics | {f"{kind}_predicted": judged.predicted[kind] for kind in KINDS}


def recovery_intervals(judged: RecoveryEvaluation) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of the figures that have one."""
    return {name: (estimate.low, estimate.high) for name, estimate in _estimates(judged).items()}


def recovery_card(
    model: RecoveryModel,
    judged: RecoveryEvaluation,
    counts: tuple[int, int, int],
    judged_on: date,
    simulated: bool = False,
    money: str = "",
) -> str:
    """Return the model card: figures on accounts that nothing was fitted on, and what the model does not say.

    ``money`` says how money counts, where it is not as files must have it.
    """
    fitted, calibrated, last = counts
    kinds = [f"| {kind} | {_or_few(judged.observed[kind])} | {judged.predicted[kind]:.3f} |" for kind in KINDS]
    steps = [
        f"- {name}: {'by account' if step.trees else 'one level for all, since accounts could not be told apart'}"
        for name, step in zip(_STEPS, model.hurdle.steps, strict=True)
    ]
    figures = [f"| {name} | {e.value:.4f} ({e.low:.4f} to {e.high:.4f}) |" for name, e in _estimates(judged).items()]
    features = [
        f"| {f.name} | {f.meaning} | {f.unit} | {f.window_months} | {'yes' if f.may_be_missing else 'no'} | "
        f"{ {1: '+', -1: '-'}.get(RECOVERY_SIGN.get(f.name, 0), '') } |"
        for f in RECOVERY_FEATURES
    ]
    features += [f"| {one.field} | {one.meaning} | {one.unit or 'category'} | 0 | yes |  |" for one in model.own]
    lines = [
        f"# Recovery model {model.version}",
        "",
        *(["SIMULATED: no person, no lender.", ""] if simulated else []),
        "Share of the exposure that comes back after default: nothing, a part or all, and which part. One minus its",
        "expectation is the loss given default of accounts that bring none of their own.",
        "",
        f"Fitted on {fitted:,} charged-off accounts, calibrated on {calibrated:,} of a later period and judged on {last:,} of",
        f"the last one ({judged_on}), which nothing was fitted on.",
        "",
        "## Steps",
        *steps,
        "",
        "## Kinds of recovery",
        "| kind | observed | predicted |",
        "|---|---:|---:|",
        *kinds,
        "",
        f"Kinds of fewer than {MIN_CELL_COUNT} accounts are not shown.",
        "",
        "## Figures on the last period (95 % intervals by bootstrap over accounts)",
        "| figure | value |",
        "|---|---|",
        *figures,
        f"| share_mae_of_one_mean | {judged.mae_of_mean:.4f} |",
        "",
        "## Features",
        "| feature | meaning | unit | months | may be missing | recovered share |",
        "|---|---|---|---:|---|---|",
        *features,
        "",
        "## Limits",
        "Learned from accounts that were charged off: for others the share is carried over from accounts alike. Recoveries are",
        "those of the collection that the lender had then; another agency or a debt sale makes others.",
        *((money,) if money else _NET),
        "",
    ]
    return "\n".join(lines)


def _or_few(value: float) -> str:
    return "too few" if math.isnan(value) else f"{value:.3f}"
