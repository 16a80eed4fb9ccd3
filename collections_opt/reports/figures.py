"""Figures as inline SVG, drawn without a display and with the same bytes for the same numbers."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.comparison import OrderingOutcome
from collections_opt.core.ranking.ranking_summary import QueueFigures
from collections_opt.reports.money import share
from collections_opt.reports.order_names import TITLES

REFERENCE_COLOUR = "#1b5e8c"
OTHER_COLOUR = "#a9b6c0"
PALE_COLOUR = "#e3e9ee"
TEXT_COLOUR = "#1c2730"
BAR_HEIGHT = 0.62
_INK = {
    REFERENCE_COLOUR: f"var(--accent, {REFERENCE_COLOUR})",
    OTHER_COLOUR: f"var(--other, {OTHER_COLOUR})",
    PALE_COLOUR: f"var(--pale, {PALE_COLOUR})",
    TEXT_COLOUR: f"var(--ink, {TEXT_COLOUR})",
    "#ffffff": "var(--paper, #ffffff)",
    "#000000": "var(--ink, #000000)",
}
"""Colours by the names that the page's style gives them: light, dark or for paper."""
_NAMED = re.compile("|".join(_INK), re.IGNORECASE)


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG element for inlining; ids are salted by a constant so that bytes repeat."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "collections-opt", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    return _NAMED.sub(lambda found: _INK[found[0].lower()], text[text.index("<svg") :])


def value_bars(outcomes: Sequence[OrderingOutcome], currency_code: str) -> str:
    """Return bars of expected increment per order, the reference first, each with its figure."""
    figure, axes = rows([TITLES[outcome.ordering] for outcome in outcomes])
    values = [currency(currency_code).major(outcome.incremental_minor) for outcome in outcomes]
    bars = axes.barh(range(len(values)), values, BAR_HEIGHT, color=_colours(len(values)))
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=5, color=TEXT_COLOUR)
    axes.margins(x=0.14)
    axes.set_xlabel(f"expected increment of the accounts worked ({currency_code})")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return to_svg(figure)


def overlap_bars(outcomes: Sequence[OrderingOutcome]) -> str:
    """Return, per order but the first, the accounts it works that the first works too, and those it works instead."""
    others = outcomes[1:]
    figure, axes = rows([TITLES[outcome.ordering] for outcome in others])
    both = [outcome.worked_count - outcome.entering for outcome in others]
    instead = [outcome.entering for outcome in others]
    places = range(len(others))
    name = TITLES[outcomes[0].ordering]
    kept = axes.barh(places, both, BAR_HEIGHT, color=REFERENCE_COLOUR, label=f"worked by {name} too")
    new = axes.barh(places, instead, BAR_HEIGHT, left=both, color=OTHER_COLOUR, label="worked instead of others")
    axes.bar_label(kept, [f"{count:,}" if count else "" for count in both], label_type="center", color="white")
    axes.bar_label(new, [f"{count:,}" if count else "" for count in instead], label_type="center", color=TEXT_COLOUR)
    axes.set_xlabel("accounts worked")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def interval_bars(outcomes: Sequence[OrderingOutcome]) -> str:
    """Return realised share of all cash per order with its 95 % bootstrap interval."""
    shown = [(TITLES[o.ordering], o.cash_share) for o in outcomes if o.cash_share is not None]
    figure, axes = rows([name for name, _ in shown])
    for row, ((_, found), colour) in enumerate(zip(shown, _colours(len(shown)), strict=True)):
        spread = [[found.value - found.low], [found.high - found.value]]
        axes.errorbar([found.value], [row], xerr=spread, fmt="o", color=colour, capsize=4, markersize=7, linewidth=2)
        axes.annotate(share(found.value), (found.high, row), (8, 0), textcoords="offset points", va="center", color=TEXT_COLOUR)
    axes.set_xlim(left=0)
    axes.margins(x=0.12)
    axes.set_xlabel("share of all cash of the following period paid by the accounts worked (95 % bootstrap interval)")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    return to_svg(figure)


def queue_bars(queues: Sequence[QueueFigures], currency_code: str) -> str:
    """Return, per queue, the hours used of those there are, and what one more agent-hour is worth."""
    figure = Figure(figsize=(9, 0.5 * len(queues) + 1.3), layout="constrained")
    hours, prices = figure.subplots(1, 2, sharey=True)
    places = range(len(queues))
    capacity = [queue.capacity_minutes / 60 for queue in queues]
    hours.barh(places, capacity, BAR_HEIGHT, color=PALE_COLOUR)
    hours.barh(places, [queue.used_minutes / 60 for queue in queues], BAR_HEIGHT, color=REFERENCE_COLOUR)
    for row, queue in enumerate(queues):
        label = share(queue.fill) if queue.capacity_minutes else "closed"
        hours.annotate(label, (capacity[row], row), (5, 0), textcoords="offset points", va="center", color=TEXT_COLOUR)
    hours.margins(x=0.2)
    hours.set_xlabel("hours used of hours there are")
    unit = currency(currency_code)
    worth = [queue.price_per_minute_minor * 60 for queue in queues]
    bars = prices.barh(places, [unit.major(value) for value in worth], BAR_HEIGHT, color=REFERENCE_COLOUR)
    prices.bar_label(bars, [unit.whole(value) for value in worth], padding=5, color=TEXT_COLOUR)
    prices.margins(x=0.25)
    prices.xaxis.set_major_locator(MaxNLocator(4))
    prices.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    prices.set_xlabel(f"what one more agent-hour is worth ({currency_code})")
    hours.set_yticks(places, [queue.queue_id for queue in queues])
    hours.invert_yaxis()
    for axes in (hours, prices):
        tidy(axes)
    return to_svg(figure)


def rows(names: Sequence[str], height: float = 0.42) -> tuple[Figure, Axes]:
    """Return a figure with a named row per name, the first on top."""
    figure = Figure(figsize=(9, height * len(names) + 1.1), layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    tidy(axes)
    return figure, axes


def tidy(axes: Axes) -> None:
    """Leave only the lines that help to read."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(OTHER_COLOUR)
    axes.tick_params(axis="y", length=0, labelcolor=TEXT_COLOUR)
    axes.tick_params(axis="x", color=OTHER_COLOUR, labelcolor=TEXT_COLOUR)


def _colours(count: int) -> list[str]:
    return [REFERENCE_COLOUR] + [OTHER_COLOUR] * (count - 1)
