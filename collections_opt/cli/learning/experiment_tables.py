"""Experiments as tables of the terminal: what one would show and cost, and what stands of each."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import typer
from google.type.date_pb2 import Date

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.plain import plain
from collections_opt.core.codes.currencies import Currency
from collections_opt.wire.common import read_date, read_enum

DRAWN = {
    experiment_pb2.EXPERIMENT_ARM_HOLDOUT: "left alone",
    experiment_pb2.EXPERIMENT_ARM_RANDOM_QUEUE: "in a queue drawn at random",
    experiment_pb2.EXPERIMENT_ARM_TWO_PLANS: "worked by a challenger's plan",
}
"""What becomes of the people whom an experiment draws."""


def show_plan(
    answer: pb.PlanExperimentResponse, unit: Currency, title: str, find: Decimal | None, two_plans: bool = False
) -> None:
    """Print what an experiment would show and cost."""
    detectable = "-"
    if answer.HasField("detectable_effect_minor_units"):
        detectable = f"{unit.exact(round(answer.detectable_effect_minor_units))} {unit.code} per person"
    else:
        detectable = f"none: an arm is read from {answer.readable_person_count:,} people in all on"
    cost = f"{unit.exact(answer.cost_minor_units)} {unit.code}"
    between = f"{unit.exact(answer.cost_low_minor_units)} to {unit.exact(answer.cost_high_minor_units)}"
    lines = [
        ["people in scope who would be worked today", f"{answer.worked_person_count:,}"],
        ["people whom the law protects, never in it", f"{answer.protected_person_count:,}"],
        ["people expected to enter", f"{answer.entering_person_count:,}"],
        ["of them drawn", f"{answer.held_out_person_count:,}"],
        ["least effect found (80 % of the time, at 95 %)", detectable],
        ["expected cost, minutes earning their price with others", f"{cost} (95 %: {between})"],
        ["at most, minutes earning nothing", f"{unit.exact(answer.cost_most_minor_units)} {unit.code}"],
        [
            "cash per person",
            f"standard deviation {unit.exact(round(answer.standard_deviation_minor_units))}, {answer.spread_source}",
        ],
    ]
    if two_plans:
        lines[:2] = [["people in scope today, worked or not", f"{answer.worked_person_count:,}"]]
        lines[4:6] = [["cost", "nobody is left out; what the worse plan loses is the question"]]
        lines[2][0] = "of them drawn for the challenger"
    if find is not None:
        lines.insert(5, [f"people needed to find {find} {unit.code}", f"{answer.needed_person_count:,}"])
    terminal().print(table(title, ["", ""], lines, text_columns=2))


def show_experiments(experiments: list[experiment_pb2.Experiment], as_json: bool) -> None:
    """Print what stands of experiments."""
    if as_json:
        typer.echo(json.dumps([plain(each) for each in experiments], indent=1))
        return
    lines = [
        [
            each.experiment_id,
            str(each.state.version),
            read_enum(experiment_pb2.ExperimentState.DESCRIPTOR, each.standing, "standing"),
            f"{each.share:.2%}",
            f"worked by {each.challenger_plan_id}" if each.challenger_plan_id else DRAWN[each.arm],
            f"{_day(each.start_date)} to {_day(each.end_date)}",
            f"{each.planned_person_count:,}",
            f"{each.horizon_days}",
            f"from {_day(each.stop_date)}: {each.stop_reason}" if each.HasField("stop_date") else "-",
        ]
        for each in experiments
    ]
    header = ["experiment", "version", "standing", "share", "who is drawn is", "days", "people planned", "horizon", "stopped"]
    terminal().print(table("Experiments", header, lines, text_columns=9))


def _day(message: Date) -> date:
    return read_date(message, "date")
