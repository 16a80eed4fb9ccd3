"""Say how long accounts are kept, and what keeps those named: work, events, legal holds.

Example:
    python scripts/retention.py --data var/demo --account UCI-000007
"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from google.type.date_pb2 import Date

from collections_opt.api.v1 import retention_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.plain import plain
from collections_opt.wire.common import read_date


def main(
    product: Product,
    account: Annotated[list[str] | None, typer.Option(help="Id of an account; repeat for more.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what keeps accounts.

    Example: python scripts/retention.py --data var/demo --account UCI-000007
    """
    with product.connect() as client:
        found = client.retention.GetRetention(pb.GetRetentionRequest(account_ids=account or ()))
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    told = f"Accounts are kept for {found.retention_years} years after the last work or event; holds keep them longer."
    terminal().print(told, highlight=False)
    if found.accounts:
        lines = [
            [
                one.account_id,
                _day(one.last_worked_date, one.HasField("last_worked_date")),
                _day(one.last_event_date, one.HasField("last_event_date")),
                _day(one.keep_until_date, one.HasField("keep_until_date")),
                ", ".join(one.hold_ids) or "-",
            ]
            for one in found.accounts
        ]
        header = ("account", "last worked", "last event", "keep until", "legal holds")
        terminal().print(table("What keeps accounts", header, lines, text_columns=5))


def _day(message: Date, is_set: bool) -> str:
    return read_date(message, "date").isoformat() if is_set else "-"


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
