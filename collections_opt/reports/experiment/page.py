"""An experiment as one page with the picture a board understands; opens offline."""

from __future__ import annotations

from matplotlib.ticker import FuncFormatter

from collections_opt.core.codes.currencies import currency
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.experiments.findings import ExperimentFindings
from collections_opt.reports.experiment.report import (
    arm_names,
    days_table,
    facts,
    findings_note,
    findings_table,
    pairs_table,
    queue_name,
    shown_value,
)
from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, rows, to_svg
from collections_opt.reports.html_page import render

_TITLES = {
    ArmKind.HOLDOUT: "What contact is worth",
    ArmKind.RANDOM_QUEUE: "What the choice of a queue is worth",
    ArmKind.TWO_PLANS: "What another plan is worth",
}
_ADDS = {
    ArmKind.HOLDOUT: "contact adds",
    ArmKind.RANDOM_QUEUE: "the choice of a queue adds",
    ArmKind.TWO_PLANS: "the challenger's plan adds",
}
_WHOM = {ArmKind.HOLDOUT: "left alone", ArmKind.RANDOM_QUEUE: "in a queue drawn at random"}


def experiment_html(found: ExperimentFindings, title: str = "") -> str:
    """Return the page; equal findings give equal bytes."""
    cash = found.cash
    return render(
        "experiment.html",
        title=title or _TITLES[found.design.arm],
        headline=found.headline,
        lead=_lead(found),
        arms_figure=arms_figure(found) if cash else "",
        effect_figure=effect_figure(found) if cash else "",
        values=findings_table(found),
        pairs=pairs_table(found),
        arms=_bars(found),
        days=days_table(found) if found.split_days else (),
        note=findings_note(found),
        facts=facts(found),
    )


def arms_figure(found: ExperimentFindings) -> str:
    """Return what people of either arm paid, one bar each, over all queues."""
    effect, group = found.cash, found.reading.groups[0]
    if effect is None:
        raise ValueError("no effect is known")
    unit = currency(found.currency_code)
    counts = group.contact_count, group.held_out_count
    figure, axes = rows([f"{name} ({count:,} people)" for name, count in zip(_bars(found), counts, strict=True)], 0.7)
    # At equal prediction: the arms' means differ by the effect, not by who happened to be drawn.
    means = [unit.major(effect.mean_held_out + effect.effect), unit.major(effect.mean_held_out)]
    bars = axes.barh([0, 1], means, 0.55, color=[REFERENCE_COLOUR, OTHER_COLOUR])
    axes.bar_label(bars, [f"{mean:,.2f}" for mean in means], padding=6, color=TEXT_COLOUR)
    axes.margins(x=0.15)
    axes.set_xlabel(f"cash per person within {found.design.horizon_days} days ({unit.code})")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return to_svg(figure)


def effect_figure(found: ExperimentFindings) -> str:
    """Return the effect on cash of all queues and of each, with both intervals."""
    unit = currency(found.currency_code)
    shown = [
        (queue_name(found, group), effect)
        for group in found.reading.groups
        for effect in group.effects
        if effect.outcome == "cash"
    ]
    figure, axes = rows([name for name, _ in shown], 0.55)
    for place, (_, effect) in enumerate(shown):
        centre = unit.major(effect.effect)
        colour = REFERENCE_COLOUR if place == 0 else OTHER_COLOUR
        for low, high, width, alpha in (
            (effect.anytime_low, effect.anytime_high, 2.0, 0.9),
            (effect.fixed_low, effect.fixed_high, 6.0, 0.45),
        ):
            axes.plot([unit.major(low), unit.major(high)], [place, place], color=colour, linewidth=width, alpha=alpha)
        axes.plot([centre], [place], "o", color=colour, markersize=8)
        axes.annotate(
            shown_value(found, "cash", effect.effect, signed=True),
            (centre, place),
            (0, 9),
            textcoords="offset points",
            ha="center",
            color=TEXT_COLOUR,
        )
    axes.axvline(0, color=TEXT_COLOUR, linewidth=1.0)
    axes.grid(axis="x", color=PALE_COLOUR)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"cash that {_ADDS[found.design.arm]} per person ({unit.code}; thick: fixed 95 %, thin: anytime-valid 95 %)")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return to_svg(figure)


def _bars(found: ExperimentFindings) -> tuple[str, str]:
    """Return what people of either arm are called."""
    compared, other = arm_names(found.design)
    if found.design.arm is ArmKind.TWO_PLANS:
        return f"challenger: {compared}", f"as it is: {other}"
    return "contacted as decided", other


def _people(found: ExperimentFindings) -> str:
    design, group = found.design, found.reading.groups[0]
    if design.arm is ArmKind.TWO_PLANS:
        return f"{group.contact_count:,} people of {design.challenger_plan_id} and {group.held_out_count:,} of {design.plan_id}"
    return f"{group.contact_count:,} people contacted as decided and {group.held_out_count:,} {_WHOM[design.arm]}"


def _lead(found: ExperimentFindings) -> str:
    effect, design = found.cash, found.design
    adds, people = _ADDS[design.arm], _people(found)
    if effect is None:
        return f"So far {people} have matured; {found.waiting_count:,} still wait for their {design.horizon_days} days."
    shown = {
        name: shown_value(found, "cash", getattr(effect, name), signed=True)
        for name in ("effect", "anytime_low", "anytime_high", "fixed_low", "fixed_high")
    }
    final = found.is_final
    low, high = (shown["fixed_low"], shown["fixed_high"]) if final else (shown["anytime_low"], shown["anytime_high"])
    kind = "at its end" if final else "at any look"
    code = found.currency_code
    cures = next((each for each in found.reading.groups[0].effects if each.outcome == "cure"), None)
    more = "" if cures is None else f" People cured: {shown_value(found, 'cure', cures.effect, signed=True)}."
    return (
        f"{adds[0].upper()}{adds[1:]} {shown['effect']} {code} of cash per person within {design.horizon_days} days, with 95 % "
        f"confidence between {low} and {high} {kind}: {people}, by a draw.{more}"
    )
