"""Make tomorrow's portfolio from today's and the events: who streams events needs no nightly file.

Example:
    python scripts/roll_forward.py --data var/demo --portfolio uci-2005-08 --day 2005-09-02
    python scripts/roll_forward.py --data var/demo --portfolio uci-2005-08 --day 2005-09-02 --check
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from collections_opt.api.v1.portfolio_service_pb2 import RollForwardRequest
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.plain import plain
from collections_opt.wire.common import write_date


def main(
    product: Product,
    portfolio: Annotated[str, typer.Option(help="Id of the portfolio, imported or rolled forward from an imported one.")],
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day, at most 7 days after today where the lender is.")],
    to: Annotated[str, typer.Option(help="Id of what is made; default the imported portfolio's with the day.")] = "",
    events_are_complete: Annotated[
        bool,
        typer.Option(
            "--events-are-complete",
            help="You vouch that every contact, flag and choice was told; else these facts age by the days that passed.",
        ),
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Derive and show it; store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print its header as JSON.")] = False,
) -> None:
    """Roll a portfolio forward; the same again is stored once.

    Example: python scripts/roll_forward.py --data var/demo --portfolio uci-2005-08 --day 2005-09-02
    """
    request = RollForwardRequest(
        portfolio_id=portfolio,
        as_of_date=write_date(day.date()),
        rolled_portfolio_id=to,
        events_are_complete=events_are_complete,
        validate_only=check,
    )
    with product.connect() as client:
        made = client.portfolios.RollForward(request).portfolio
    if as_json:
        typer.echo(json.dumps(plain(made), indent=1))
        return
    derived, console = made.derived_from, terminal()
    left = ", ".join(f"{count:,} {why}" for why, count in sorted(derived.left_out_counts.items())) or "nobody"
    stored = " (nothing was stored)" if check else ""
    console.print(f"{made.portfolio_id}: {made.accepted_count:,} accounts as {day.date()} begins{stored}.")
    console.print(f"From {derived.portfolio_id} and the events up to {derived.through_sequence:,}; left out: {left}.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
