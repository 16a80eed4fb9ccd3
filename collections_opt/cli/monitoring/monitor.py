"""Hold matured rankings against what they predicted: a table, JSON, or a page by month for the validator.

Example:
    python scripts/monitor.py --data var/demo
    python scripts/monitor.py --data var/demo --html monitors.html
    python scripts/monitor.py --data var/demo --ahead in-force
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.cli.common.product import Product, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.cli.monitoring.ahead import WITHIN_MONTHS, ahead_of
from collections_opt.client.outcomes import get_monitors
from collections_opt.core.outcomes.alarms import FALSE_RATE, MONTHS
from collections_opt.core.shown_text import visible
from collections_opt.reports.challengers import (
    MONEY_NOTE,
    ChallengerLine,
    ListMoney,
    Ranged,
    challengers_table,
    lists_table,
)
from collections_opt.reports.monitors import (
    NOTE,
    MonitorLine,
    MonitorMonth,
    challengers_of,
    headline,
    money_table,
    monitors_html,
    months_table,
    parts_table,
)
from collections_opt.wire.common import enum_text, read_date

ALARMED = 1
"""Exit code where the last matured ranking raised an alarm, with ``--fail``."""

FALSE_ALARMS = (
    f"In {MONTHS} months in which all predictions are right, the chance of any alarm in any part is at most {FALSE_RATE:.0%}, "
    "however many parts there are and however they depend on each other, as long as accounts of different persons do not: "
    "alarms read one account of each person, and no ranking whose horizon overlaps that of one before. A month that is bad for "
    "everybody, such as one of a crisis, raises alarms, and should."
)


def main(
    product: Product,
    model: Annotated[str, typer.Option(help="Model version, such as outcome/credit-card-4; default all.")] = "",
    desk: Annotated[str, typer.Option(help="Capacity plan; default all.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write a page by month to this file.")] = None,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 where the last matured ranking raised an alarm.")] = False,
    ahead: Annotated[str, typer.Option(help="A ranking, in-force or an id: which shifts a book of its size can show.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show predicted against realised by matured ranking, with intervals and alarms.

    Example: python scripts/monitor.py --data var/demo --html monitors.html
    """
    if ahead:
        _print_ahead(product, ahead, as_json)
        return
    with product.connect() as client:
        found = list(get_monitors(client, model, desk))
    months = [month_of(one) for one in found]
    if html is not None:
        html.write_text(monitors_html(months, FALSE_ALARMS), "utf-8")
    if as_json:
        plain = [MessageToDict(one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True) for one in found]
        typer.echo(json.dumps(plain, indent=1))
    else:
        _print(months)
        if html is not None:
            terminal().print(f"Page: {html}")
    if fail and months and any(line.alarm for line in months[-1].lines):
        raise typer.Exit(ALARMED)


def _print_ahead(product: Product, name: str, as_json: bool) -> None:
    with product.connect() as client:
        ranking = named_ranking(client, name)
        lines = ahead_of(client, ranking)
    if as_json:
        typer.echo(json.dumps(lines, indent=1))
        return
    header = ["part", "outcome", "accounts", "alarms find odds times", "no method finds less than"]
    shown = [
        [
            visible(line["part"]),
            line["outcome"],
            f"{line['account_count']:,}",
            f"{line['findable_odds_factor']:.2f}",
            f"{line['least_of_any_method']:.2f}",
        ]
        for line in lines
    ]
    title = f"Shifts found within {WITHIN_MONTHS} months in 90 % of cases, at a ranking a month like {ranking.ranking_id}"
    terminal().print(table(title, header, shown, text_columns=2))


def _print(months: list[MonitorMonth]) -> None:
    console = terminal()
    console.print(headline(months), style="bold")
    if not months:
        console.print("Let rankings mature first: collections-opt outcomes mature --help")
        return
    for outcome in ("default", "cure"):
        console.print(table(f"{outcome.title()}, by matured ranking", *months_table(months, outcome), text_columns=2))
    last = months[-1]
    console.print(table(f"Ranking {last.ranking_id} of {last.day}, part by part", *parts_table(last), text_columns=2))
    found = challengers_of(months)
    header, lines = challengers_table(found)
    if lines:
        console.print(table("Challengers against what decided", header, lines, text_columns=3))
    header, lines = lists_table(found)
    if lines:
        console.print(table("Challengers' lists in money, minor units", header, lines, text_columns=2))
        console.print(MONEY_NOTE, highlight=False)
    header, lines = money_table(months)
    if lines:
        console.print(table("Share of money paid, by order", header, lines))
    console.print(NOTE, highlight=False)


def month_of(one: pb.Monitor) -> MonitorMonth:
    """Return a monitor as reports show it."""
    return MonitorMonth(
        read_date(one.as_of_date, "as_of_date"),
        one.ranking_id,
        one.model_version,
        one.effects_version,
        one.unseen_count,
        one.overlapping_ranking_id,
        {enum_text(pb.CapturingOrder.DESCRIPTOR, each.order).lower(): _ranged(each.share) for each in one.captured},
        tuple(_line(cell) for cell in one.cells),
        tuple(_challenger(one, each) for each in one.challengers),
    )


def _challenger(month: pb.Monitor, one: pb.ChallengerLoss) -> ChallengerLine:
    return ChallengerLine(
        read_date(month.as_of_date, "as_of_date"),
        month.model_version,
        one.model_version,
        enum_text(pb.JudgedAccounts.DESCRIPTOR, one.judged_on),
        one.account_count,
        one.predicted if one.HasField("predicted") else None,
        one.challenger_predicted if one.HasField("challenger_predicted") else None,
        _ranged(one.realised) if one.HasField("realised") else None,
        _ranged(one.log_loss_difference) if one.HasField("log_loss_difference") else None,
        _list_money(one.money) if one.HasField("money") else None,
    )


def _list_money(one: pb.ChallengerMoney) -> ListMoney:
    return ListMoney(
        one.dropped_count,
        one.added_count,
        one.moved_count,
        one.gain_by_model_minor_units,
        one.gain_by_challenger_minor_units,
        one.least_gain_minor_units,
        one.most_gain_minor_units,
        _ranged(one.contact_worth_minor_units) if one.HasField("contact_worth_minor_units") else None,
        one.contact_worth_by_model_minor_units if one.HasField("contact_worth_by_model_minor_units") else None,
        one.contact_worth_by_challenger_minor_units if one.HasField("contact_worth_by_challenger_minor_units") else None,
        one.dropped_drawn_count,
        _ranged(one.dropped_worth_minor_units) if one.HasField("dropped_worth_minor_units") else None,
        one.why_unknown,
    )


def _line(cell: pb.MonitorCell) -> MonitorLine:
    def figure(name: str) -> Ranged | None:
        return _ranged(getattr(cell, name)) if cell.HasField(name) else None  # type: ignore[arg-type]

    def number(name: str) -> float | None:
        return float(getattr(cell, name)) if cell.HasField(name) else None  # type: ignore[arg-type]

    return MonitorLine(
        part_of(cell),
        outcome_of(cell),
        cell.account_count,
        number("predicted"),
        figure("realised"),
        figure("level"),
        figure("slope"),
        number("brier_skill"),
        figure("auc"),
        number("findable_odds_factor"),
        cell.alarm,
    )


def part_of(cell: pb.MonitorCell) -> str:
    """Return the accounts of a cell in words, as ``queue early-calls``."""
    return f"{enum_text(pb.MonitorDimension.DESCRIPTOR, cell.dimension).lower()} {cell.value}".rstrip()


def outcome_of(cell: pb.MonitorCell) -> str:
    """Return the outcome of a cell in a word."""
    return enum_text(pb.MonitoredOutcome.DESCRIPTOR, cell.outcome).lower()


def _ranged(one: pb.MonitorFigure) -> Ranged:
    return Ranged(one.value, one.low, one.high)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
