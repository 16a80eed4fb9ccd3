"""Figures of a capacity what-if: prices before and after, capacity curves, accounts moved, predictions beside re-solves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from collections_opt.core.codes.currencies import currency
from collections_opt.core.ranking.what_if_summary import CapacityCurves, CurveFigures, WhatIfSummary
from collections_opt.reports.figures import (
    BAR_HEIGHT,
    OTHER_COLOUR,
    PALE_COLOUR,
    REFERENCE_COLOUR,
    TEXT_COLOUR,
    rows,
    tidy,
    to_svg,
)
from collections_opt.reports.money import share
from collections_opt.reports.what_if.report import TEN_PER_CENT, recovery_name

AFTER_COLOUR = "#c8702a"
_MAJOR = FuncFormatter(lambda value, _: f"{value:,.0f}")
_MAX_FLOWS = 12
_CURVES_PER_ROW = 3


def price_bars(found: WhatIfSummary) -> str:
    """Return what an agent-hour more is worth in each queue before and after, with the interval of each price."""
    unit = currency(found.currency_code)
    figure, axes = rows([queue.queue_id for queue in found.queues], 0.6)
    for shift, colour, name in ((-0.16, REFERENCE_COLOUR, "before"), (0.16, AFTER_COLOUR, "after")):
        label: str | None = name
        for row, queue in enumerate(found.queues):
            state = getattr(queue, name)
            if state is None:
                continue
            price, low, high = (60 * unit.major(value) for value in (state.price, state.band.low, state.band.high))
            spread = [[max(price - low, 0.0)], [max(high - price, 0.0)]]
            axes.errorbar(
                [price], [row + shift], xerr=spread, fmt="o", color=colour, capsize=4, markersize=6, linewidth=2, label=label
            )
            axes.annotate(
                unit.whole(state.price * 60), (max(high, price), row + shift), (9, 0), textcoords="offset points", va="center",
                color=TEXT_COLOUR, fontsize=9,
            )  # fmt: skip
            label = None
    states = [state for queue in found.queues for state in (queue.before, queue.after) if state is not None]
    dearest = unit.major(max(max(state.price, state.band.high) for state in states) * 60) or 1.0
    axes.set_xlim(-0.015 * dearest, 1.14 * dearest)
    axes.set_xlabel(f"what one more agent-hour is worth ({found.currency_code}); bars: between what the price may lie")
    axes.xaxis.set_major_formatter(_MAJOR)
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def flow_bars(found: WhatIfSummary) -> str:
    """Return how many accounts move from where to where."""
    shown = found.flows[:_MAX_FLOWS]
    names = [f"{m.from_queue_id or 'not worked'} → {m.to_queue_id or 'not worked'}" for m in shown]
    figure, axes = rows(names)
    bars = axes.barh(range(len(shown)), [m.account_count for m in shown], BAR_HEIGHT, color=REFERENCE_COLOUR)
    axes.bar_label(bars, [f"{m.account_count:,}" for m in shown], padding=5, color=TEXT_COLOUR)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left_out = len(found.flows) - len(shown)
    axes.set_xlabel("accounts that move" + (f" ({left_out} smaller moves not shown)" if left_out else ""))
    return to_svg(figure)


def whole_curve(curve: CurveFigures, currency_code: str) -> str:
    """Return recovered value against the minutes of all queues, with the plan and what its prices predict."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    _draw_curve(axes, curve, currency_code)
    axes.set_xlabel("agent-hours of all queues together")
    axes.set_ylabel(f"expected increment ({currency_code})")
    axes.legend(frameon=False, loc="lower right")
    return to_svg(figure)


def queue_curves(curves: Sequence[CurveFigures], currency_code: str) -> str:
    """Return recovered value over all queues against the minutes of each queue, the others as planned."""
    lines = -(-len(curves) // _CURVES_PER_ROW)
    figure = Figure(figsize=(9, 2.5 * lines + 0.3), layout="constrained")
    grid = figure.subplots(lines, _CURVES_PER_ROW, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(curves):
            axes.set_visible(False)
            continue
        _draw_curve(axes, curves[place], currency_code, small=True)
        axes.set_title(curves[place].queue_id, fontsize=10, loc="left", color=TEXT_COLOUR)
    figure.supxlabel("agent-hours of the queue", fontsize=10)
    figure.supylabel(f"increment of all queues ({currency_code})", fontsize=10)
    return to_svg(figure)


def ten_per_cent_bars(curves: CapacityCurves, currency_code: str) -> str:
    """Return, per queue and for all, what the price predicts for ten per cent more minutes beside its re-solve."""
    unit = currency(currency_code)
    shown = [curve for curve in (*curves.queues, curves.whole) if curve.at(TEN_PER_CENT) is not None]
    figure, axes = rows([curve.queue_id or "all together" for curve in shown], 0.6)
    for row, curve in enumerate(shown):
        more = curve.at(TEN_PER_CENT)
        assert more is not None
        start = curve.planned.objective_minor
        pair = (more.predicted_minor - start, -0.17, OTHER_COLOUR), (more.objective_minor - start, 0.17, REFERENCE_COLOUR)
        for value, shift, colour in pair:
            bar = axes.barh([row + shift], [unit.major(value)], 0.3, color=colour)
            axes.bar_label(bar, [unit.change(value)], padding=5, color=TEXT_COLOUR, fontsize=9)
    axes.barh([0], [0], color=OTHER_COLOUR, label="predicted from the price")
    axes.barh([0], [0], color=REFERENCE_COLOUR, label="re-solved")
    axes.margins(x=0.14)
    axes.xaxis.set_major_formatter(_MAJOR)
    axes.set_xlabel(f"ten per cent more minutes are expected to add ({currency_code})")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def recovery_bars(curves: CapacityCurves) -> str:
    """Return the share of the minutes with which the optimised order recovers what each other order does with all."""
    shown = sorted((r for r in curves.recoveries if r.share is not None), key=lambda r: -(r.share or 0.0))
    figure, axes = rows([recovery_name(found) for found in shown])
    values = [found.share or 0.0 for found in shown]
    axes.barh(range(len(values)), [1.0] * len(values), BAR_HEIGHT, color=PALE_COLOUR)
    bars = axes.barh(range(len(values)), values, BAR_HEIGHT, color=REFERENCE_COLOUR)
    axes.bar_label(bars, [share(value) for value in values], padding=5, color=TEXT_COLOUR)
    axes.set_xlim(0, 1.08)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_xlabel("share of the minutes with which the optimised order recovers as much")
    return to_svg(figure)


def _draw_curve(axes: Axes, curve: CurveFigures, currency_code: str, small: bool = False) -> None:
    hours = [point.minutes / 60 for point in curve.points]
    unit = currency(currency_code)
    values = [unit.major(point.objective_minor) for point in curve.points]
    here = curve.planned
    near = [point for point in curve.points if 0.5 <= point.factor <= 1.5]
    axes.plot(
        [point.minutes / 60 for point in near], [unit.major(point.predicted_minor) for point in near],
        linestyle="--", color=OTHER_COLOUR, linewidth=1.5, label="predicted from the prices of the plan",
    )  # fmt: skip
    axes.plot(hours, values, marker="o", markersize=3.5, color=REFERENCE_COLOUR, linewidth=2, label="re-solved")
    axes.plot([here.minutes / 60], [unit.major(here.objective_minor)], "o", markersize=9, color=AFTER_COLOUR, label="the plan")
    if curve.range is not None:
        axes.axvspan(curve.range.low / 60, min(curve.range.high / 60, hours[-1]), color=PALE_COLOUR, alpha=0.7, zorder=0)
    tidy(axes)
    axes.xaxis.set_major_locator(MaxNLocator(4 if small else 8))
    axes.yaxis.set_major_locator(MaxNLocator(4 if small else 6))
    axes.xaxis.set_major_formatter(_MAJOR)
    axes.yaxis.set_major_formatter(_MAJOR)
    axes.grid(color=PALE_COLOUR)
    axes.set_axisbelow(True)
