"""An experiment's findings as text and tables: the answer first, with what it rests on and what it cost."""

from __future__ import annotations

from typing import Any

from collections_opt.core.codes.currencies import currency
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign, StopRule
from collections_opt.core.experiments.findings import ExperimentFindings
from collections_opt.core.experiments.reading import Effect, GroupReading

EVERYBODY = "all queues"
OUTCOMES = {"cash": "cash", "cure": "cured", "value": "value"}

_DRAWN_ARM = {ArmKind.HOLDOUT: "left alone", ArmKind.RANDOM_QUEUE: "queue drawn"}
"""What happens to people whom an experiment draws."""


def arm_names(design: ExperimentDesign) -> tuple[str, str]:
    """Return what the arm that is compared is called, and the one that it is compared with."""
    if design.arm is ArmKind.TWO_PLANS:
        return design.challenger_plan_id, design.plan_id
    return "contact", _DRAWN_ARM[design.arm]


_INTERVALS = (
    "Effects are at equal prediction. The anytime-valid interval holds at all looks together: act upon it on any day. The fixed "
    "one holds at one look, at the end."
)
_NOTES = {
    ArmKind.HOLDOUT: (
        "Compared are people whom the final prices would have had worked, contacted as the rankings decided or left alone, by a "
        "draw of their ids; who was drawn for contact counts as contacted, whether reached or not."
    ),
    ArmKind.RANDOM_QUEUE: (
        "Compared are people whom the final prices would have had worked, in the queue that the rankings choose or in one drawn "
        "at random among those that may work them, by a draw of their ids; where the drawn queue was not worth its minutes "
        "nobody worked them, and they count all the same. Queues are compared by people for whom both were worth their minutes."
    ),
    ArmKind.TWO_PLANS: (
        "Compared is everybody in scope, worked or not, at the first ranking of either plan: a draw of their ids decided which "
        "plan works them; nobody is worked by both or left alone. The effect is the challenger's plan less the plan as it is. "
        "What was predicted of a person, and the queue, come from one ranking for both arms."
    ),
}


def findings_note(found: ExperimentFindings) -> str:
    """Return how the findings are to be read."""
    return f"{_NOTES[found.design.arm]} {_INTERVALS}"


def findings_table(found: ExperimentFindings) -> tuple[list[str], list[list[str]]]:
    """Return header and a line per queue and outcome."""
    header = [
        "queue",
        "outcome",
        *arm_names(found.design),
        "people",
        "effect",
        "anytime-valid 95 %",
        "fixed 95 %",
    ]
    lines: list[list[str]] = []
    for group in found.reading.groups:
        counts = f"{group.contact_count:,} / {group.held_out_count:,}"
        if group.refused:
            told = f"needs {group.needed_count:,} in each arm"
            lines.append([queue_name(found, group), "-", "-", "-", counts, told, "-", "-"])
        lines += [_line(found, group, effect, counts) for effect in group.effects]
    return header, lines


def pairs_table(found: ExperimentFindings) -> tuple[list[str], list[list[str]]]:
    """Return header and a line per two queues and outcome, where queues were drawn."""
    header = ["queue", "less", "outcome", "queue", "other", "people", "effect", "anytime-valid 95 %", "fixed 95 %"]
    lines: list[list[str]] = []
    for pair in found.reading.pairs:
        names = [found.queue_ids[pair.first], found.queue_ids[pair.second]]
        counts = f"{pair.first_count:,} / {pair.second_count:,}"
        if not pair.effects:
            lines.append([*names, "-", "-", "-", counts, f"needs {pair.needed_count:,} in each", "-", "-"])
        lines += [[*names, *_figures(found, effect, counts)] for effect in pair.effects]
    return header, lines


def facts(found: ExperimentFindings) -> list[tuple[str, str]]:
    """Return what the findings rest on, by name."""
    design = found.design
    days = f"{design.starts_on} to {design.ends_on}"
    if design.stopped_on is not None:
        days += f", stopped from {design.stopped_on}: {design.stop_reason}"
    rule = (
        "on its last day" if design.stop_rule is StopRule.LAST_DAY else "early, once the anytime-valid interval of cash decides"
    )
    worst = f"{found.reading.arms_z:+.1f} standard deviations from the share"
    scope = design.scope
    about = [
        *(f"portfolios {', '.join(scope.portfolios)}" for _ in scope.portfolios[:1]),
        *(f"products {', '.join(scope.products)}" for _ in scope.products[:1]),
        *(f"buckets {', '.join(map(str, scope.buckets))}" for _ in scope.buckets[:1]),
    ]
    drawn = [(arm_names(design)[1], f"{design.share:.2%} of people, drawn by their ids")]
    if design.arm is ArmKind.TWO_PLANS:
        drawn = [("challenger", f"{design.challenger_plan_id}, {design.share:.2%} of people, drawn by their ids")]
        drawn.append(("plan as it is", f"{design.plan_id}, everybody else"))
    return [
        ("experiment", found.experiment_id),
        ("days", days),
        *drawn,
        ("about", "; ".join(about) or "everybody but people whom the law protects"),
        (
            "people",
            f"{found.matured_count:,} matured of {design.planned_person_count:,} planned; {found.waiting_count:,} still wait",
        ),
        ("horizon", f"{design.horizon_days} days"),
        ("ends", rule + ("; that rule lets it end now" if found.reading.may_stop else "")),
        ("arms", worst + (": NOT AS DRAWN" if found.reading.draw_doubted else "")),
        *(
            [("contacted although left alone", f"{found.contacted_count:,} people, by events")]
            if design.arm is ArmKind.HOLDOUT
            else []
        ),
        ("left sight before their horizon", f"{found.censored_count:,} people"),
        *(
            [("whole desk", desk_told(found)), ("days of both plans", days_told(found))]
            if design.arm is ArmKind.TWO_PLANS
            else [("predicted cost", cost_told(found)), ("measured cost", measured_told(found))]
        ),
        ("read on", str(found.read_on)),
    ]


def desk_told(found: ExperimentFindings) -> str:
    """Return what the challenger's plan would have brought from all the people compared, over the plan as it is."""
    effect, unit = found.cash, currency(found.currency_code)
    if effect is None:
        return "not known yet"
    low, high = (effect.fixed_low, effect.fixed_high) if found.is_final else (effect.anytime_low, effect.anytime_high)
    shown = [unit.whole(each * found.matured_count) for each in (effect.effect, low, high)]
    people = f"had the challenger's plan worked all {found.matured_count:,} people with all minutes"
    return f"{shown[0]} {unit.code} of cash added, {people} (95 %: {shown[1]} to {shown[2]})"


def days_told(found: ExperimentFindings) -> str:
    """Return on how many days both plans made their rankings, with minutes that stood as the people do."""
    days = found.split_days
    both = [day for day in days if day.ranking_id and day.challenger_ranking_id]
    even = sum(not day.uneven for day in both)
    told = f"{len(both):,} of {len(days):,} days on which either plan made a ranking; minutes in proportion on {even:,} of them"
    if len(both) < len(days):
        told += "; where one made none nobody worked its people that day, and they count all the same"
    return told


def days_table(found: ExperimentFindings) -> tuple[list[str], list[list[str]]]:
    """Return header and a line per day of two plans: rankings, and queues whose minutes were off, the challenger's first."""
    lines = [
        [
            str(day.day),
            day.challenger_ranking_id or "NONE",
            day.ranking_id or "NONE",
            ", ".join(f"{each.queue_id}: {each.challenger_minutes:,.0f} and {each.minutes:,.0f} minutes" for each in day.uneven)
            or "in proportion",
        ]
        for day in found.split_days
    ]
    return ["day", *arm_names(found.design), "minutes"], lines


def cost_told(found: ExperimentFindings) -> str:
    """Return what leaving the matured people alone was predicted to cost."""
    unit = currency(found.currency_code)
    least, most = unit.whole(found.predicted_cost_minor), unit.whole(found.predicted_most_minor)
    return f"{least} {unit.code} where minutes earned their price with others, {most} where they earned nothing"


def measured_told(found: ExperimentFindings) -> str:
    """Return what leaving people alone cost in cash, by the effect measured; without what the minutes earned elsewhere."""
    effect, unit = found.cash, currency(found.currency_code)
    if effect is None:
        return "not known yet"
    held = found.reading.groups[0].held_out_count
    shown = [unit.whole(each * held) for each in (effect.effect, effect.anytime_low, effect.anytime_high)]
    whom = {ArmKind.HOLDOUT: "left alone", ArmKind.RANDOM_QUEUE: "whose queue was drawn"}[found.design.arm]
    return f"{shown[0]} {unit.code} of cash from the people {whom} (anytime-valid: {shown[1]} to {shown[2]})"


def queue_name(found: ExperimentFindings, group: GroupReading) -> str:
    """Return the name of a group."""
    if group.queue < 0:
        return "everybody" if found.design.arm is ArmKind.TWO_PLANS else EVERYBODY
    return found.queue_ids[group.queue]


def shown_value(found: ExperimentFindings, outcome: str, value: float, signed: bool = False) -> str:
    """Return a figure of an outcome in its unit."""
    if outcome == "cure":
        return f"{value:{'+' if signed else ''}.2%}"
    text = currency(found.currency_code).exact(round(value))
    return f"+{text}" if signed and value > 0 else text


def findings_rows(found: ExperimentFindings) -> list[dict[str, Any]]:
    """Return one plain dict per queue and outcome, for JSON and CSV; a small group says how many it needs."""
    rows: list[dict[str, Any]] = []
    for group in found.reading.groups:
        head = {
            "queue_id": "" if group.queue < 0 else found.queue_ids[group.queue],
            "contact_count": group.contact_count,
            "held_out_count": group.held_out_count,
            "needed_count": group.needed_count,
        }
        rows += [{**head, **vars(effect)} for effect in group.effects] or [head]
    for pair in found.reading.pairs:
        head = {
            "queue_id": found.queue_ids[pair.first],
            "other_queue_id": found.queue_ids[pair.second],
            "contact_count": pair.first_count,
            "held_out_count": pair.second_count,
            "needed_count": pair.needed_count,
        }
        rows += [{**head, **vars(effect)} for effect in pair.effects] or [head]
    return rows


def _line(found: ExperimentFindings, group: GroupReading, effect: Effect, counts: str) -> list[str]:
    return [queue_name(found, group), *_figures(found, effect, counts)]


def _figures(found: ExperimentFindings, effect: Effect, counts: str) -> list[str]:
    def shown(value: float, signed: bool = False) -> str:
        return shown_value(found, effect.outcome, value, signed)

    return [
        OUTCOMES.get(effect.outcome, effect.outcome),
        shown(effect.mean_contact),
        shown(effect.mean_held_out),
        counts,
        shown(effect.effect, signed=True),
        f"{shown(effect.anytime_low, signed=True)} to {shown(effect.anytime_high, signed=True)}",
        f"{shown(effect.fixed_low, signed=True)} to {shown(effect.fixed_high, signed=True)}",
    ]
