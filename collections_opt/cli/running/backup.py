"""Back up a ledger while its server runs: the database at one moment and every object that it names, verified; the keys apart.

Example:
    python scripts/backup.py --data var/demo --to /backups/ledger
    python scripts/backup.py --data var/demo --to /backups/ledger --keys-to /safe/keys
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.keyring import MASTER, PUBLIC, SIGNING
from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import progress_bar
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.ledger.backup import BackupFolder, make_backup
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.remote import open_objects


def main(
    stores: Stores,
    to: Annotated[Path, typer.Option(help="Folder of backups, on other storage than the data; made on first use.")],
    keys_to: Annotated[
        Path | None, typer.Option(help="Folder for a copy of the keys, on other storage than the backups.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Copy and verify; exit code 2 where anything is not whole, and then nothing counts as a backup.

    Example: python scripts/backup.py --data var/demo --to /backups/ledger --keys-to /safe/keys
    """
    at = stores.whereabouts()
    if keys_to is not None and (keys_to.resolve() == to.resolve() or to.resolve() in keys_to.resolve().parents):
        raise refuse(
            Reason.INVALID_ARGUMENT, "keys_to", "lies among the backups: together they open every account.", "Name a place apart."
        )
    ledger = open_ledger(at.database, open_objects(at.objects))
    try:
        with progress_bar("backing up") as bar:
            folder = BackupFolder(to)
            made = make_backup(ledger, folder, objects_of, now(), lambda stage, fraction: bar(SolveProgress(stage, fraction)))
    finally:
        ledger.close()
    checkpoints = at.checkpoint_folder
    if checkpoints.is_dir():
        shutil.copytree(checkpoints, to / "checkpoints", dirs_exist_ok=True)
    if keys_to is not None:
        copy_keys(at.key_folder, keys_to)
    if as_json:
        typer.echo(json.dumps(asdict(made), indent=1))
        return
    typer.echo(
        f"backup {made.name}: {made.ranking_count} rankings, {made.log_size} log entries, {made.object_count} objects, "
        f"verified; keys {'copied apart' if keys_to else 'not copied'}"
    )


def copy_keys(source: Path, target: Path) -> None:
    """Copy the key files, readable by their owner alone.

    Raises:
        CollectionsError: INVALID_ARGUMENT where one is missing.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (MASTER, SIGNING, PUBLIC):
        if not (source / name).is_file():
            raise refuse(Reason.INVALID_ARGUMENT, "keys", f"{source} holds no {name}.", "Name the folder of the keys.")
        (target / name).touch(mode=0o600)
        shutil.copyfile(source / name, target / name)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
