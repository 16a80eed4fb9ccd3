"""Print a queue's accounts of a recorded ranking, in the order to work them.

Example:
    python scripts/worklist.py --data var/demo --ranking rk-... --queue early-calls --size 20
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import DataOption, ModelsOption, opened, run, table

from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.reports.money import money_exact

FIELDS = ("priority", "account_id", "increment_minor", "seconds", "surplus_minor")


def main(
    ranking: Annotated[str, typer.Option(help="Id of the ranking.")],
    queue: Annotated[str, typer.Option(help="Id of the queue.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = Path("models"),
    after: Annotated[int, typer.Option(min=0, help="Start after this place.")] = 0,
    size: Annotated[int, typer.Option(min=1, max=MAX_PAGE_SIZE, help="Accounts to print.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Print one queue's worklist, a page at a time.

    Example: python scripts/worklist.py --data var/demo --ranking rk-... --queue early-calls --size 20
    """
    with opened(data, models) as workspace:
        record, entries = workspace.rankings.worklist(ranking, queue, after, size)
    rows = [{name: getattr(entry, name) for name in FIELDS} for entry in entries]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, fieldnames=FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        lines = [
            [str(e.priority), e.account_id, money_exact(e.increment_minor), f"{e.seconds / 60:.1f}", money_exact(e.surplus_minor)]
            for e in entries
        ]
        header = ["place", "account", f"increment ({record.record['currency_code']})", "minutes", "surplus"]
        Console().print(table(f"{queue} of {ranking}", header, lines, text_columns=2))


if __name__ == "__main__":
    run(main)
