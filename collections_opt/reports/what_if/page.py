"""A capacity what-if as one HTML page: the finding first, then figures, tables, caveats. It loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collections_opt.core.codes.currencies import currency
from collections_opt.core.ranking.what_if_summary import CapacityCurves, WhatIfSummary
from collections_opt.reports.html_page import render
from collections_opt.reports.what_if.figures import (
    flow_bars,
    price_bars,
    queue_curves,
    recovery_bars,
    ten_per_cent_bars,
    whole_curve,
)
from collections_opt.reports.what_if.report import (
    flow_table,
    headline,
    moved_table,
    moves_sentence,
    prediction_sentence,
    price_table,
    queue_change_table,
    recovery_table,
    same_recovery_sentence,
    signed_share,
)


@dataclass(frozen=True)
class WhatIfPage:
    """What a reader of a what-if sees.

    Attributes:
        title: names the page.
        found: the two capacities.
        curves: recovered value against minutes under the plan before, or None.
        tolerance: share within which prices keep, 0 if not asked for.
        facts: name and value of what produced it.
        rests_on: the evidence grades of the money.
        calibration: how well the model is calibrated, the worst outcome first; "" where no model scored.
    """

    title: str
    found: WhatIfSummary
    curves: CapacityCurves | None
    tolerance: float
    facts: Sequence[tuple[str, str]]
    rests_on: str = ""
    calibration: str = ""


def what_if_html(page: WhatIfPage) -> str:
    """Return the page; equal content gives equal bytes."""
    found, curves, code = page.found, page.curves, page.found.currency_code
    drawn = curves is not None and bool(curves.queues)
    return render(
        "what_if.html",
        title=page.title,
        rests_on=page.rests_on,
        calibration=page.calibration,
        headline=headline(found),
        prediction=prediction_sentence(found),
        same=same_recovery_sentence(found),
        cards=_cards(found),
        queues=queue_change_table(found),
        price_figure=price_bars(found),
        moves=moves_sentence(found),
        flow_figure=flow_bars(found) if found.flows else "",
        flows=flow_table(found),
        moved=moved_table(found),
        whole_figure=whole_curve(curves.whole, code) if curves is not None else "",
        curve_figure=queue_curves(curves.queues, code) if curves is not None and drawn else "",
        ten_figure=ten_per_cent_bars(curves, code) if curves is not None else "",
        has_range=page.tolerance > 0,
        tolerance=f"{page.tolerance:.0%}",
        prices=price_table(found, curves),
        recovery_figure=recovery_bars(curves) if curves is not None and curves.recoveries else "",
        recoveries=recovery_table(curves, code) if curves is not None else ([], []),
        facts=page.facts,
    )


def _cards(found: WhatIfSummary) -> list[tuple[str, str, str]]:
    """Return figure, name and remark of the cards on top."""
    minutes = found.after.capacity_minutes - found.before.capacity_minutes
    moved = found.entering_count + found.leaving_count + found.changing_count
    unit = currency(found.currency_code)
    cards = [
        (
            unit.change(found.change_minor),
            f"{found.currency_code} expected increment",
            f"{unit.whole(found.before.objective_minor)} → {unit.whole(found.after.objective_minor)} "
            f"({signed_share(found.change_minor, found.before.objective_minor)})",
        ),
        (unit.change(found.predicted_minor), f"{found.currency_code} predicted", "from the prices before"),
        (f"{minutes / 60:+,.1f}", "agent-hours", f"{found.before.capacity_minutes / 60:,.1f} before"),
        (f"{moved:,}", "accounts move", f"{found.entering_count:,} enter, {found.leaving_count:,} leave"),
    ]
    if abs(minutes) >= 1 / 60:
        worth = unit.whole(found.change_minor / minutes * 60)
        cards.append((worth, "per agent-hour changed", f"{found.currency_code} of increment"))
    return cards
