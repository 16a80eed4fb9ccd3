"""Import a lender's file (.csv, .tsv, .xlsx, .parquet, packed or not) through the API, by a TOML mapping; say what was refused.

Example:
    python scripts/import_portfolio.py --file book.csv --mapping book.toml --portfolio book-2026-11-24
    python scripts/import_portfolio.py --file book.csv --mapping book.toml --check --quarantine-out quarantined.csv
    python scripts/import_portfolio.py --data var/demo
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.cli.common.bundled import BUNDLED_PORTFOLIO, read_bundled
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainConsole, progress_bar, table, terminal
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.client.portfolios import CheckedPortfolio, PortfolioParts, check_portfolio, quarantined, send_portfolio
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_ROW_FAULTS
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.opening.opened import Skipped
from collections_opt.datasets.files.own_cells import FIELDS, finding_rows, own_cells
from collections_opt.datasets.files.portfolio_files import FileCounts, open_portfolio
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.csv_text import csv_text

QUARANTINED = 3
"""Exit code of an import that stored the portfolio and left rows out."""

Findings = Sequence[pb.QuarantinedAccount]


@dataclass(frozen=True)
class Source:
    """A file to send: its rows in parts, and what a first look at all of them counted."""

    rows: RawPortfolio | PortfolioParts
    counts: FileCounts
    skipped: Skipped
    absent: tuple[str, ...]
    file: Path | None = None
    mapping: FileMapping | None = None


def main(
    product: Product,
    file: Annotated[Path | None, typer.Option(help="The file; not given: the bundled portfolio.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps its columns; draft_mapping.py writes one.")] = None,
    portfolio: Annotated[str, typer.Option(help="Id to store it under; default the name of the file.")] = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the file describes, if not mapped.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check every row, show every finding, store nothing.")] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Go on without optional columns that the mapping names and the file lacks.")
    ] = False,
    quarantine_out: Annotated[Path | None, typer.Option(help="Write every finding as CSV here, to send back.")] = None,
    show: Annotated[int, typer.Option(min=0, help="Findings in the table; 0, and --check, show all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print header and every finding as JSON.")] = False,
) -> None:
    """Import a portfolio; importing equal content again is free.

    Exit code 0: every row was accepted. 3: imported, some rows are quarantined. 2: refused, nothing was stored.

    Example: python scripts/import_portfolio.py --file book.csv --mapping book.toml --portfolio book-2026-11-24
    """
    source = source_of(file, mapping, as_of.date() if as_of else None, allow_missing)
    portfolio_id = portfolio or (file.name.partition(".")[0] if file else BUNDLED_PORTFOLIO)
    with product.connect(may_make=True) as client:
        told = sent(client, portfolio_id, source, check)
    cells = _cells(source, told.findings)
    if quarantine_out:
        quarantine_out.write_text(csv_text(FIELDS, finding_rows(told.findings, cells)), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(_as_json(told, source, cells), indent=1))
    else:
        _print(terminal(), told, source, (cells, 0 if check else show))
        console = terminal()
        console.print(f"{'Checked' if check else 'Imported'} as {portfolio_id}, content {told.portfolio.digest[:16]}...")
        if quarantine_out:
            console.print(f"Findings to send back: {quarantine_out}")
    if told.portfolio.quarantined_count:
        raise typer.Exit(QUARANTINED)


def source_of(file: Path | None, mapping: Path | None, as_of: date | None, allow_missing: bool) -> Source:
    """Look at every row of the file once: what it holds is counted, and no more than a part of it is kept."""
    if file is None:
        bundled = read_bundled()
        return Source(bundled.raw, bundled.counts, bundled.skipped, bundled.absent_columns)
    if mapping is None:
        remedy = "Give --mapping; draft_mapping.py writes one from the file, examples/book.toml shows one."
        raise refuse(Reason.INVALID_ARGUMENT, "mapping", "is missing.", remedy)
    by = read_settings(mapping, FileMapping)
    opened = open_portfolio(file, by, as_of, allow_missing)
    fault_count = 0
    for part in opened.parts:
        fault_count += part.faults.count
        if fault_count > MAX_ROW_FAULTS:
            first = f"such as {part.faults.rule[0]} in {part.faults.column[0]}: {part.faults.value[0]!r}"
            remedy = "The mapping does not fit the file; try it on the first thousand rows."
            raise refuse(Reason.LIMIT_EXCEEDED, file.name, f"has more than {MAX_ROW_FAULTS:,} cells at fault, {first}.", remedy)
    counts = opened.counts
    if counts.kept_count:
        parts = PortfolioParts(opened.empty, counts.kept_count, lambda: open_portfolio(file, by, as_of, allow_missing).parts)
        return Source(parts, counts, opened.skipped, opened.absent_columns, file, by)
    return Source(opened.empty, counts, opened.skipped, opened.absent_columns, file, by)


def sent(client: Client, portfolio_id: str, source: Source, check: bool = False) -> CheckedPortfolio:
    """Import a source under an id, or check it only, with a bar on a terminal."""
    with progress_bar("checking" if check else "importing") as report:
        if check:
            return check_portfolio(client, portfolio_id, source.rows, report)
        answer = send_portfolio(client, portfolio_id, source.rows, progress=report)
    findings = tuple(quarantined(client, portfolio_id)) if answer.portfolio.quarantined_count else ()
    return CheckedPortfolio(answer.portfolio, tuple(answer.normalised_codes), findings, tuple(answer.contradictions))


def _cells(source: Source, findings: Findings) -> list[str]:
    if source.file is None or source.mapping is None:
        return [one.value for one in findings]
    return own_cells(source.file, source.mapping, findings)


def _as_json(told: CheckedPortfolio, source: Source, cells: Sequence[str]) -> dict[str, object]:
    return {
        "portfolio": plain(told.portfolio),
        "normalised_codes": [plain(one) for one in told.normalised_codes],
        "contradictions": [plain(one) for one in told.contradictions],
        "file": {
            "row_count": source.counts.row_count,
            "kept_count": source.counts.kept_count,
            "filtered_counts": dict(source.counts.filtered),
            "skipped_first_lines": source.skipped.first_lines,
            "skipped_last_lines": source.skipped.last_lines,
            "blank_lines": source.skipped.blank_lines,
            "shortened_ids": dict(source.counts.shortened_ids),
            "absent_columns": list(source.absent),
        },
        "quarantined_accounts": [{**plain(one), "cell": cell} for one, cell in zip(told.findings, cells, strict=True)],
    }


def _print(console: PlainConsole, told: CheckedPortfolio, source: Source, cells_and_limit: tuple[Sequence[str], int]) -> None:
    header, counts, skipped = told.portfolio, source.counts, source.skipped
    console.print(
        f"{counts.row_count:,} rows in the file, {counts.filtered_count:,} outside the mapping's filters; "
        f"{header.row_count:,} sent: {header.accepted_count:,} accepted, {header.quarantined_count:,} quarantined."
    )
    for name, count in counts.filtered.items():
        if count:
            console.print(f"{count:,} rows left out by keep on {name}.")
    lines = (("first", skipped.first_lines), ("last", skipped.last_lines), ("blank", skipped.blank_lines))
    if any(count for _, count in lines):
        console.print(f"Lines that are no rows: {', '.join(f'{count:,} {name}' for name, count in lines if count)}.")
    if source.absent:
        console.print(f"Missing for every account: {', '.join(source.absent)}.")
    for code in told.normalised_codes:
        console.print(f"{code.field} {code.text!r} read as {code.code} in {code.row_count:,} rows.")
    for one in told.contradictions:
        told_of = (
            f"{one.field} differs between accounts of one person, for {one.person_count:,} persons (such as {one.account_id})"
        )
        console.print(f"WARNING: {told_of}: {one.reading}.", style="yellow")
    for name, count in counts.shortened_ids.items():
        problem = f"{count:,} ids in {name} are written like 1.23E+11, as a spreadsheet shortens numbers: digits may be lost."
        console.print(f"WARNING: {problem} Export the column as text.", style="yellow")
    cells, limit = cells_and_limit
    shown = list(zip(told.findings, cells, strict=True))[: limit or None]
    if shown:
        rows = [[str(q.line), q.account_id, q.column or q.field, cell, q.rule, q.remedy] for q, cell in shown]
        title = f"Quarantined ({len(shown):,} of {len(told.findings):,} findings shown)"
        console.print(table(title, ["line", "account", "column", "cell", "rule", "remedy"], rows, text_columns=6))


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
