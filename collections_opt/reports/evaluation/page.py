"""The evaluation of a model as one page for a validator; opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from collections_opt.reports.evaluation.effect_tables import SIMULATED_MARK, effect_table, uplift_table
from collections_opt.reports.evaluation.figures import drift_figure, gains_figure, reliability_figure, segment_figure
from collections_opt.reports.evaluation.uplift_figures import effect_figure, qini_figure
from collections_opt.reports.html_page import render
from collections_opt.scoring.effect.evaluation import EffectEvaluation
from collections_opt.scoring.evaluation.metrics import Calibrated, worst_calibrated, worst_calibration_sentence
from collections_opt.scoring.evaluation.probabilities import ClassEvaluation, Estimate, ModelEvaluation

Table = tuple[list[str], list[list[str]]]
NOTHING: Mapping[str, Any] = MappingProxyType({})


def evaluation_html(
    model: ModelEvaluation,
    card: str,
    october_auc: Mapping[str, float] = NOTHING,
    recoveries: Mapping[str, Mapping[float, Estimate]] = NOTHING,
    effects: EffectEvaluation | None = None,
) -> str:
    """Return the page; equal figures give equal bytes.

    Args:
        model: of the model on the later period.
        card: its card.
        october_auc: by set of features, on all bundled accounts; empty where others were judged.
        recoveries: money at capacity of the bundled charged-off loans, by order; empty where others were judged.
        effects: contact effects on a holdout; None where no contact log was given.
    """
    worst = worst_calibrated(_calibrated(model.classes))
    short = f"worst calibrated: {worst}" if worst else "too few accounts to judge calibration"
    sentence = worst_sentence(model.classes)
    return render(
        "evaluation.html",
        title="Model evaluation",
        headline=f"{model.model_version} on {model.judged_on}: {short}",
        worst=f"{sentence[:1].upper()}{sentence[1:]}",
        alarms=model.alarms,
        alarm_note=model.alarm_note,
        money=model.money,
        unseen=model.unseen,
        classes=class_table(model.classes),
        reliability=reliability_table(model.classes),
        reliability_figure=reliability_figure(model.classes),
        gains=gains_table(model.gains),
        gains_figure=gains_figure(model.gains) if model.gains else "",
        drift_figure=drift_figure(model.drift),
        segments=segment_table(model.segments),
        segment_figure=segment_figure(model.segments, "cure"),
        october=[[name, f"{auc:.3f}"] for name, auc in october_auc.items()],
        recoveries=gains_table(recoveries),
        recoveries_figure=gains_figure(recoveries) if recoveries else "",
        effects=_effects(effects) if effects else None,
        card=card,
    )


def _effects(found: EffectEvaluation) -> dict[str, Any]:
    return {
        "headline": effects_headline(found),
        "mark": SIMULATED_MARK if found.simulated else "",
        "rests_on": found.rests_on,
        "uplift": uplift_table(found.curves),
        "qini_figure": qini_figure(found.curves),
        "cells": effect_table(found.cells),
        "cells_figure": effect_figure(found.cells),
    }


def effects_headline(found: EffectEvaluation) -> str:
    """Return whether the predicted effects find those whom contact helps, in one sentence."""
    qini = found.curves["predicted effect"].qini
    verdict = "finds" if qini.low > 0 else "misses" if qini.high < 0 else "is not shown to find"
    return (
        f"{found.effects} on {found.row_count:,} randomised rows of {found.account_count:,} accounts: its order of contact "
        f"{verdict} those whom contact helps (Qini {qini.value:.4f}, 95 % {qini.low:.4f} to {qini.high:.4f})."
    )


def worst_sentence(classes: Mapping[str, ClassEvaluation | None]) -> str:
    """Return how well the worst calibrated outcome is calibrated, in one sentence."""
    return worst_calibration_sentence(_calibrated(classes))


def _calibrated(classes: Mapping[str, ClassEvaluation | None]) -> dict[str, Calibrated]:
    return {
        name: Calibrated(found.slope.value, found.slope.low, found.slope.high, found.ece, found.ece_if_perfect)
        for name, found in classes.items()
        if found is not None
    }


def class_table(classes: Mapping[str, ClassEvaluation | None]) -> Table:
    """Return the figures per outcome, the worst calibrated first."""
    worst = worst_calibrated(_calibrated(classes))
    classes = {name: classes[name] for name in sorted(classes, key=lambda name: name != worst)}
    head = ["outcome", "n", "rate", "AUC", "KS", "log loss", "Brier", "skill", "slope", "intercept", "ECE", "ECE if perfect"]
    head += ["lift 10 %", "lift 20 %"]
    return head, [_class_line(name, found, len(head)) for name, found in classes.items()]


def segment_table(segments: Mapping[str, Mapping[str, ClassEvaluation | None]]) -> Table:
    """Return cure and default per segment; cells under the smallest count show nothing."""
    head = ["segment", "outcome", "n", "rate", "AUC", "slope", "ECE", "ECE if perfect"]
    lines = []
    for segment, classes in segments.items():
        for name, found in classes.items():
            if found is None:
                lines.append([segment, name, *["too few"] * (len(head) - 2)])
            else:
                figures = [f"{found.count:,}", f"{found.rate:.1%}", _interval(found.auc), _interval(found.slope)]
                lines.append([segment, name, *figures, f"{found.ece:.3f}", f"{found.ece_if_perfect:.3f}"])
    return head, lines


def reliability_table(classes: Mapping[str, ClassEvaluation | None]) -> Table:
    """Return predicted and observed rates with their counts."""
    lines = [
        [name, f"{b.predicted:.3f}", "too few" if b.observed != b.observed else f"{b.observed:.3f}", f"{b.count:,}"]
        for name, found in classes.items()
        if found is not None
        for b in found.reliability
    ]
    return ["outcome", "predicted", "observed", "accounts"], lines


def gains_table(gains: Mapping[str, Mapping[float, Estimate]]) -> Table:
    """Return the share of money held per order and share worked."""
    shares = list(next(iter(gains.values()), ()))
    head = ["order", *(f"first {share:.0%}" for share in shares)]
    return head, [[name, *(_interval(found[share]) for share in shares)] for name, found in gains.items()]


def _class_line(name: str, found: ClassEvaluation | None, width: int) -> list[str]:
    if found is None:
        return [name, *["too few"] * (width - 1)]
    figures = [f"{v:.3f}" for v in (found.ks, found.log_loss, found.brier, found.brier_skill)]
    line = [
        name,
        f"{found.count:,}",
        f"{found.rate:.1%}",
        _interval(found.auc, 3),
        *figures,
        _interval(found.slope),
        _interval(found.intercept),
    ]
    return [*line, f"{found.ece:.3f}", f"{found.ece_if_perfect:.3f}", *(f"{lift:.2f}" for lift in found.lift.values())]


def _interval(found: Estimate, digits: int = 2) -> str:
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"
