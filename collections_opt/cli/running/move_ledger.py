"""Move a ledger from SQLite to PostgreSQL, verified before and after; the objects stay where they are.

Example:
    python scripts/move_ledger.py --data var/demo --to postgresql+psycopg://owner@host/ledger
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores, secret_url
from collections_opt.cli.common.terminal import PlainConsole, progress_bar, table
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.moving import move_ledger, refuse_same
from collections_opt.ledger.objects.remote import open_objects

TARGET_VARIABLE = "COLLECTIONS_OPT_TARGET_URL"


def main(
    stores: Stores,
    to: Annotated[str, typer.Option(help="SQLAlchemy URL of an empty PostgreSQL database, as its owner, without password.")] = "",
    to_file: Annotated[Path | None, typer.Option(help="File that holds that URL, with its password.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was moved as JSON.")] = False,
) -> None:
    """Copy every record in one transaction and compare; a target that holds anything else is refused.

    The old ledger then says that it was moved, and takes no more writes.

    Example: python scripts/move_ledger.py --data var/demo --to postgresql+psycopg://owner@host/ledger
    """
    at, url = stores.whereabouts(), secret_url("to", to, to_file, TARGET_VARIABLE)
    if not url:
        raise refuse(Reason.INVALID_ARGUMENT, "to", "is missing.", f"Give --to, --to-file or {TARGET_VARIABLE}.")
    objects = open_objects(at.objects)
    source, target = open_ledger(at.database, objects), open_ledger(url, objects)
    try:
        refuse_same(source.database, target.database)
        with progress_bar("moving") as report:
            moved = move_ledger(source, target, objects_of, now(), lambda stage, fraction: report(SolveProgress(stage, fraction)))
    finally:
        source.close()
        target.close()
    if as_json:
        typer.echo(json.dumps(asdict(moved), indent=1))
        return
    console = PlainConsole(highlight=False)
    console.print(table("Rows moved", ("table", "rows"), [(name, f"{count:,}") for name, count in moved.rows.items()]))
    if moved.copied_before:
        console.print("An earlier move had copied everything and ended before it said so; the old ledger now does.")
    console.print(f"{moved.ranking_count} rankings verified before and after; last record {moved.head[:16]}...")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
