"""Figures of contact effects as inline SVG: uplift curves with their Qini, and the effect by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from collections_opt.core.evaluation.uplift import UpliftCurve
from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, rows, tidy, to_svg
from collections_opt.scoring.effect.evaluation import EffectCell

_CURVES = (REFERENCE_COLOUR, OTHER_COLOUR, TEXT_COLOUR)


def qini_figure(curves: Mapping[str, UpliftCurve]) -> str:
    """Return cures added per account against the share contacted first, per order of contact and at random."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for (name, curve), colour in zip(curves.items(), _CURVES, strict=True):
        axes.plot(curve.share, curve.gain, color=colour, linewidth=2, label=f"{name} (Qini {curve.qini.value:.4f})")
    ends = [curve.gain[-1] for curve in curves.values()]
    axes.plot([0, 1], [0, ends[0]], color=TEXT_COLOUR, linewidth=1, linestyle=":", label="at random")
    axes.set_xlabel("share of accounts contacted first")
    axes.set_ylabel("cures added per account")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    tidy(axes)
    axes.spines["left"].set_visible(True)
    axes.legend(frameon=False, loc="lower right")
    return to_svg(figure)


def effect_figure(cells: Sequence[EffectCell]) -> str:
    """Return the change of p_cure by contact per segment, observed with interval and predicted; small cells are left out."""
    shown = [(cell, cell.observed) for cell in cells if cell.observed is not None]
    figure, axes = rows([cell.name for cell, _ in shown], height=0.3)
    for place, (cell, observed) in enumerate(shown):
        spread = [[observed.value - observed.low], [observed.high - observed.value]]
        first = place == 0
        axes.errorbar(
            [observed.value],
            [place],
            xerr=spread,
            fmt="o",
            color=REFERENCE_COLOUR,
            capsize=3,
            markersize=6,
            label="observed on the holdout (bars: 95 % interval)" if first else None,
        )
        axes.plot([cell.predicted], [place], "D", color=TEXT_COLOUR, markersize=4, zorder=3, label="predicted" if first else None)
    axes.axvline(0, color=TEXT_COLOUR, linewidth=0.8)
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    axes.set_xlabel("change of the chance of a cure by contact, in points")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f}" if value else "0"))
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)
