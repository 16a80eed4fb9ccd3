"""Compare the expected-value order with raw-probability orders on a portfolio, and with what really happened if it is known.

Example:
    python scripts/compare_orderings.py --data var/demo --html var/demo/comparison.html
    python scripts/compare_orderings.py --portfolio book --plan desk --outcomes outcomes.csv --csv comparison.csv
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.bundled import BUNDLED_PLAN, BUNDLED_PORTFOLIO, bundled_outcomes, ensure_portfolio
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, terminal
from collections_opt.cli.morning.comparison import page_of, show
from collections_opt.client.comparison import ComparisonTerms, account_changes, compare_orders
from collections_opt.core.accounts.matching import IdMatch
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.files.outcome_files import read_outcomes
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.account_files import FORMATS
from collections_opt.reports.comparison.page import comparison_html
from collections_opt.reports.comparison.report import comparison_csv, comparison_rows


def main(
    product: Product,
    portfolio: Annotated[str, typer.Option(help="Id of an imported portfolio; the bundled one is imported on first use.")] = (
        BUNDLED_PORTFOLIO
    ),
    plan: Annotated[str, typer.Option(help="Id of the capacity plan.")] = BUNDLED_PLAN,
    outcomes: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet of account_id, cash_minor_units, cured, rolled_worse; the bundled one has its own."),
    ] = None,
    ordering: Annotated[
        list[Ordering] | None, typer.Option(help="An order, repeated for several; the first is compared with. Default: all.")
    ] = None,
    constraints: Annotated[
        Path | None, typer.Option(help="TOML file of what every order keeps to; examples/constraints.toml.")
    ] = None,
    parameters: Annotated[Path | None, typer.Option(help="TOML file of value parameters; default those in force.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random order and of the bootstrap.")] = 1,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with figures that opens offline.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the comparison as CSV.")] = None,
    accounts_out: Annotated[
        Path | None,
        typer.Option(help="Write who enters and who leaves under each order, every account: .csv, .parquet or .xlsx."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Rank in every order under the same eligibility, capacity and constraints; show who moves, what it is worth, what happened.

    Outcomes stay here: the server never sees them.

    Example: python scripts/compare_orderings.py --data var/demo --html var/demo/comparison.html
    """
    kept = read_settings(constraints, RankingConstraints) if constraints else None
    values = read_settings(parameters, ValueParameters) if parameters else None
    terms = ComparisonTerms(kept, values)
    written = _format_of(accounts_out)
    known = read_outcomes(outcomes) if outcomes else None
    if known is None and portfolio == BUNDLED_PORTFOLIO:
        known = bundled_outcomes()
    with product.connect() as client:
        header = ensure_portfolio(client, portfolio)
        with progress_bar("ranking in every order") as report:
            compared = compare_orders(client, portfolio, plan, seed, known, tuple(ordering or Ordering), report, terms)
        if accounts_out and written:
            changes = account_changes(client, compared.rankings[0], compared.rankings[1:], known)
            accounts_out.write_bytes(written(changes.columns, changes.present))
        page = comparison_html(page_of(client, compared, f"Who to work: {portfolio}")) if html else ""
    code = header.currency_code
    if html:
        html.write_text(page, encoding="utf-8")
    if csv:
        csv.write_text(comparison_csv(compared.outcomes, code), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(comparison_rows(compared.outcomes, code), indent=1))
        return
    console = terminal()
    show(console, compared)
    if known is not None and outcomes is not None:  # every account ranked has its outcome, or the comparison was refused
        of_others = known.account_id.size - header.accepted_count
        match = IdMatch(header.accepted_count, header.accepted_count, max(of_others, 0))
        console.print(f"Outcomes: {match.sentence(outcomes.name)}.")


def _format_of(path: Path | None) -> Callable[..., bytes] | None:
    """Return what writes a table of accounts, by the ending of its file.

    Raises:
        CollectionsError: INVALID_ARGUMENT for another ending.
    """
    if path is None:
        return None
    known = FORMATS.get(path.suffix.removeprefix("."))
    if known is None:
        told = f"{path.name} ends in none of {', '.join(f'.{name}' for name in FORMATS)}."
        raise refuse(Reason.INVALID_ARGUMENT, "accounts_out", told, "Name the file by one of them.")
    return known[0]


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
