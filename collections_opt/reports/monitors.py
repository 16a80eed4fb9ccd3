"""Predicted against realised by month, for a validator: tables, a figure, one page that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter

from collections_opt.core.shown_text import visible
from collections_opt.reports.challengers import MONEY_NOTE, ChallengerLine, Ranged, Table, challengers_table, lists_table
from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, to_svg
from collections_opt.reports.html_page import render

NOTE = (
    "Interval: 95 %. Level: log-odds by which outcomes are above the prediction, 0 is right. Slope: 1 is right; below it the "
    "model tells accounts further apart than they are. Skill: 1 is perfect, 0 is as good as the mean. Money says where it was, "
    "not what work brought."
)


@dataclass(frozen=True)
class MonitorLine:
    """One part of a matured ranking; None where too few accounts bear a figure."""

    part: str
    outcome: str
    account_count: int
    predicted: float | None
    realised: Ranged | None
    level: Ranged | None
    slope: Ranged | None
    brier_skill: float | None
    auc: Ranged | None
    findable: float | None
    alarm: bool


@dataclass(frozen=True)
class MonitorMonth:
    """One matured ranking."""

    day: date
    ranking_id: str
    model_version: str
    effects_version: str
    unseen_count: int
    overlaps: str
    captured: dict[str, Ranged] = field(default_factory=dict)
    lines: tuple[MonitorLine, ...] = ()
    challengers: tuple[ChallengerLine, ...] = ()

    def line(self, part: str, outcome: str) -> MonitorLine | None:
        """Return a part, None where there is none."""
        return next((one for one in self.lines if (one.part, one.outcome) == (part, outcome)), None)


def headline(months: Sequence[MonitorMonth]) -> str:
    """Return what a validator must know first, naming the worst."""
    if not months:
        return "No ranking has matured yet: nothing can be said of what was predicted."
    alarms = [(month, line) for month in months for line in month.lines if line.alarm]
    counted = sum(not month.overlaps for month in months)
    told = f"{len(months)} matured ranking(s), {counted} of them read by alarms"
    if alarms:
        month, line = max(alarms, key=lambda one: abs(one[1].level.value) if one[1].level else 0.0)
        return f"{told}: {len(alarms)} alarm(s), the worst about {line.outcome} of {line.part} on {month.day}{_rates(line)}."
    known = [(month, month.line("all", "default")) for month in months]
    slopes = [(abs(line.slope.value - 1.0), month, line) for month, line in known if line is not None and line.slope is not None]
    if not slopes:
        return f"{told}: no alarm; too few defaults to judge slopes."
    _, month, line = max(slopes, key=lambda one: one[0])
    assert line.slope is not None
    return f"{told}: no alarm; slope of default furthest from 1 on {month.day}: {_ranged(line.slope)}."


def months_table(months: Sequence[MonitorMonth], outcome: str) -> Table:
    """Return a line per matured ranking."""
    header = ["day", "model", "accounts", "unseen", "predicted", "realised", "level", "slope", "skill", "AUC", "alarms"]
    lines = []
    for month in months:
        line = month.line("all", outcome)
        if line is None:
            continue
        raised = [one.part for one in month.lines if one.alarm and one.outcome == outcome]
        alarms = f"not read, overlaps {month.overlaps}" if month.overlaps else ", ".join(raised) or "none"
        lines.append([str(month.day), visible(month.model_version), *_cells(line, f"{month.unseen_count:,}"), alarms])
    return header, lines


def parts_table(month: MonitorMonth) -> Table:
    """Return a line per part of one matured ranking."""
    header = ["part", "outcome", "accounts", "predicted", "realised", "level", "slope", "skill", "AUC", "findable", "alarm"]
    lines = []
    for line in month.lines:
        findable = "-" if line.findable is None else f"x {line.findable:.2f}"
        lines.append([visible(line.part), line.outcome, *_cells(line), findable, "ALARM" if line.alarm else "no"])
    return header, lines


def money_table(months: Sequence[MonitorMonth]) -> Table:
    """Return the share of money that as many accounts hold as were worked, by order."""
    header = ["day", "worked", "by balance", "by hindsight"]
    orders = ("worked", "balance", "hindsight")
    known = [month for month in months if month.captured]
    return header, [[str(m.day), *(_percent(m.captured.get(name)) for name in orders)] for m in known]


def challengers_of(months: Sequence[MonitorMonth]) -> list[ChallengerLine]:
    """Return the challengers of all matured rankings, by day."""
    return [line for month in months for line in month.challengers]


def monitors_html(months: Sequence[MonitorMonth], false_alarms: str, title: str = "Predicted against realised") -> str:
    """Return the page; equal figures give equal bytes."""
    last = months[-1] if months else None
    return render(
        "monitors.html",
        title=title,
        headline=headline(months),
        note=NOTE,
        defaults=months_table(months, "default"),
        cures=months_table(months, "cure"),
        figure=rates_figure(months) if months else "",
        last=last,
        parts=parts_table(last) if last else ([], []),
        money=money_table(months),
        challengers=challengers_table(challengers_of(months)),
        lists=lists_table(challengers_of(months)),
        money_note=MONEY_NOTE,
        false_alarms=false_alarms,
    )


def rates_figure(months: Sequence[MonitorMonth]) -> str:
    """Return predicted and realised shares by day, default on the left and cure on the right."""
    drawing = Drawing(figsize=(9, 3.2), layout="constrained")
    for axes, outcome in zip(drawing.subplots(1, 2), ("default", "cure"), strict=True):
        found = [(month.day, line) for month in months if (line := month.line("all", outcome)) and line.realised]
        days = [day for day, _ in found]
        axes.plot(days, [line.predicted for _, line in found], color=OTHER_COLOUR, marker="o", label="predicted")
        told = [line.realised for _, line in found if line.realised is not None]
        spread = [[one.value - one.low for one in told], [one.high - one.value for one in told]]
        axes.errorbar(days, [o.value for o in told], yerr=spread, color=REFERENCE_COLOUR, fmt="o", capsize=3, label="realised")
        axes.set_title(outcome)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.set_xticks(days[:: max(1, len(days) // 5)])
        axes.tick_params(axis="x", rotation=30)
        axes.grid(axis="y", color=PALE_COLOUR)
        axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False)
    return to_svg(drawing)


def _cells(line: MonitorLine, *after_count: str) -> list[str]:
    skill = "-" if line.brier_skill is None else f"{line.brier_skill:.3f}"
    predicted = "-" if line.predicted is None else f"{line.predicted:.1%}"
    figures = [_percent(line.realised), _ranged(line.level), _ranged(line.slope), skill, _ranged(line.auc)]
    return [f"{line.account_count:,}", *after_count, predicted, *figures]


def _rates(line: MonitorLine) -> str:
    if line.predicted is None or line.realised is None:
        return ""
    return f": predicted {line.predicted:.1%}, realised {_percent(line.realised)}"


def _ranged(one: Ranged | None) -> str:
    return "-" if one is None else f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def _percent(one: Ranged | None) -> str:
    return "-" if one is None else f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"
