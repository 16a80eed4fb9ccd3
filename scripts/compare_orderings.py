"""Compare the expected-value order with raw-probability orders on the bundled portfolio and on what really happened.

Example:
    python scripts/compare_orderings.py --data var/demo --html var/demo/comparison.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import DataOption, ModelsOption, opened, progress_bar, run, table

from collections_opt.application.bundled_comparison import BundledComparison, compare_bundled
from collections_opt.application.workspace import Workspace
from collections_opt.reports.comparison_report import (
    CAUSALITY_NOTE,
    ComparisonReport,
    comparison_csv,
    comparison_html,
    comparison_rows,
    comparison_table,
)
from collections_opt.reports.ranking_report import queue_table


def main(
    data: DataOption = Path("var/demo"),
    models: ModelsOption = Path("models"),
    seed: Annotated[int, typer.Option(help="Seed of the random order and of the bootstrap.")] = 20_050_801,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with figures that opens offline.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the comparison as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Rank the bundled accounts in every order at the same capacity and eligibility, and show who moves and what happened.

    Example: python scripts/compare_orderings.py --data var/demo --html var/demo/comparison.html
    """
    with opened(data, models) as workspace:
        with progress_bar("ranking in every order") as report:
            result = compare_bundled(workspace, seed, report)
        page = comparison_html(page_of(workspace, result)) if html else ""
    if html:
        html.write_text(page, encoding="utf-8")
    if csv:
        csv.write_text(comparison_csv(result.outcomes), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(comparison_rows(result.outcomes), indent=1))
        return
    show(result)


def show(result: BundledComparison) -> None:
    """Print the comparison as a table with its caveat."""
    console = Console()
    header, lines = comparison_table(result.outcomes)
    currency, split = result.portfolio.currency_code, header.index("in/out") + 1
    console.print(
        table(f"Orders at the same capacity and eligibility ({currency})", header[:split], [line[:split] for line in lines])
    )
    after = [[line[0], *line[split:]] for line in lines]
    console.print(table(f"What the accounts worked did next ({currency})", [header[0], *header[split:]], after))
    console.print(CAUSALITY_NOTE, style="dim")


def page_of(workspace: Workspace, result: BundledComparison) -> ComparisonReport:
    """Return what the HTML page shows."""
    first = result.rankings[0]
    header, lines = queue_table(workspace.rankings.plan_of(first), first.record)
    facts = [
        (
            "portfolio",
            f"{result.portfolio.portfolio_id}, {result.portfolio.accepted_count:,} accounts at {result.portfolio.as_of_date}",
        ),
        ("input digest", str(first.record["input_digest"])),
        ("capacity plan", f"{first.record['plan_id']} version {first.record['plan_version']}"),
        ("rules", str(first.record["rules_version"])),
        ("model", f"{first.record['model_version']}, calibration {first.record['calibration_version']}"),
        ("ranking", f"{first.ranking_id}, record {first.record_digest}"),
    ]
    queues = [dict(zip(header, line, strict=True)) for line in lines]
    return ComparisonReport("Expected value against raw orders", result.portfolio.currency_code, result.outcomes, facts, queues)


if __name__ == "__main__":
    run(main)
