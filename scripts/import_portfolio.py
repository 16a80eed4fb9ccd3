"""Import a lender's CSV or Parquet file through the API, by a TOML mapping; say which rows were refused, why, and what to do.

Example:
    python scripts/import_portfolio.py --file book.csv --mapping book.toml --portfolio book-2026-11-24
    python scripts/import_portfolio.py --data var/demo
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from bundled_support import BUNDLED_PORTFOLIO, read_bundled
from scripts_support import Product, progress_bar, run, table, terminal

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.plain import plain
from collections_opt.client.portfolios import quarantined, send_portfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import FileReading, read_portfolio
from collections_opt.datasets.settings_files import read_settings

QUARANTINED = 3
"""Exit code of an import that stored the portfolio and left rows out."""


def main(
    product: Product,
    file: Annotated[Path | None, typer.Option(help="CSV or Parquet file; not given: the bundled portfolio.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps its columns to the account schema.")] = None,
    portfolio: Annotated[str, typer.Option(help="Id to store it under; default the name of the file.")] = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the file describes, if not mapped.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check every row, store nothing.")] = False,
    show: Annotated[int, typer.Option(min=0, help="Findings to print; 0 prints all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print header and findings as JSON.")] = False,
) -> None:
    """Import a portfolio; importing equal content again is free.

    Exit code 0: every row was accepted. 3: imported, some rows are quarantined. 2: refused, nothing was stored.

    Example: python scripts/import_portfolio.py --file book.csv --mapping book.toml --portfolio book-2026-11-24
    """
    reading = _read(file, mapping, as_of)
    portfolio_id = portfolio or (file.stem if file else BUNDLED_PORTFOLIO)
    with product.connect() as client:
        with progress_bar("importing") as report:
            answer = send_portfolio(client, portfolio_id, reading.raw, check, report)
            header = answer.portfolio
        found = [] if check else list(islice(quarantined(client, portfolio_id), show or None))
    if as_json:
        typer.echo(json.dumps(_as_json(answer, found), indent=1))
    else:
        console = terminal()
        dropped = reading.row_count - reading.kept_count
        console.print(
            f"{reading.row_count:,} rows in the file, {dropped:,} outside the mapping's filters; {header.row_count:,} sent: "
            f"{header.accepted_count:,} accepted, {header.quarantined_count:,} quarantined."
        )
        if reading.absent_columns:
            console.print(f"Missing for every account: {', '.join(reading.absent_columns)}.")
        for code in answer.normalised_codes:
            console.print(f"{code.field} {code.text!r} read as {code.code} in {code.row_count:,} rows.", markup=False)
        if found:
            lines = [[str(q.row), q.account_id, q.field, q.value, q.rule, q.remedy] for q in found]
            columns = ["row", "account", "field", "value", "rule", "remedy"]
            console.print(table(f"Quarantined ({len(found):,} findings shown)", columns, lines, text_columns=6))
        console.print(f"{'Checked' if check else 'Imported'} as {portfolio_id}, content {header.digest[:16]}...")
    if header.quarantined_count:
        raise typer.Exit(QUARANTINED)


def _as_json(answer: pb.ImportPortfolioResponse, found: list[pb.QuarantinedAccount]) -> dict[str, object]:
    return {
        "portfolio": plain(answer.portfolio),
        "normalised_codes": [plain(one) for one in answer.normalised_codes],
        "quarantined_accounts": [plain(one) for one in found],
    }


def _read(file: Path | None, mapping: Path | None, as_of: datetime | None) -> FileReading:
    if file is None:
        return read_bundled()
    if mapping is None:
        raise refuse(Reason.INVALID_ARGUMENT, "mapping", "is missing.", "Give --mapping; examples/book.toml shows one.")
    return read_portfolio(file, read_settings(mapping, FileMapping), as_of.date() if as_of else None)


if __name__ == "__main__":
    run(main)
