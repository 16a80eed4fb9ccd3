"""Print a queue's accounts of a recorded ranking, in the order to work them.

Example:
    python scripts/worklist.py --data var/demo --queue early-calls --size 20
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Annotated

import typer

from collections_opt.api.v1.ranking_service_pb2 import WorklistEntry
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.rankings import headline, worklist
from collections_opt.core.codes.currencies import currency
from collections_opt.core.desk.day_windows import shown_minutes
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.reports.csv_text import csv_text

PLAIN = ("priority", "account_id", "increment_minor_units", "handling_minutes", "surplus_minor_units", "offered_attempt_count")
FIELDS = (*PLAIN, "call_window")


def main(
    product: Product,
    queue: Annotated[str, typer.Option(help="Id of the queue.")],
    ranking: RankingOption = IN_FORCE,
    analysis: Annotated[bool, typer.Option("--analysis", help="Also of a ranking that was made for analysis.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Start after this place.")] = 0,
    size: Annotated[int, typer.Option(min=0, help="Accounts to print; 0 prints all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Print one queue's worklist.

    Example: python scripts/worklist.py --data var/demo --queue early-calls --size 20
    """
    with product.connect() as client:
        made = named_ranking(client, ranking)
        stop = after + size if size else None
        page = min(stop or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
        entries = list(islice(worklist(client, made.ranking_id, queue, page, analysis), after, stop))
    unit = currency(made.inputs.currency_code)
    rows = [{**{name: getattr(entry, name) for name in PLAIN}, "call_window": _window(entry)} for entry in entries]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    elif as_csv:
        typer.echo(csv_text(FIELDS, rows), nl=False)
    else:
        lines = [
            [
                str(e.priority),
                e.account_id,
                unit.exact(e.increment_minor_units),
                f"{e.handling_minutes:.1f}",
                unit.exact(e.surplus_minor_units),
            ]
            for e in entries
        ]
        header = ["place", "account", f"increment ({made.inputs.currency_code})", "minutes", "surplus"]
        if any(e.offered_attempt_count for e in entries):  # a budget leaves some accounts fewer than the queue makes
            header.append("attempts")
            for line, e in zip(lines, entries, strict=True):
                line.append(str(e.offered_attempt_count) if e.offered_attempt_count else "all")
        if any(e.HasField("call_window") for e in entries):  # where the plan says when the queue works
            header.append("contact (desk time)")
            for line, e in zip(lines, entries, strict=True):
                line.append(_window(e) or "-")
        terminal().print(table(f"{queue} of {headline(made)}", header, lines, text_columns=2))


def _window(entry: WorklistEntry) -> str:
    """Return when to contact an account, by the desk's clocks; "" where that is not known."""
    window = entry.call_window
    return shown_minutes(window.start_minute, window.end_minute) if entry.HasField("call_window") else ""


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
