"""Look at a lender's file and draft the TOML mapping that import_portfolio.py needs: a comment per column says how sure it is.

Example:
    python scripts/draft_mapping.py --file book.csv --as-of 2026-11-24 --out book.toml
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.drafting.guessing import LIKELY, SURE
from collections_opt.datasets.files.drafting.looking import look
from collections_opt.datasets.files.drafting.writing import Draft, Given, draft


def main(
    file: Annotated[Path, typer.Option(help="The file: .csv, .tsv, .txt, .xlsx, .parquet, text also as .gz or .zip.")],
    out: Annotated[Path | None, typer.Option(help="Write the mapping here; not given: print it.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the file describes.")] = None,
    time_zone: Annotated[str, typer.Option(help="Your IANA time zone, such as America/Chicago.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the amounts, such as USD.")] = "",
    product: Annotated[str, typer.Option(help="Product of every account, where no column says it.")] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a spreadsheet; not given: the one with most rows.")] = "",
) -> None:
    """Draft a mapping, to be read and corrected by a person; what could not be told is commented out and marked MISSING.

    Example: python scripts/draft_mapping.py --file book.csv --as-of 2026-11-24 --out book.toml
    """
    if out and out.exists():
        raise refuse(Reason.ALREADY_EXISTS, "out", f"{out} is there and may hold corrections.", "Name another file.")
    made = draft(look(file, sheet), Given(as_of.date() if as_of else None, time_zone, currency, product))
    if out is None:
        typer.echo(made.text, nl=False)
        return
    out.write_text(made.text, encoding="utf-8")
    _show(made, out)


def _show(made: Draft, out: Path) -> None:
    console = terminal()
    lines = [
        [name, ", ".join(one.sources), f"{one.sureness:.0%}", _words(one.sureness), one.why]
        for name, one in made.guesses.columns.items()
    ]
    console.print(table("Recognised", ["schema column", "column of the file", "sure", "", "why"], lines, text_columns=2))
    if made.corrections:
        console.print(f"MISSING, to be given in {out}: {', '.join(made.corrections)}.", style="yellow")
    console.print(f"Read and correct {out}, then: python scripts/import_portfolio.py --file ... --mapping {out} --check")


def _words(sureness: float) -> str:
    return "sure" if sureness >= SURE else "likely" if sureness >= LIKELY else "NOT SURE"


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
