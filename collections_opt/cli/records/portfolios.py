"""List portfolios, delete one on which nothing rests, or all whose retention has ended; exit code 2 where one must be kept.

Example:
    python scripts/portfolios.py list --data var/demo
    python scripts/portfolios.py delete --data var/demo --portfolio book --reason "imported by mistake" --check
    python scripts/portfolios.py expire --data var/demo --reason "retention" --json
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.client import Client
from collections_opt.client.listings import all_portfolios
from collections_opt.client.plain import plain


class Act(StrEnum):
    """What is done."""

    LIST = "list"
    DELETE = "delete"
    EXPIRE = "expire"


def main(
    product: Product,
    act: Annotated[Act, typer.Argument(help="list: what there is; delete: one; expire: all whose retention has ended.")],
    portfolio: Annotated[str, typer.Option(help="Id of the portfolio to delete.")] = "",
    reason: Annotated[str, typer.Option(help="Why; recorded for good, so never with names in it.")] = "",
    filter_text: Annotated[str, typer.Option("--filter", help="List those that meet it: as_of_date >= 2026-11-01.")] = "",
    order_by: Annotated[str, typer.Option(help="A field, or a field and desc: as_of_date desc.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Check only; nothing is deleted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List, delete or expire portfolios; what a ranking rests on is kept, and loses borrowers' data by erase alone.

    Example: python scripts/portfolios.py list --data var/demo --order-by "as_of_date desc"
    """
    with product.connect() as client:
        if act is Act.LIST:
            _show_list(client, filter_text, order_by, as_json)
            return
        if act is Act.DELETE:
            request = pb.DeletePortfolioRequest(portfolio_id=portfolio, reason=reason, validate_only=check)
            done = [client.portfolios.DeletePortfolio(request).deleted]
        else:
            expire = pb.ExpirePortfoliosRequest(reason=reason, validate_only=check)
            done = list(client.portfolios.ExpirePortfolios(expire).portfolios)
    if as_json:
        typer.echo(json.dumps([plain(one) for one in done], indent=1))
        return
    for one in done:
        became = f"kept: {one.kept_because}" if one.kept_because else "may be deleted" if check else "deleted"
        terminal().print(f"{one.portfolio_id} ({one.row_count:,} rows): {became}", highlight=False, markup=False)
    if not done:
        terminal().print("No portfolio has expired.")


def _show_list(client: Client, filter_text: str, order_by: str, as_json: bool) -> None:
    found = list(all_portfolios(client, filter_text, order_by))
    if as_json:
        typer.echo(json.dumps([plain(one) for one in found], indent=1))
        return
    header = ("portfolio", "as of", "currency", "rows", "accepted", "quarantined")
    lines = []
    for one in found:
        day = one.as_of_date
        counts = (f"{count:,}" for count in (one.row_count, one.accepted_count, one.quarantined_count))
        lines.append([one.portfolio_id, f"{day.year:04d}-{day.month:02d}-{day.day:02d}", one.currency_code, *counts])
    terminal().print(table("Portfolios", header, lines, text_columns=3))


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
