"""Show capacity plans, change them, and see what another capacity would do to money, prices and accounts before it is stored.

Example:
    python scripts/capacity.py show --data var/demo --plan credit-card-desk
    python scripts/capacity.py what-if --data var/demo --change late-calls:minutes=+10% --html what-if.html
    python scripts/capacity.py set --data var/demo --change early-calls:agents=+1 --effective-from 2005-08-02 --dry-run
    python scripts/capacity.py day --data var/demo --queue late-calls --on 2005-08-05 --sick 2
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.cli.common.bundled import BUNDLED_PLAN
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.cli.desk.capacity_calendar import calendar, day, diff, export, in_force, revert, versions
from collections_opt.cli.desk.change_notation import NOTATION, read_changes, write_changes
from collections_opt.client.capacity import capacity_curves, evaluate_capacity, summarise_evaluation
from collections_opt.client.capacity_plans import plan_named
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.client.rankings import calibration_sentence, summarise
from collections_opt.core.desk.capacity_changes import changed_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.ranking.what_if_summary import CapacityCurves, WhatIfSummary
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.ranking_report import evidence_sentence
from collections_opt.reports.what_if.page import WhatIfPage, what_if_html
from collections_opt.reports.what_if.report import (
    headline,
    moved_table,
    moves_sentence,
    prediction_sentence,
    price_table,
    queue_change_table,
    recovery_table,
    same_recovery_sentence,
    what_if_csv,
)
from collections_opt.wire.plans import read_plan, write_plan

PlanOption = Annotated[str, typer.Option(help="Id of the capacity plan.")]
ChangeOption = Annotated[list[str] | None, typer.Option("--change", help=f"Repeatable. {NOTATION}")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def show(
    product: Product,
    plan: PlanOption = BUNDLED_PLAN,
    plan_version: Annotated[int, typer.Option(min=0, help="Version of the plan; 0 is the latest that stands.")] = 0,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The plan as it is on this day.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a plan's queues with their minutes, and the etag that guards its next version.

    Example: python scripts/capacity.py show --data var/demo --plan credit-card-desk
    """
    with product.connect() as client:
        found = plan_named(client, plan, plan_version, on.date() if on else None)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    _show_plan(terminal(), found, f"{found.plan_id} version {found.version}, {in_force(found)}")


def set_command(
    product: Product,
    change: ChangeOption = None,
    effective_from: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First as-of date; required.")] = None,
    plan: PlanOption = BUNDLED_PLAN,
    etag: Annotated[str, typer.Option(help="Etag of the version this one follows; default the latest's.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--check", "--dry-run", help="Store nothing; show the money and the accounts that move.")
    ] = False,
    ranking: RankingOption = IN_FORCE,
    as_json: JsonOption = False,
) -> None:
    """Store the next version of a plan with changes made, from a date on; rankings keep the version they were made with.

    The changes are made on the version in force on that day, and hold until another version takes over.

    Example: python scripts/capacity.py set --change early-calls:agents=+1 --effective-from 2005-08-02 --dry-run
    """
    changes = read_changes(change or [])
    if effective_from is None:
        raise refuse(Reason.INVALID_ARGUMENT, "--effective-from", "is missing.", "Give the first as-of date, like 2026-12-01.")
    with product.connect() as client:
        latest, day = plan_named(client, plan), effective_from.date()
        on_day = plan_named(client, plan, day=day)
        base = plan_named(client, plan, on_day.standing_version) if on_day.standing_version else on_day
        made = replace(changed_plan(read_plan(base), changes), effective_from=day)
        request = pb.UpdateCapacityPlanRequest(capacity_plan=write_plan(made), etag=etag or latest.etag, validate_only=dry_run)
        saved = client.capacity.UpdateCapacityPlan(request).capacity_plan
        moved = _evaluated(client, evaluation_pb.EvaluateCapacityRequest(capacity_plan=saved), ranking) if dry_run else None
    if as_json:
        typer.echo(json.dumps(plain(moved if moved is not None else saved), indent=1))
        return
    console = terminal()
    if moved is not None:
        _show_evaluation(console, summarise_evaluation(moved), None)
    done = "is in order; nothing was stored" if dry_run else f"stored as version {saved.version}"
    _show_plan(console, saved, f"{saved.plan_id}: {done}, {in_force(saved)}")


def what_if(
    product: Product,
    change: ChangeOption = None,
    plan_file: Annotated[Path | None, typer.Option(help="TOML file of a whole other plan, instead of changes.")] = None,
    ranking: RankingOption = IN_FORCE,
    curves: Annotated[bool, typer.Option(help="Draw recovered value against minutes; more re-solves.")] = True,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="Find where prices keep within this share; 0 does not.")] = 0.1,
    moved: Annotated[int, typer.Option(min=1, max=1_000, help="Moved accounts to list.")] = 10,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with figures that opens offline.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the queues before and after as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what another capacity would do to money, minutes, prices and accounts; nothing is recorded.

    Example: python scripts/capacity.py what-if --data var/demo --change late-calls:minutes=+10% --html what-if.html
    """
    request = evaluation_pb.EvaluateCapacityRequest(max_moved_accounts=moved, find_same_recovery=curves)
    if plan_file is not None:
        request.capacity_plan.CopyFrom(write_plan(read_settings(plan_file, CapacityPlan)))
    else:
        request.changes.CopyFrom(write_changes(read_changes(change or [])))
    with product.connect() as client:
        evaluation = _evaluated(client, request, ranking)
        drawn = _curves(client, evaluation.ranking_id, tolerance) if curves and (html or not as_json) else None
        used = named_ranking(client, evaluation.ranking_id)
        calibration = calibration_sentence(client, used) if html else ""
    found = summarise_evaluation(evaluation)
    if html:
        inputs = used.inputs
        facts = [
            ("ranking", used.ranking_id),
            ("record", used.record.record_digest),
            ("portfolio", f"{inputs.portfolio_id} at {_day(inputs, 'as_of_date')}"),
            ("capacity plan", f"{inputs.capacity_plan_id} version {inputs.capacity_plan_version}"),
            ("changes", "; ".join(change or [str(plan_file)])),
            ("model", inputs.model_version),
            ("rules", inputs.rules_version),
        ]
        page = WhatIfPage(
            f"What if: {facts[4][1]}",
            found,
            drawn,
            tolerance if curves else 0.0,
            facts,
            evidence_sentence(summarise(used)),
            calibration,
        )
        html.write_text(what_if_html(page), encoding="utf-8")
    if csv:
        csv.write_text(what_if_csv(found), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(plain(evaluation), indent=1))
        return
    _show_evaluation(terminal(), found, drawn)


def _evaluated(client: Client, request: evaluation_pb.EvaluateCapacityRequest, ranking: str) -> evaluation_pb.CapacityEvaluation:
    request.basis.ranking_id = named_ranking(client, ranking).ranking_id
    with progress_bar("evaluating") as report:
        return evaluate_capacity(client, request, report)


def _curves(client: Client, ranking_id: str, tolerance: float) -> CapacityCurves:
    request = evaluation_pb.GetCapacityCurvesRequest(price_tolerance=tolerance, compare_orderings=True)
    request.basis.ranking_id = ranking_id
    with progress_bar("re-solving") as report:
        return capacity_curves(client, request, report)


def _show_plan(console: Console, plan: capacity_plan_pb2.CapacityPlan, title: str) -> None:
    header = ["queue", "agents", "paid minutes", "shrinkage", "occupancy", "committed minutes", "hours"]
    lines = [
        [
            q.queue_id,
            f"{q.agent_count:.4g}",
            f"{q.paid_minutes:g}",
            f"{q.shrinkage:.0%}",
            f"{q.occupancy:.0%}",
            f"{q.committed_minutes:g}",
            f"{q.capacity_minutes / 60:,.1f}",
        ]
        for q in plan.queues
    ]
    console.print(table(title, header, lines))
    if plan.etag:
        console.print(f"etag {plan.etag}", style="dim", highlight=False)


def _show_evaluation(console: Console, found: WhatIfSummary, drawn: CapacityCurves | None) -> None:
    console.print(headline(found), style="bold", highlight=False)
    console.print(prediction_sentence(found), highlight=False)
    if found.same_share is not None:
        console.print(same_recovery_sentence(found), highlight=False)
    console.print(table(f"Queues, before → after ({found.currency_code})", *queue_change_table(found)))
    console.print(table(f"Prices before ({found.currency_code})", *price_table(found, drawn)))
    console.print(moves_sentence(found), highlight=False)
    if found.moved:
        console.print(table("The most valuable accounts that move", *moved_table(found), text_columns=3))
    if drawn is not None and drawn.recoveries:
        console.print(table("The same recovery with fewer minutes", *recovery_table(drawn, found.currency_code)))


def _day(message: object, field: str = "effective_from") -> str:
    day = getattr(message, field)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Show, change and evaluate capacity.\n\n"
        "Example: python scripts/capacity.py what-if --data var/demo --change late-calls:minutes=+10%",
        show,
        calendar,
        day,
        set_command,
        versions,
        diff,
        revert,
        export,
        what_if,
    )
