"""Remove the objects that no record names: what crashes between storing and recording leave behind.

Example:
    python scripts/sweep_objects.py --data var/demo --dry-run
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from collections_opt.application.records.opening import open_records
from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import PlainConsole


def main(
    stores: Stores,
    grace_hours: Annotated[float, typer.Option(help="Keep what was written in these hours, at least 1.")] = 24.0,
    dry_run: Annotated[bool, typer.Option("--check", "--dry-run", help="Say what would be removed and remove nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Remove unreferenced objects older than the grace; an object that any record names is never removed.

    The objects must be the ledger's own, and no checkpoint may tell of records that the ledger lacks.

    Example: python scripts/sweep_objects.py --data var/demo --dry-run
    """
    ledger = open_records(stores.whereabouts(), now).ledger
    try:
        sweep = ledger.sweep_objects(timedelta(hours=grace_hours), now(), dry_run)
    finally:
        ledger.close()
    if as_json:
        typer.echo(json.dumps(asdict(sweep), indent=1))
        return
    console = PlainConsole(highlight=False)
    for name in sweep.orphans:
        console.print(name)
    done = "would be removed" if dry_run else f"removed {sweep.removed_count}"
    console.print(f"{len(sweep.orphans)} orphans of {sweep.orphan_bytes:,} bytes, {done}; {sweep.kept_count} files kept.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
