"""Figures of a model evaluation as inline SVG: reliability, money at capacity, drift, segments."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from collections_opt.reports.figures import OTHER_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, rows, tidy, to_svg
from collections_opt.scoring.evaluation.probabilities import ClassEvaluation, Drift, Estimate

COLOURS = {0.1: OTHER_COLOUR, 0.2: REFERENCE_COLOUR}


def reliability_figure(classes: Mapping[str, ClassEvaluation | None]) -> str:
    """Return observed against predicted rates per outcome, the area of a point growing with its count."""
    shown = {name: found for name, found in classes.items() if found is not None}
    figure = Figure(figsize=(9, 3.3), layout="constrained")
    for place, (name, found) in enumerate(shown.items()):
        axes = figure.add_subplot(1, len(shown), place + 1)
        points = [b for b in found.reliability if not math.isnan(b.observed)]
        top = max([*(b.predicted for b in points), *(b.observed for b in points)]) * 1.08
        axes.plot([0, top], [0, top], color=OTHER_COLOUR, linewidth=1)
        axes.scatter(
            [b.predicted for b in points], [b.observed for b in points], [b.count / 12 for b in points], color=REFERENCE_COLOUR
        )
        axes.set_title(name, color=TEXT_COLOUR)
        axes.set_xlabel("predicted")
        axes.set_ylabel("observed" if place == 0 else "")
        axes.spines[["top", "right"]].set_visible(False)
    return to_svg(figure)


def gains_figure(gains: Mapping[str, Mapping[float, Estimate]]) -> str:
    """Return, per order, the share of the money held by the first 10 and 20 % of accounts, with intervals."""
    figure, axes = rows(list(gains))
    for share, colour in COLOURS.items():
        for place, found in enumerate(gains.values()):
            one = found[share]
            spread = [[one.value - one.low], [one.high - one.value]]
            label = f"first {share:.0%}" if place == 0 else None
            axes.errorbar([one.value], [place], xerr=spread, fmt="o", color=colour, capsize=4, label=label)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the money (bars: 95 % bootstrap interval)")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def drift_figure(drift: Mapping[str, Drift]) -> str:
    """Return the PSI of every variable beside the limit that sampling alone stays under."""
    shown = dict(sorted(drift.items(), key=lambda item: -item[1].psi))
    figure, axes = rows(list(shown), height=0.3)
    axes.barh(range(len(shown)), [d.psi for d in shown.values()], 0.6, color=REFERENCE_COLOUR, label="PSI")
    axes.plot(
        [d.limit for d in shown.values()], range(len(shown)), "|", color=TEXT_COLOUR, markersize=11, label="95 % sampling limit"
    )
    axes.set_xlabel("population stability index")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def segment_figure(segments: Mapping[str, Mapping[str, ClassEvaluation | None]], outcome: str) -> str:
    """Return predicted and observed rates of an outcome per segment; small cells are left out."""
    shown = {name: found for name, classes in segments.items() if (found := classes[outcome]) is not None}
    figure, axes = rows(list(shown))
    places = range(len(shown))
    predicted = [sum(b.predicted * b.count for b in f.reliability) / f.count for f in shown.values()]
    axes.plot([f.rate for f in shown.values()], places, "o", color=REFERENCE_COLOUR, label="observed")
    axes.plot(predicted, places, "D", color=OTHER_COLOUR, label="predicted")
    axes.set_xlabel(f"rate of {outcome}")
    tidy(axes)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)
