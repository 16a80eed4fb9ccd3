"""Store a capacity plan from a TOML file: its first version, or the next one.

Example:
    python scripts/save_plan.py --data var/demo --file examples/plan.toml
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.cli.desk.capacity_calendar import in_force
from collections_opt.client.capacity_plans import save_plan
from collections_opt.client.plain import plain
from collections_opt.datasets.plan_files import read_plan_file
from collections_opt.wire.plans import write_plan


def main(
    product: Product,
    file: Annotated[Path, typer.Option(help="TOML file of the plan; examples/plan.toml shows one.")],
    follows: Annotated[
        int, typer.Option(min=0, help="Version that this one follows; default the file's version, which an export writes.")
    ] = 0,
    check: Annotated[bool, typer.Option("--check", help="Check only, store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the stored plan as JSON.")] = False,
) -> None:
    """Store a plan under its id; earlier versions stay, and rankings keep the version they were made with.

    A file that follows an older version than the latest is refused: what others stored since would be lost.

    Example: python scripts/save_plan.py --data var/demo --file examples/plan.toml
    """
    plan = read_plan_file(file)
    with product.connect(may_make=True) as client:
        saved = save_plan(client, write_plan(plan), follows or plan.version, check)
    if as_json:
        typer.echo(json.dumps(plain(saved), indent=1))
        return
    lines = [[q.queue_id, f"{q.agent_count:g}", f"{q.capacity_minutes / 60:,.1f}"] for q in saved.queues]
    done = "is in order; nothing was stored" if check else f"stored as version {saved.version}"
    terminal().print(table(f"{saved.plan_id}: {done}, {in_force(saved)}", ["queue", "agents", "hours"], lines))


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
