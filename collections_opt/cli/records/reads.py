"""List who read data about accounts: who, what and when, from the trail that every such call leaves.

Example:
    python scripts/reads.py --data var/demo
    python scripts/reads.py --data var/demo --csv > reads.csv
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from collections_opt.application.records.opening import open_standing
from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.core.actors import recorded_actor
from collections_opt.ledger.tables.reads import AccountRead


def main(
    stores: Stores,
    after: Annotated[int, typer.Option(help="List those after this number; 0 for all.")] = 0,
    size: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List reads in order; accounts are told by the numbers of their keys, which outlive an erasure and name nobody.

    Example: python scripts/reads.py --data var/demo --after 100
    """
    ledger = open_standing(stores.whereabouts(), now).ledger
    try:
        found = ledger.reads.after(after, size)
    finally:
        ledger.close()
    if as_json:
        typer.echo(json.dumps([asdict(read) for read in found], indent=1))
        return
    header = ("number", "when", "who", "how known", "what", "about")
    lines = [line_of(read) for read in found]
    if as_csv:
        content = io.StringIO()
        csv.writer(content).writerows([header, *lines])
        typer.echo(content.getvalue(), nl=False)
        return
    terminal().print(table("Reads of accounts' data", header, lines, text_columns=6))


def line_of(read: AccountRead) -> list[str]:
    """Return a read as texts."""
    actor = recorded_actor(json.loads(read.actor))
    known = f"token of {actor.issuer}" if actor.issuer else "as claimed"
    who = " as ".join(filter(None, (actor.name or "nobody named", actor.role)))
    subject: dict[str, Any] = json.loads(read.subject)
    about = ", ".join(f"{name} {value}" for name, value in subject.items())
    return [str(read.seq), read.at, who, known, read.method, about]


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
