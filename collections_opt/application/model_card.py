"""Model cards in Markdown: purpose, data, figures out of time, features, limits."""

from __future__ import annotations

from collections.abc import Mapping

from collections_opt.core.features import FEATURES
from collections_opt.scoring.artifacts import Manifest
from collections_opt.scoring.training import TrainedModel


def outcome_card(manifest: Manifest, model: TrainedModel, description: str, limits: str) -> str:
    """Return the card of the boosted model; ``description`` says what it was trained on, ``limits`` what it is not for."""
    cure, default = model.rounds
    losses = ", ".join(f"{name} {loss:.5f}" for name, loss in sorted(model.candidates.items()))
    level = ", ".join(f"{name} {value:+.3f}" for name, value in zip(("cure", "default"), model.calibration.bias, strict=False))
    return f"""# Outcome model {manifest.version}

Probability of cure, default and stay without contact. Two LightGBM boosters in order: cure or not ({cure} rounds, monotone in the
features with an expected sign), then default or stay ({default} rounds). Calibrated by {model.calibration.method}.
Trained on {", ".join(model.periods)}; judged on {manifest.training["judged_on"]}, which nothing was fitted on.

## Data
{description}

{_figures(manifest)}
## Calibration
The shape was chosen by log loss on the last training period: {losses}. The level is that of the last training period, predicted
by a model of the earlier ones (log factors on the odds, with those of the shape: {level}): rates move with the times, and the
latest known one is the forecast. It is a forecast all the same: a month that turns breaks it.

{_features(manifest)}
## Limits
{limits}
"""


def scorecard_card(manifest: Manifest, description: str, limits: str) -> str:
    """Return the card of the scorecard."""
    return f"""# Scorecard {manifest.version}

Probability of cure, default and stay without contact as a multinomial logistic regression on feature bins; needs no LightGBM to
serve. Baseline of the boosted model and its fallback. Trained on {", ".join(manifest.training["periods"])}; judged on
{manifest.training["judged_on"]}, which nothing was fitted on. The level is that of the last training period, out of time.

## Data
{description}

{_figures(manifest)}
{_features(manifest)}
## Limits
{limits}
"""


def _figures(manifest: Manifest) -> str:
    return f"## Figures out of time ({manifest.training['judged_on']})\n" + _table(
        ("figure", "value (95 % interval)"), {name: _figure(manifest, name) for name in sorted(manifest.metrics)}
    )


def _figure(manifest: Manifest, name: str) -> str:
    value = f"{manifest.metrics[name]:.4f}"
    if name not in manifest.metric_intervals:
        return value
    low, high = manifest.metric_intervals[name]
    return f"{value} ({low:.4f} to {high:.4f})"


def _features(manifest: Manifest) -> str:
    lines = [
        f"| {f.name} | {f.meaning} | {f.unit} | {f.window_months} | {'+' if f.cure_sign > 0 else '-' if f.cure_sign else ''} |"
        for f in FEATURES
    ]
    head = ["| feature | meaning | unit | months | p_cure |", "|---|---|---|---|---|"]
    return f"## Features ({manifest.feature_set_version})\n" + "\n".join([*head, *lines]) + "\n"


def _table(header: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([f"| {header[0]} | {header[1]} |", "|---|---|", *lines]) + "\n"
