"""Decide what happens to a ledger that its checkpoints contradict: it takes no writes before a person did.

Example:
    python scripts/settle_fork.py --data var/demo
    python scripts/settle_fork.py --data var/demo --accept --actor ann --reason "restored the backup of Monday, ticket 17"
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from collections_opt.application.records.opening import open_standing
from collections_opt.cli.common.product import machine_user, now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import terminal
from collections_opt.core.actors import claimed_actor

FORKED = 1
"""Exit code while checkpoints contradict the log."""


def main(
    stores: Stores,
    accept: Annotated[bool, typer.Option("--accept", help="Let the log go on as it is; recorded with who and why.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")] = "",
    actor: Annotated[str, typer.Option(help="Who decides; default: the user of this machine.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Show the checkpoints that the log does not extend; with --accept set them aside for good.

    What they tell of is lost to this ledger then: restore the newest database instead wherever there is one.

    Example: python scripts/settle_fork.py --data var/demo --accept --actor ann --reason "restored the backup of Monday"
    """
    standing = open_standing(stores.whereabouts(), now)
    found = standing.look()
    if accept:
        standing.decide(claimed_actor(actor or machine_user(), "", "actor", "role"), reason)
    standing.ledger.close()
    if as_json:
        typer.echo(json.dumps({"contradictions": [vars(each) for each in found], "accepted": accept}, indent=1))
    else:
        for each in found:
            terminal().print(f"{each.where} {each.found}", soft_wrap=True)
        told = "set aside; the ledger takes writes again" if accept else "contradict the log; it takes no writes"
        terminal().print(f"{len(found)} checkpoints {told}." if found else "No checkpoint contradicts the log.")
    if found and not accept:
        raise typer.Exit(FORKED)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
