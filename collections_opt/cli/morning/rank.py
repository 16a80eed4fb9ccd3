"""Rank an imported portfolio under a capacity plan and record the ranking.

Example:
    python scripts/rank.py --data var/demo --portfolio uci-2005-08 --plan credit-card-desk --ordering EXPECTED_VALUE
    python scripts/rank.py --data var/lake --portfolio book.parquet --mapping book.toml --engine spark --master local[2,4]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
from collections_opt.cli.common.bundled import BUNDLED_PLAN, BUNDLED_PORTFOLIO, ensure_portfolio
from collections_opt.cli.common.engine import DEFAULT_MASTER, EngineName, EngineOption, FolderOption, MasterOption, engine_of
from collections_opt.cli.common.product import Product, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.cli.morning.comparison import plan_of, show_decided
from collections_opt.cli.morning.import_portfolio import sent, source_of
from collections_opt.client.approved import values_sentence
from collections_opt.client.plain import plain
from collections_opt.client.portfolios import CheckedPortfolio
from collections_opt.client.rankings import headline, make_ranking, new_request_id, summarise
from collections_opt.core.codes.currencies import currency
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.ranking_report import count_sentence, queue_table
from collections_opt.wire.common import read_choice, write_enum
from collections_opt.wire.constraints import write_constraints
from collections_opt.wire.parameters import write_parameters


def main(
    product: Product,
    portfolio: Annotated[
        str, typer.Option(help="Id of the portfolio, or with --mapping a file to import first; default the bundled one.")
    ] = BUNDLED_PORTFOLIO,
    mapping: Annotated[Path | None, typer.Option(help="TOML file that maps the file's columns, as for an import.")] = None,
    plan: Annotated[str, typer.Option(help="Id of the capacity plan.")] = BUNDLED_PLAN,
    plan_version: Annotated[int, typer.Option(help="Version of the plan; 0 is the plan on the portfolio's day.")] = 0,
    ordering: Annotated[Ordering, typer.Option(help="Which order decides.")] = Ordering.EXPECTED_VALUE,
    parameters: Annotated[Path | None, typer.Option(help="TOML file of value parameters; default those in force.")] = None,
    constraints: Annotated[
        Path | None, typer.Option(help="TOML file of caps, floors, a cap on moves, a reserve; examples/constraints.toml.")
    ] = None,
    previous: Annotated[str, typer.Option(help="Ranking to start from and count moves from; in-force: what is worked.")] = "",
    purpose: Annotated[
        RankingPurpose | None, typer.Option(help="WORK or ANALYSIS; default WORK by expected value, ANALYSIS by another order.")
    ] = None,
    remaining: Annotated[
        bool, typer.Option("--remaining", help="Decide what remains of today: who is left, on the minutes that are left.")
    ] = False,
    solver: Annotated[str, typer.Option(help="default, exact, greedy or pricing.")] = "default",
    seed: Annotated[int | None, typer.Option(help="Seed of the solver and of the random order; default the server's.")] = None,
    request_id: Annotated[str, typer.Option(help="UUID that makes the call repeatable; default a new one.")] = "",
    accept_suspect_scores: Annotated[
        bool,
        typer.Option("--accept-suspect-scores", help="Let scores decide that were refused as SCORES_SUSPECT."),
    ] = False,
    accept_clipped_values: Annotated[
        bool,
        typer.Option("--accept-clipped-values", help="Let values decide that were refused as VALUES_OUT_OF_ORDER."),
    ] = False,
    engine: EngineOption = EngineName.HERE,
    master: MasterOption = DEFAULT_MASTER,
    engine_folder: FolderOption = "",
    check: Annotated[bool, typer.Option("--check", help="Check the request only; nothing is ranked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the recorded header as JSON.")] = False,
) -> None:
    """Rank and record; the same request id again returns the ranking it made.

    Example: python scripts/rank.py --data var/demo --portfolio uci-2005-08 --plan credit-card-desk
    """
    source = source_of(Path(portfolio), mapping, None, False) if mapping else None
    portfolio = Path(portfolio).name.partition(".")[0] if source else portfolio
    values = read_settings(parameters, ValueParameters) if parameters else None
    kept = read_settings(constraints, RankingConstraints) if constraints else None
    request = CreateRankingRequest(
        request_id=request_id or new_request_id(),
        portfolio_id=portfolio,
        capacity_plan_id=plan,
        capacity_plan_version=plan_version,
        ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, ordering.value),
        value_parameters=write_parameters(values) if values else None,
        constraints=write_constraints(kept) if kept else None,
        solver=read_choice(ranking_pb2.Solver.DESCRIPTOR, solver, "solver"),
        seed=seed,
        validate_only=check,
        accept_suspect_scores=accept_suspect_scores,
        accept_clipped_values=accept_clipped_values,
        remaining_capacity=remaining,
        purpose=write_enum(ranking_pb2.RankingPurpose.DESCRIPTOR, purpose.value if purpose else "UNSPECIFIED"),
    )
    parts = engine_folder or str((product.data / "engine").absolute())
    with engine_of(engine, master, parts) as made_on, product.connect(source is not None, made_on) as client:
        if source is not None:
            tell_quarantined(sent(client, portfolio, source))
        ensure_portfolio(client, portfolio)
        if previous:
            request.previous_ranking_id = named_ranking(client, previous).ranking_id
        if check:
            client.rankings.CreateRanking(request)
            typer.echo("The request is in order; nothing was ranked.")
            return
        with progress_bar("ranking") as report:
            made = make_ranking(client, request, report)
        used = plan_of(client, made)
    if as_json:
        typer.echo(json.dumps(plain(made), indent=1))
        return
    summary, console = summarise(made), terminal()
    console.print(headline(made), highlight=False)
    console.print(f"{count_sentence(summary)}.")
    show_decided(console, summary)
    console.print(values_sentence(made.inputs), highlight=False)
    console.print(table(f"Queues ({summary.currency_code})", *queue_table(summary, used)))
    show_constraints(console, made)


def tell_quarantined(told: CheckedPortfolio) -> None:
    """Say on standard error how many rows of a file were left out before the ranking, if any were."""
    header = told.portfolio
    if header.quarantined_count:
        typer.echo(
            f"{header.quarantined_count:,} of {header.row_count:,} rows are quarantined and not ranked; "
            "import_portfolio --check shows why.",
            err=True,
        )


def show_constraints(console: Console, made: ranking_pb2.Ranking) -> None:
    """Print what the limits cost, what is missing, and what the reserve drew."""
    unit = currency(made.inputs.currency_code)
    if made.limits:
        lines = [[limit.name, unit.exact(limit.price_minor_units), f"{limit.missing_count:,}"] for limit in made.limits]
        header = ["limit", "one account looser is worth", "accounts missing"]
        console.print(table(f"Limits ({made.inputs.currency_code})", header, lines))
    if made.HasField("exploration"):
        drawn = made.exploration
        console.print(
            f"Drawn at random: {drawn.drawn_count:,} accounts, {unit.exact(drawn.increment_minor_units)} "
            f"{made.inputs.currency_code} expected increment beside the objective."
        )


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
