"""Make a ledger of a backup again, in an empty folder or database, and verify it.

Example:
    python scripts/restore.py --from /backups/ledger --data var/restored --keys-from /safe/keys
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.records.opening import open_standing
from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import progress_bar
from collections_opt.cli.running.backup import copy_keys
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.ledger.backup import BackupFolder, restore_backup
from collections_opt.ledger.objects.remote import open_objects


def main(
    stores: Stores,
    source: Annotated[Path, typer.Option("--from", help="Folder of backups.")],
    name: Annotated[str, typer.Option(help="Which backup; default the newest.")] = "",
    keys_from: Annotated[Path | None, typer.Option(help="Copy the keys from there; default: they are in their place.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was restored as JSON.")] = False,
) -> None:
    """Restore, verify, and say what checkpoints know of later records, which the backup cannot hold.

    Where any do, the server reads only until a person decided: scripts/settle_fork.py. Erasures of after the backup must be made
    again.

    Example: python scripts/restore.py --from /backups/ledger --data var/restored --keys-from /safe/keys
    """
    at = stores.whereabouts(may_make=True)
    with progress_bar("restoring") as bar:
        made = restore_backup(
            BackupFolder(source),
            name,
            at.database,
            open_objects(at.objects),
            objects_of,
            lambda stage, fraction: bar(SolveProgress(stage, fraction)),
        )
    if keys_from is not None:
        copy_keys(keys_from, at.key_folder)
    if (source / "checkpoints").is_dir():
        shutil.copytree(source / "checkpoints", at.checkpoint_folder, dirs_exist_ok=True)
    standing = open_standing(at, now)
    later = standing.look()
    standing.ledger.close()
    if as_json:
        typer.echo(json.dumps({**asdict(made), "later": [vars(each) for each in later]}, indent=1))
        return
    typer.echo(f"restored {made.name}: {made.ranking_count} rankings, {made.log_size} log entries, verified")
    for each in later:
        typer.echo(f"lost: {each.where} {each.found}")
    if later:
        typer.echo("The server reads only until a person decides: collections-opt settle-fork --help")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
