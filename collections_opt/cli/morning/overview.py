"""Show what a server holds: portfolios, capacity plans, the newest rankings and the models that decide.

Example:
    python scripts/overview.py --data var/demo
    python scripts/overview.py --address 127.0.0.1:50051 --insecure-loopback --json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer
from google.protobuf.message import Message

from collections_opt.api.v1 import actor_pb2, capacity_plan_pb2, model_service_pb2, portfolio_service_pb2, ranking_pb2
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.approved import values_sentence
from collections_opt.client.listings import all_models, all_plans, all_portfolios, all_rankings
from collections_opt.client.plain import plain
from collections_opt.client.rankings import summarise
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.reports.money import gap, money
from collections_opt.reports.order_names import TITLES
from collections_opt.wire.common import enum_text, read_date, read_enum


def main(
    product: Product,
    size: Annotated[int, typer.Option(min=1, help="Rankings to show, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show portfolios, plans, rankings and models.

    Example: python scripts/overview.py --data var/demo
    """
    with product.connect() as client:
        portfolios, plans = list(all_portfolios(client)), list(all_plans(client))
        rankings, models = list(islice(all_rankings(client), size)), list(all_models(client))
    if as_json:
        found: dict[str, Sequence[Message]] = {
            "portfolios": portfolios,
            "capacity_plans": plans,
            "rankings": rankings,
            "models": models,
        }
        typer.echo(json.dumps({name: [plain(one) for one in each] for name, each in found.items()}, indent=1))
        return
    console = terminal()
    console.print(table("Portfolios", *_portfolios(portfolios)))
    console.print(table("Capacity plans, latest versions", *_plans(plans)))
    console.print(table("Rankings, newest first", *_rankings(rankings), text_columns=5))
    console.print(table("Values of those rankings", *_values(rankings), text_columns=3))
    for ranking in rankings:
        for warning in ranking.health.warnings:
            console.print(f"WARNING: {ranking.ranking_id}: {warning}", style="bold yellow", highlight=False, markup=False)
    console.print(table("Models", *_models(models), text_columns=3))


def _portfolios(found: list[portfolio_service_pb2.Portfolio]) -> tuple[list[str], list[list[str]]]:
    lines = [
        [p.portfolio_id, read_date(p.as_of_date, "as_of_date").isoformat(), p.currency_code]
        + [f"{count:,}" for count in (p.row_count, p.accepted_count, p.quarantined_count)]
        + [_actor(p.imported_by)]
        for p in found
    ]
    return ["portfolio", "as of", "currency", "rows", "accepted", "quarantined", "imported by"], lines


def _plans(found: list[capacity_plan_pb2.CapacityPlan]) -> tuple[list[str], list[list[str]]]:
    lines = [
        [
            plan.plan_id,
            str(plan.version),
            read_date(plan.effective_from, "effective_from").isoformat(),
            plan.currency_code,
            str(len(plan.queues)),
            f"{sum(queue.capacity_minutes for queue in plan.queues) / 60:,.1f}",
            _actor(plan.saved_by),
        ]
        for plan in found
    ]
    return ["plan", "version", "effective from", "currency", "queues", "hours", "saved by"], lines


def _actor(actor: actor_pb2.RecordedActor) -> str:
    """Return who recorded something; what no token vouches for is the caller's word."""
    named = " as ".join(part for part in (actor.name, enum_text(actor_pb2.ActorRole.DESCRIPTOR, actor.role)) if part)
    return f"{named}{'' if actor.token_issuer else ' (claimed)'}" if named else actor.authenticated_system


def _rankings(found: list[ranking_pb2.Ranking]) -> tuple[list[str], list[list[str]]]:
    lines = []
    for ranking in found:
        summary, moment = summarise(ranking), ranking.record.create_time.ToDatetime()
        lines.append(
            [
                ranking.ranking_id,
                f"{moment:%Y-%m-%d %H:%M}",
                ranking.inputs.portfolio_id,
                f"{ranking.inputs.capacity_plan_id} v{ranking.inputs.capacity_plan_version}",
                TITLES[summary.ordering],
                f"{summary.counts[Disposition.ASSIGNED]:,} of {summary.account_count:,}",
                money(summary.objective_minor, summary.currency_code),
                gap(summary.gap),
            ]
        )
    return ["ranking", "recorded (UTC)", "portfolio", "plan", "order", "worked", "increment", "gap"], lines


def _values(found: list[ranking_pb2.Ranking]) -> tuple[list[str], list[list[str]]]:
    lines = [
        [
            ranking.ranking_id,
            ranking.inputs.value_parameters.version,
            values_sentence(ranking.inputs).removeprefix("Values: ") or "-",
        ]
        for ranking in found
    ]
    return ["ranking", "values", "from"], lines


def _models(found: list[model_service_pb2.Model]) -> tuple[list[str], list[list[str]]]:
    role = model_service_pb2.ModelRole.DESCRIPTOR
    lines = [[f"{model.kind}/{model.version}", read_enum(role, model.role, "role").lower(), model.digest[:16]] for model in found]
    return ["model", "role", "digest"], lines


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
