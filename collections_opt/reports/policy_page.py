"""The value of orders on a contact log as one page; opens offline."""

from __future__ import annotations

from matplotlib.figure import Figure

from collections_opt.core.policy_comparison import PolicyEvaluation
from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, rows, tidy, to_svg
from collections_opt.reports.html_page import render
from collections_opt.reports.policy_report import (
    POLICY_NOTE,
    SIMULATED_MARK,
    order_title,
    policy_headline,
    provenance,
    refusals,
    uplift_table,
    value_table,
)

_CURVES = (REFERENCE_COLOUR, OTHER_COLOUR, TEXT_COLOUR)


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
        headline=policy_headline(found),
        note=POLICY_NOTE,
        values=value_table(found),
        value_figure=value_figure(found) if found.answered else "",
        refusals=refusals(found),
        uplift=uplift_table(found),
        qini_figure=qini_figure(found),
        facts=facts,
    )


def value_figure(found: PolicyEvaluation) -> str:
    """Return each order's gain over contacting nobody with its interval, expected value on top."""
    shown = [(order_title(order.order), order.gain) for order in found.orders if order.gain is not None]
    figure, axes = rows([name for name, _ in shown])
    for place, (_, gain) in enumerate(shown):
        spread = [[(gain.value - gain.low) / 100], [(gain.high - gain.value) / 100]]
        colour = REFERENCE_COLOUR if place == 0 else OTHER_COLOUR
        axes.errorbar([gain.value / 100], [place], xerr=spread, fmt="o", color=colour, capsize=4, markersize=7, linewidth=2)
    axes.axvline(0, color=TEXT_COLOUR, linewidth=0.8)
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"gain per account over contacting nobody, doubly robust ({found.currency_code}; bars: 95 % interval)")
    return to_svg(figure)


def qini_figure(found: PolicyEvaluation) -> str:
    """Return cures added per account against the share contacted first, per order of contact and at random."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for (name, curve), colour in zip(found.curves.items(), _CURVES, strict=True):
        axes.plot(curve.share, curve.gain, color=colour, linewidth=2, label=f"{name} (Qini {curve.qini.value:.4f})")
    ends = [curve.gain[-1] for curve in found.curves.values()]
    axes.plot([0, 1], [0, ends[0]], color=TEXT_COLOUR, linewidth=1, linestyle=":", label="at random")
    axes.set_xlabel("share of accounts contacted first")
    axes.set_ylabel("cures added per account")
    tidy(axes)
    axes.spines["left"].set_visible(True)
    axes.legend(frameon=False, loc="lower right")
    return to_svg(figure)
