"""Erase accounts for good, or place and release legal holds; exit code 2 when something must be kept.

Works on the data folder itself and is no call of the API: whoever may erase must be able to open the folder.

Example:
    python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    python scripts/erase.py persons --data var/demo --customer C-17 --reason "request 13" --dry-run
    python scripts/erase.py hold --data var/demo --account UCI-000007 --hold-id case-7 --reason "dispute in court"
    python scripts/erase.py lapsed --data var/demo --before 2026-01-31 --reason "retention" --dry-run
    python scripts/erase.py release --data var/demo --hold-id case-7 --reason "settled"
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import ModelsOption, machine_user, models_of, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, terminal
from collections_opt.core.actors import ActorRole, claimed_actor
from collections_opt.core.errors import Reason, refuse


class Act(StrEnum):
    """What is done."""

    ACCOUNTS = "accounts"
    PERSONS = "persons"
    LAPSED = "lapsed"
    HOLD = "hold"
    RELEASE = "release"


def main(
    act: Annotated[
        Act,
        typer.Argument(help="accounts: erase them; persons: what was told of them alone; lapsed: past retention; hold, release."),
    ],
    reason: Annotated[str, typer.Option(help="Why; recorded for good, so never with names in it.")],
    account: Annotated[list[str] | None, typer.Option(help="Id of an account; repeat for more.")] = None,
    customer: Annotated[list[str] | None, typer.Option(help="Id of a person; repeat for more.")] = None,
    before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day before which retention ended.")] = None,
    hold_id: Annotated[str, typer.Option(help="Id of the hold.")] = "",
    data: Annotated[Path, typer.Option(help="Data folder.")] = Path("var/demo"),
    models: ModelsOption = None,
    dry_run: Annotated[bool, typer.Option("--check", "--dry-run", help="Check only; nothing is erased.")] = False,
    actor: Annotated[str, typer.Option(help="Your name, for the record; default the user of this machine.")] = "",
    role: Annotated[ActorRole, typer.Option(help="Your role, for the record.")] = ActorRole.ADMIN,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Erase accounts under retention and holds.

    Example: python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    """
    named = claimed_actor(actor or machine_user(), role.value, "actor", "role")
    answer: dict[str, object] = {"act": act.value, "accounts": len(account or ())}
    with opened(data, models_of(data, models)) as workspace:
        erasures = workspace.evidence.erasures
        if act is Act.ACCOUNTS:
            receipt = erasures.erase(account or [], reason, named, dry_run)
            answer |= {"erasure_id": receipt.erasure_id, "position": receipt.position}
        elif act is Act.PERSONS:
            receipt = erasures.erase_persons(customer or [], reason, named, dry_run)
            answer |= {"accounts": 0, "persons": receipt.account_count, "erasure_id": receipt.erasure_id}
            answer |= {"position": receipt.position}
        elif act is Act.LAPSED:
            if before is None:
                raise refuse(Reason.INVALID_ARGUMENT, "before", "is missing.", "Say before which day retention must have ended.")
            with progress_bar("erasing") as report:
                receipt = erasures.erase_lapsed(before.date(), reason, named, dry_run, report)
            answer |= {**vars(receipt), "accounts": receipt.account_count}
        elif act is Act.HOLD:
            erasures.hold(hold_id, account or [], reason, named)
        else:
            erasures.release(hold_id, reason, named)
    if as_json:
        typer.echo(json.dumps(answer, indent=1))
        return
    erased = f"{answer['accounts']} account(s) {'may be' if dry_run else 'were'} erased ({answer.get('erasure_id')})"
    done = {
        Act.ACCOUNTS: f"{erased}.",
        Act.PERSONS: f"What was told of {answer.get('persons')} person(s) alone {'may be' if dry_run else 'was'} erased.",
        Act.LAPSED: f"{erased}; {answer.get('held_count')} more are under legal hold.",
        Act.HOLD: f"Hold {hold_id} is in force for {answer['accounts']} account(s).",
        Act.RELEASE: f"Hold {hold_id} is released.",
    }
    terminal().print(done[act], highlight=False)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
