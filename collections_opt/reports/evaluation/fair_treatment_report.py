"""Fair treatment for people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.evaluation.fair_treatment import GroupTreatment

SUPPRESSED = "fewer than 30"
FAIRNESS_NOTE = (
    "Worked: share of the group, ± half of its 95 % interval; ratio and difference at equal benefit are to all other accounts. "
    "Unworked: of those that contact would help. PRESSURE and NEGLECT are flagged where the ratio of worked shares leaves 0.8 to "
    "1.25 beyond chance, or where a difference remains at equal expected benefit; a flag is a question, not a finding. Groups "
    "came from the group file and were no input of scores, values or assignment. Left alone: by an experiment's draw, which "
    "knows no group; such accounts do not count as unworked. Other plan: drawn for the other of two plans, which works them; its "
    "own ranking says how, and here they are in no share of the unworked."
)


def fairness_table(treatments: Sequence[GroupTreatment], currency_code: str) -> tuple[list[str], list[list[str]]]:
    """Return header and one line per group: shares with half of their 95 % interval, minutes and increment per account."""
    header = [
        "attribute",
        "group",
        "accounts",
        "worked",
        "ratio",
        "equal benefit",
        "minutes",
        "increment",
        "unworked",
        "hardship",
        "look at",
    ]
    lines = [_line(treatment, currency_code) for treatment in treatments]
    for name, shares in (
        ("left alone", [made.held_out_share for made in treatments]),
        ("other plan", [made.other_plan_share for made in treatments]),
    ):
        if any(share is not None for share in shares):
            header = [*header, name]
            lines = [[*line, "" if share is None else f"{share:.1%}"] for line, share in zip(lines, shares, strict=True)]
    return header, lines


def _line(made: GroupTreatment, currency_code: str) -> list[str]:
    unit = currency(currency_code)
    if made.is_suppressed:
        return [made.attribute, made.group, SUPPRESSED, *[""] * 8]
    return [
        made.attribute,
        made.group,
        f"{made.account_count:,}",
        _range(made.worked_share, "{:.1%}"),
        "-" if made.worked_ratio is None else f"{made.worked_ratio:.2f}",
        _range(made.equal_benefit_difference, "{:+.1%}"),
        f"{made.minutes_per_account:.2f}",
        unit.exact(made.increment_per_account or 0.0),
        "-" if made.unworked_share is None else f"{made.unworked_share:.1%}",
        f"{made.hardship_share:.1%}",
        ", ".join(made.flags) or "-",
    ]


def _range(interval: Interval | None, form: str) -> str:
    if interval is None:
        return "-"
    return f"{form.format(interval.value)} ± {50 * (interval.high - interval.low):.1f}"


def fairness_rows(treatments: Sequence[GroupTreatment]) -> list[dict[str, Any]]:
    """Return one plain dict per group for JSON; a suppressed group says so and nothing else."""
    return [
        {"attribute": made.attribute, "group": made.group, "suppressed": True}
        if made.is_suppressed
        else {**asdict(made), "flags": list(made.flags), "suppressed": False}
        for made in treatments
    ]
