"""Show the keys of a ledger, and change them so that everything signed before stays provable.

Example:
    python scripts/keys.py show --data var/demo
    python scripts/keys.py rotate-signing --data var/demo --actor ann
    python scripts/keys.py rotate-master --data var/demo --actor ann
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from collections_opt.application.records.opening import open_rotation
from collections_opt.cli.common.product import machine_user, now
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import terminal
from collections_opt.core.actors import claimed_actor
from collections_opt.ledger.log.key_history import fingerprint

ActorOption = Annotated[str, typer.Option(help="Who does it, for the record; default: the user of this machine.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show(stores: Stores, as_json: JsonOption = False) -> None:
    """Show the public keys with their fingerprints; print the newest on paper and give it to whoever will check evidence.

    Example: python scripts/keys.py show --data var/demo
    """
    rotation = open_rotation(stores.whereabouts(), now)
    rotation.ledger.close()
    known = [verifier.vkey for verifier in rotation.checkpoints.verifiers]
    if as_json:
        typer.echo(json.dumps([{"key": vkey, "fingerprint": fingerprint(vkey)} for vkey in known], indent=1))
        return
    for number, vkey in enumerate(known):
        terminal().print(f"{'signs now' if number == 0 else 'signed before'}: {vkey}", soft_wrap=True)
        terminal().print(f"  fingerprint {fingerprint(vkey)}", soft_wrap=True)


def rotate_signing(stores: Stores, actor: ActorOption = "") -> None:
    """Make a new key that signs the log; the present one vouches for it, and its private half is gone then.

    Stop the servers first and start them after. Whoever trusts the present key can verify what the new one signs.

    Example: python scripts/keys.py rotate-signing --data var/demo --actor ann
    """
    rotation = open_rotation(stores.whereabouts(), now)
    made = rotation.rotate_signing(claimed_actor(actor or machine_user(), "", "actor", "role"))
    rotation.ledger.close()
    typer.echo(f"{made.verifier.vkey} signs from now on; fingerprint for paper: {fingerprint(made.verifier.vkey)}")


def rotate_master(stores: Stores, actor: ActorOption = "") -> None:
    """Make a new master key and seal all account keys under it; on PostgreSQL as owner or eraser.

    Stop the servers first and start them after. Backups of before need the key of before: keep it as long as they are kept.

    Example: python scripts/keys.py rotate-master --data var/demo --actor ann
    """
    rotation = open_rotation(stores.whereabouts(), now)
    rotation.rotate_master(claimed_actor(actor or machine_user(), "", "actor", "role"))
    rotation.ledger.close()
    typer.echo("All account keys are sealed under the new master key.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Show and change the keys of a ledger.\n\nExample: python scripts/keys.py show --data var/demo",
        show,
        rotate_signing,
        rotate_master,
    )
