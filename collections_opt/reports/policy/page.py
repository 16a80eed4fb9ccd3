"""The value of orders on a contact log as one page; opens offline."""

from __future__ import annotations

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.policy_comparison import PolicyEvaluation
from collections_opt.reports.evaluation.effect_tables import SIMULATED_MARK, uplift_table
from collections_opt.reports.evaluation.uplift_figures import qini_figure
from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, rows, to_svg
from collections_opt.reports.html_page import render
from collections_opt.reports.policy.report import (
    POLICY_NOTE,
    grade_sentence,
    order_title,
    policy_finding,
    policy_standing,
    provenance,
    refusals,
    value_table,
)


def policy_html(found: PolicyEvaluation, title: str = "Value of orders on a contact log") -> str:
    """Return the page; equal figures give equal bytes."""
    facts = [
        ("portfolios", ", ".join(found.portfolios)),
        ("accounts", f"{found.account_count:,}, judged on {found.randomised_count:,} randomised rows"),
        ("capacity plan", found.plan),
        ("outcome model", ", ".join(found.outcome_models)),
        ("contact effects", ", ".join(found.effects)),
        ("money", f"{found.reward.value}, {found.currency_code}"),
        *provenance(found),
    ]
    return render(
        "policy.html",
        title=title,
        mark=SIMULATED_MARK if found.simulated else "",
        headline=policy_finding(found),
        standing=policy_standing(found),
        grade=grade_sentence(found),
        note=POLICY_NOTE,
        values=value_table(found),
        value_figure=value_figure(found) if found.answered else "",
        refusals=refusals(found),
        uplift=uplift_table(found.curves),
        qini_figure=qini_figure(found.curves),
        facts=facts,
    )


def value_figure(found: PolicyEvaluation) -> str:
    """Return each order's gain over contacting nobody with its interval, expected value on top."""
    shown = [(order_title(order.order), order.gain) for order in found.orders if order.gain is not None]
    unit = currency(found.currency_code)
    figure, axes = rows([name for name, _ in shown])
    for place, (_, gain) in enumerate(shown):
        spread = [[unit.major(gain.value - gain.low)], [unit.major(gain.high - gain.value)]]
        colour = REFERENCE_COLOUR if place == 0 else OTHER_COLOUR
        axes.errorbar([unit.major(gain.value)], [place], xerr=spread, fmt="o", color=colour, capsize=4, markersize=7, linewidth=2)
    axes.axvline(0, color=TEXT_COLOUR, linewidth=0.8)
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"gain per account over contacting nobody, doubly robust ({found.currency_code}; bars: 95 % interval)")
    return to_svg(figure)
