"""Model cards in Markdown: purpose, data, figures out of time, features, limits."""

from __future__ import annotations

from collections.abc import Mapping

from collections_opt.core.accounts.features import definitions
from collections_opt.scoring.evaluation.metrics import calibrated_of, worst_calibration_sentence
from collections_opt.scoring.outcome.calibration import Calibration
from collections_opt.scoring.outcome.rounds import SizeCurve
from collections_opt.scoring.outcome.training import TrainedModel
from collections_opt.scoring.versions.artifacts import Manifest

CURVE_COLUMNS = ("rounds", "splits", "log_loss", "worse_by", "error", "chosen")


def size_curve(curve: SizeCurve) -> list[list[float]]:
    """Return a curve of cost against loss as rows of ``CURVE_COLUMNS``, for a manifest."""
    return [
        [float(one.rounds), one.splits, one.log_loss, one.worse_by, one.error, float(one.rounds == curve.chosen)]
        for one in curve.judged
    ]


def outcome_card(manifest: Manifest, model: TrainedModel, description: str, limits: str) -> str:
    """Return the card of the boosted model; ``description`` says what it was trained on, ``limits`` what it is not for."""
    losses = ", ".join(f"{name} {loss:.5f}" for name, loss in sorted(model.candidates.items()))
    cure, default = (model.rounds[step] for step in ("cure", "default"))
    return f"""# Outcome model {manifest.version}

Out of time ({manifest.training["judged_on"]}, which nothing was fitted on), {_worst(manifest)}

Probability of cure, default and stay without contact. Two LightGBM boosters, each over all accounts: p_cure ({cure} rounds,
monotone in the features with an expected sign) and p_default ({default} rounds); who does neither stays. Calibrated by
{model.calibration.method}. Trained on {", ".join(model.periods)}.

## Data
{description}

{_seen(manifest)}
{_figures(manifest)}
## Calibration
Shape and level rest on periods predicted by models of the earlier ones. Log loss by shape: {losses}; the simplest that is no
worse than the best beyond a standard error is taken. The level moves as it did in the last training period
({_shifts(model.calibration)}): rates move with the times, and the latest known move is the forecast. It is a forecast all the
same: a month that turns breaks it.

{_forward(manifest)}
{_sizes(manifest)}
{_domain(manifest)}
{_features(manifest)}{_own(manifest)}
## Limits
{limits}
"""


def _worst(manifest: Manifest) -> str:
    return worst_calibration_sentence(calibrated_of(manifest.metrics, manifest.metric_intervals))


def _shifts(calibration: Calibration) -> str:
    return ", ".join(f"p_{name} {shift:+.4f}" for name, shift in zip(("cure", "default"), calibration.shifts, strict=True))


def _forward(manifest: Manifest) -> str:
    lines = [
        f"| {period} | {name} | {one['ece']:.4f} | {one['ece_own_level']:.4f} | {one['ece_if_perfect']:.4f} | "
        f"{one['slope']:.2f} ({one['slope_low']:.2f} to {one['slope_high']:.2f}) |"
        for period, classes in manifest.training["forward_calibration"].items()
        for name, one in classes.items()
    ]
    return (
        "Training periods but the first, each predicted by a model of the earlier ones: calibration error (ECE) as predicted,\n"
        "and once the level of the period is known, which nobody knows in time. What is left then no choice of level mends.\n\n"
        "| period | outcome | ECE | ECE at its own level | ECE if perfect | slope at its own level |\n|---|---|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


def _sizes(manifest: Manifest) -> str:
    curves = manifest.training["size_curves"]
    if not curves:
        return "## Size\nRounds were stopped where the log loss of the last training period no longer fell.\n"
    lines = ["| step | rounds | splits per account | log loss | worse than the best by | |", "|---|---|---|---|---|---|"]
    for step, rows in curves.items():
        for rounds, splits, loss, worse, error, chosen in rows:
            mark = "chosen" if chosen else ""
            lines.append(f"| {step} | {rounds:.0f} | {splits:.0f} | {loss:.5f} | {worse:.5f} +- {error:.5f} | {mark} |")
    return (
        "## Size: what it costs to serve against what it loses\nSplits that scoring an account passes, and log loss on the "
        "training periods but the first, each predicted by a model of\nthe earlier ones at its own level. The fewest rounds "
        "are taken that are no worse than the best beyond a standard error.\n\n" + "\n".join(lines) + "\n"
    )


def scorecard_card(manifest: Manifest, description: str, limits: str) -> str:
    """Return the card of the scorecard."""
    return f"""# Scorecard {manifest.version}

Out of time ({manifest.training["judged_on"]}, which nothing was fitted on), {_worst(manifest)}

Probability of cure, default and stay without contact as a multinomial logistic regression on feature bins; needs no LightGBM to
serve. Baseline of the boosted model and its fallback. Trained on {", ".join(manifest.training["periods"])}. Its ridge penalty was
chosen on the training periods but the first, each predicted by a scorecard of the earlier ones: the strongest whose log loss is
no worse than the best beyond a standard error. The level is that of the last of them.

## Data
{description}

{_figures(manifest)}
{_domain(manifest)}
{_features(manifest)}{_own(manifest)}
## Limits
{limits}
"""


def recalibrated_card(manifest: Manifest, calibration: Calibration, before: float, after: float) -> str:
    """Return the card of a recalibrated model; ``before`` and ``after`` are log losses on people that it was not fitted on."""
    base, periods = manifest.training["recalibrated"], ", ".join(manifest.training["periods"])
    return f"""# Outcome model {manifest.version}

The predictor of {base}, learned elsewhere, at the level of accounts of this lender: calibrated by {calibration.method} on
unworked accounts of {periods}. No column taught it anything here. Log loss on people whose outcomes it was not fitted on:
{after:.5f}; that of its base: {before:.5f}. Cross-fitted by halves of people and not out of time: how levels move from month to
month it does not know. From three matured rankings on a model of one's own is learned.

{_seen(manifest)}
{_figures(manifest)}
{_domain(manifest)}
{_features(manifest)}{_own(manifest)}
"""


def _figures(manifest: Manifest) -> str:
    unseen = str(manifest.training.get("judged_unseen", ""))
    told = f"{unseen}\n\n" if unseen else ""
    return f"## Figures out of time ({manifest.training['judged_on']})\n{told}" + _table(
        ("figure", "value (95 % interval)"), {name: _figure(manifest, name) for name in sorted(manifest.metrics)}
    )


def _figure(manifest: Manifest, name: str) -> str:
    value = f"{manifest.metrics[name]:.4f}"
    if name not in manifest.metric_intervals:
        return value
    low, high = manifest.metric_intervals[name]
    return f"{value} ({low:.4f} to {high:.4f})"


def _seen(manifest: Manifest) -> str:
    """Return whose outcome without contact was not seen, and what was done about it."""
    unseen = manifest.training["unseen_outcomes"]
    rows = {period: ", ".join(f"{name} {count:,}" for name, count in counts.items()) for period, counts in unseen.items()}
    told = [f"{kind}: {method}." for kind, method in sorted(manifest.training["methods"].items())]
    head = "## Whose outcome was seen\n" + "\n".join(f"- {line}" for line in told) + "\n"
    return head + ("\n" + _table(("period", "not seen"), rows) if rows else "")


def _domain(manifest: Manifest) -> str:
    if manifest.domain is None:
        return "## Domain\nNot declared.\n"
    told = {
        "products": ", ".join(manifest.domain.products),
        "countries": ", ".join(manifest.domain.countries) or "not known, not checked",
        "currencies": ", ".join(manifest.domain.currencies),
        "buckets (30 days past due)": ", ".join(map(str, manifest.domain.buckets)),
        "features that every account must have": ", ".join(manifest.always_known),
    }
    return "## Domain: what it scores\nAccounts outside are left to another model or the policy, and counted.\n\n" + _table(
        ("what", "values"), told
    )


def _features(manifest: Manifest) -> str:
    lines = [
        f"| {f.name} | {f.meaning} | {f.unit} | {f.window_months} | {'+' if f.cure_sign > 0 else '-' if f.cure_sign else ''} |"
        for f in definitions(manifest.own_columns)
    ]
    head = ["| feature | meaning | unit | months | p_cure |", "|---|---|---|---|---|"]
    return f"## Features ({manifest.feature_set_version})\n" + "\n".join([*head, *lines]) + "\n"


def _own(manifest: Manifest) -> str:
    """Return what people must see of own columns before they approve; empty where there are none."""
    about = manifest.training.get("own_columns", {})
    if not about:
        return ""
    lines = []
    for name, one in about.items():
        strongest = sorted((one["association"] or {}).items(), key=lambda item: -item[1])
        goes = ", ".join(f"{attribute} {v:.2f}" for attribute, v in strongest)
        lines.append(f"| {name} | {one['alone_auc']:.3f} | {goes or ('none' if one['association'] == {} else 'not tested')} |")
    head = ["| column | AUC alone | association with protected groups |", "|---|---|---|"]
    told = """
## Own columns of the lender
How well each alone tells who cured or defaulted (the larger AUC; above 0.97 it is refused), and how strongly it goes with the
protected attributes of the group file (Cramér's V corrected for chance, 0 to 1). This is reported, not judged: a strong
association asks whether the column stands in for the attribute. "Not tested" is without a group file.

"""
    return told + "\n".join([*head, *lines]) + "\n"


def _table(header: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([f"| {header[0]} | {header[1]} |", "|---|---|", *lines]) + "\n"
