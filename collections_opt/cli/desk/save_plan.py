"""Store a capacity plan from a TOML file: its first version, or the next one.

Example:
    python scripts/save_plan.py --data var/demo --file examples/plan.toml
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.settings_files import read_settings
from collections_opt.wire.plans import write_plan


def main(
    product: Product,
    file: Annotated[Path, typer.Option(help="TOML file of the plan; examples/plan.toml shows one.")],
    check: Annotated[bool, typer.Option("--check", help="Check only, store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the stored plan as JSON.")] = False,
) -> None:
    """Store a plan under its id; earlier versions stay, and rankings keep the version they were made with.

    Example: python scripts/save_plan.py --data var/demo --file examples/plan.toml
    """
    message = write_plan(read_settings(file, CapacityPlan))
    with product.connect(may_make=True) as client:
        saved = _save(client, message, _etag(client, message.plan_id), check)
    if as_json:
        typer.echo(json.dumps(plain(saved), indent=1))
        return
    lines = [[q.queue_id, f"{q.agent_count:g}", f"{q.capacity_minutes / 60:,.1f}"] for q in saved.queues]
    done = "is in order; nothing was stored" if check else f"stored as version {saved.version}"
    terminal().print(table(f"{saved.plan_id}: {done}", ["queue", "agents", "hours"], lines))


def _etag(client: Client, plan_id: str) -> str:
    """Return the etag of the latest version, empty where there is none."""
    try:
        return client.capacity.GetCapacityPlan(pb.GetCapacityPlanRequest(plan_id=plan_id)).capacity_plan.etag
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        return ""


def _save(client: Client, message: capacity_plan_pb2.CapacityPlan, etag: str, check: bool) -> capacity_plan_pb2.CapacityPlan:
    if etag:
        update = pb.UpdateCapacityPlanRequest(capacity_plan=message, etag=etag, validate_only=check)
        return client.capacity.UpdateCapacityPlan(update).capacity_plan
    create = pb.CreateCapacityPlanRequest(capacity_plan=message, validate_only=check)
    return client.capacity.CreateCapacityPlan(create).capacity_plan


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
