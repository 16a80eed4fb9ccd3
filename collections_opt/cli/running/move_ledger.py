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

from collections_opt.cli.common.product import DataOption
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainConsole, progress_bar, table
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.remote import open_objects
from collections_opt.ledger.store.moving import move_ledger, refuse_same


def main(
    to: Annotated[str, typer.Option(help="SQLAlchemy URL of an empty PostgreSQL database, as its owner.")],
    data: DataOption = Path("var/demo"),
    objects_url: Annotated[str, typer.Option(help="Folder or pyarrow URL of the objects; default in the data folder.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was moved as JSON.")] = False,
) -> None:
    """Copy every record in one transaction and compare; a target that holds anything is refused, the source is not changed.

    Example: python scripts/move_ledger.py --data var/demo --to postgresql+psycopg://owner@host/ledger
    """
    objects = open_objects(objects_url or str(data / "objects"))
    source, target = open_ledger(f"sqlite:///{data / 'ledger.db'}", objects), open_ledger(to, objects)
    try:
        refuse_same(source.database, target.database)
        with progress_bar("moving") as report:
            moved = move_ledger(source, target, lambda stage, fraction: report(SolveProgress(stage, fraction)))
    finally:
        source.close()
        target.close()
    if as_json:
        typer.echo(json.dumps(asdict(moved), indent=1))
        return
    console = PlainConsole(highlight=False)
    console.print(table("Rows moved", ("table", "rows"), [(name, f"{count:,}") for name, count in moved.rows.items()]))
    console.print(f"{moved.ranking_count} rankings verified before and after; last record {moved.head[:16]}...")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
