"""A day on two desks: the living list beside the frozen one, as rows and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from collections_opt.core.codes.currencies import currency
from collections_opt.reports.figures import OTHER_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, tidy, to_svg


@dataclass(frozen=True)
class DeskFigures:
    """What one desk did: contacts, those in vain by why, and money by hour in minor units."""

    name: str
    contacts: int
    in_vain: Mapping[str, int]
    money_by_hour: Sequence[float]


def desk_table(desks: Sequence[DeskFigures], currency_code: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table, a desk a row."""
    header = ["desk", "contacts", "in vain", "of whom", f"money ({currency_code})"]
    lines = []
    for desk in desks:
        why = ", ".join(f"{count} {name}" for name, count in sorted(desk.in_vain.items())) or "nobody"
        money = currency(currency_code).exact(round(sum(desk.money_by_hour)))
        lines.append([desk.name, f"{desk.contacts:,}", f"{sum(desk.in_vain.values()):,}", why, money])
    return header, lines


def day_picture(desks: Sequence[DeskFigures], opens_hour: int, solved_at: Sequence[int], currency_code: str) -> str:
    """Return a picture (SVG) of money through the day: a line per desk, and when what remained was solved anew.

    Args:
        desks: the living desk first.
        opens_hour: hour of the lender's clock at which work begins.
        solved_at: hours of work before each re-solve.
        currency_code: of the money.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    scale = float(10 ** currency(currency_code).exponent)
    hours = np.arange(len(desks[0].money_by_hour) + 1) + opens_hour
    for desk, style, colour in zip(desks, ("-", "--"), (REFERENCE_COLOUR, TEXT_COLOUR), strict=True):
        so_far = np.concatenate([[0.0], np.cumsum(desk.money_by_hour)]) / scale
        axes.plot(hours, so_far, style, color=colour, label=f"{desk.name}: {so_far[-1]:,.0f}")
    for place, hour in enumerate(solved_at):
        label = "_" if place else "what remained, solved anew"
        axes.axvline(opens_hour + hour, color=OTHER_COLOUR, linewidth=0.8, label=label)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(hours[0], hours[-1])
    axes.set_xlabel("hour of the lender's clock")
    axes.set_ylabel(f"money so far ({currency_code})")
    axes.legend(frameon=False)
    tidy(axes)
    return to_svg(figure)
