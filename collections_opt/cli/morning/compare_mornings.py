"""Say what differs between two mornings of one book: who came, who left, who moved, and what of each account differed.

Example:
    python scripts/compare_mornings.py --data var/demo --before rk-1 --after rk-2
    python scripts/compare_mornings.py --data var/demo --before rk-1 --after rk-2 --change ENTERED --csv entered.csv
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import morning_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.comparison import compare_mornings
from collections_opt.client.plain import plain
from collections_opt.core.codes.currencies import currency
from collections_opt.reports.csv_text import csv_text
from collections_opt.wire.common import enum_text, read_date

FIELDS = (
    "account_id",
    "change",
    "cause",
    "before_queue_id",
    "after_queue_id",
    "before_increment_minor_units",
    "after_increment_minor_units",
)
SHOWN_COLUMNS = 5


class AskedChange(StrEnum):
    """What became of an account."""

    NEW = "NEW"
    GONE = "GONE"
    ENTERED = "ENTERED"
    LEFT = "LEFT"
    MOVED = "MOVED"
    SAME = "SAME"


def main(
    product: Product,
    before: Annotated[str, typer.Option(help="Id of the earlier morning's ranking.")],
    after: Annotated[str, typer.Option(help="Id of the later morning's ranking.")],
    change: Annotated[list[AskedChange] | None, typer.Option(help="Only these changes, repeated; default all but SAME.")] = None,
    size: Annotated[int, typer.Option(min=0, help="Accounts to print; 0 prints all.")] = 20,
    csv: Annotated[Path | None, typer.Option(help="Write every account as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what differs between two mornings of one book.

    The cause is the first thing that differs for the account itself: FACTS, AGED, RULES, MODEL, VALUES, else CAPACITY (the plan,
    prices or other accounts). It is read off both records and says nothing of what would have happened otherwise.

    Example: python scripts/compare_mornings.py --data var/demo --before rk-1 --after rk-2
    """
    asked = [pb.MorningChange.Value(f"MORNING_CHANGE_{each.value}") for each in change or ()]
    with product.connect() as client:
        found = compare_mornings(client, before, after, asked)
    rows = [_row(account) for account in found.accounts]
    if csv:
        csv.write_text(csv_text(FIELDS, rows), "utf-8")
    if as_json:
        typer.echo(json.dumps({**plain(found), "accounts": rows}, indent=1))
        return
    _print(found, rows[: size or None])
    if csv:
        typer.echo(f"{len(rows):,} accounts: {csv}")


def _row(account: pb.MorningAccount) -> dict[str, str | int]:
    return {
        **{name: getattr(account, name) for name in FIELDS if name not in ("change", "cause")},
        "change": _change(account.change),
        "cause": _cause(account.cause),
    }


def _change(value: pb.MorningChange.ValueType) -> str:
    return pb.MorningChange.Name(value).removeprefix("MORNING_CHANGE_")


def _cause(value: pb.MorningCause.ValueType) -> str:
    return "" if value == pb.MORNING_CAUSE_UNSPECIFIED else pb.MorningCause.Name(value).removeprefix("MORNING_CAUSE_")


def _print(found: pb.CompareMorningsResponse, rows: list[dict[str, str | int]]) -> None:
    console, unit = terminal(), currency(found.currency_code)
    days = f"{read_date(found.before_as_of_date, 'before')} to {read_date(found.after_as_of_date, 'after')}"
    counts = [
        [_change(c.change), _cause(c.cause) or "-", f"{c.account_count:,}", unit.exact(c.increment_gained_minor_units)]
        for c in found.counts
    ]
    title = f"Accounts by change and cause, {days} ({found.currency_code})"
    console.print(table(title, ["change", "cause", "accounts", "increment gained"], counts, text_columns=2))
    for version in found.versions:
        setting = enum_text(pb.MorningSetting.DESCRIPTOR, version.setting).lower()
        console.print(f"{setting}: {version.before or '-'} before, {version.after or '-'} after")
    told = ", ".join(f"{each.column} {each.account_count:,}" for each in found.differences[:SHOWN_COLUMNS])
    console.print(f"Columns that differ most: {told or 'none'}")
    lines = [
        [
            *(str(row[name]) or "-" for name in FIELDS[:5]),
            *(unit.exact(int(row[name])) for name in FIELDS[5:]),
        ]
        for row in rows
    ]
    header = ["account", "change", "cause", "from", "to", "increment before", "after"]
    console.print(table(f"The first {len(rows):,} accounts by id", header, lines, text_columns=5))


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
