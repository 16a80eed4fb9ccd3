"""Figures as inline SVG, drawn without a display and with the same bytes for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from collections_opt.core.comparison import OrderingOutcome
from collections_opt.core.ordering import Ordering

REFERENCE_COLOUR = "#1b5e8c"
OTHER_COLOUR = "#9aa7b1"


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG element for inlining; ids are salted by a constant so that bytes repeat."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "collections-opt", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def value_bars(outcomes: Sequence[OrderingOutcome], titles: Mapping[Ordering, str], currency_code: str) -> str:
    """Return bars of expected incremental value per order, the reference first."""
    figure = Figure(figsize=(8, 0.45 * len(outcomes) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    names = [titles[outcome.ordering] for outcome in outcomes]
    values = [outcome.incremental_minor / 100 for outcome in outcomes]
    axes.barh(names, values, color=[REFERENCE_COLOUR] + [OTHER_COLOUR] * (len(names) - 1))
    axes.invert_yaxis()
    axes.set_xlabel(f"expected incremental value of the accounts worked ({currency_code})")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.spines[["top", "right"]].set_visible(False)
    return to_svg(figure)


def interval_bars(outcomes: Sequence[OrderingOutcome], titles: Mapping[Ordering, str]) -> str:
    """Return realised share of all cash per order with its 95 % bootstrap interval."""
    shown = [(titles[o.ordering], o.cash_share) for o in outcomes if o.cash_share is not None]
    figure = Figure(figsize=(8, 0.45 * len(shown) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for index, (_, figure_share) in enumerate(shown):
        colour = REFERENCE_COLOUR if index == 0 else OTHER_COLOUR
        spread = [[figure_share.value - figure_share.low], [figure_share.high - figure_share.value]]
        axes.errorbar([figure_share.value], [index], xerr=spread, fmt="o", color=colour, capsize=4)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.invert_yaxis()
    axes.set_xlabel("share of the next month's cash paid by the accounts worked (95 % bootstrap interval)")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    return to_svg(figure)
