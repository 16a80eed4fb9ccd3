"""Train on May to July, rank the August accounts, compare the orders with what happened, and live through a simulated day.

Example:
    python scripts/demo.py --data var/demo
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from collections_opt.api.v1 import portfolio_service_pb2, ranking_pb2
from collections_opt.application.training.outcome import BUNDLED_SEED, train_bundled_model
from collections_opt.cli.common.bundled import BUNDLED_PLAN, BUNDLED_PORTFOLIO, bundled_outcomes, read_bundled
from collections_opt.cli.common.product import DataOption, served
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.cli.morning.comparison import page_of, show, show_decided
from collections_opt.cli.morning.day_act import second_act
from collections_opt.client.client import connect
from collections_opt.client.comparison import ComparisonTerms, compare_orders
from collections_opt.client.connection import Connection
from collections_opt.client.portfolios import import_portfolio
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.reports.comparison.page import ComparisonReport, comparison_html
from collections_opt.reports.ranking_report import (
    count_sentence,
    queue_table,
    worklist_table,
)

TRAINED_AT = datetime(2026, 11, 24, tzinfo=UTC)
"""Recorded in the demo's manifest, so that a second run gives the same bytes."""

SERVER = "--address 127.0.0.1:50051 --insecure-loopback"
"""How scripts reach what ``make serve`` runs."""


def main(
    data: DataOption = Path("var/demo"),
    seed: Annotated[int, typer.Option(help="Seed of the random order and of the bootstrap.")] = 1,
    picture: Annotated[Path | None, typer.Option(help="Write what is printed as an SVG too.")] = None,
) -> None:
    """Run the main job on the bundled real portfolio over a real gRPC server on loopback; safe to run again.

    Example: python scripts/demo.py --data var/demo
    """
    console, models = terminal(record=picture is not None), data / "models"
    train(console, models)
    with served(data, models) as port, connect(Connection(f"127.0.0.1:{port}", insecure_loopback=True)) as client:
        console.print(f"Serving the gRPC API on 127.0.0.1:{port} over {data}: SQLite and a folder of objects.", highlight=False)
        with progress_bar("importing") as report:
            portfolio = import_portfolio(client, BUNDLED_PORTFOLIO, read_bundled().raw, progress=report)
        with progress_bar("ranking in every order") as report:
            terms = ComparisonTerms(worked=True)  # the list by expected value is the day's; the other orders stand beside it
            compared = compare_orders(
                client, BUNDLED_PORTFOLIO, BUNDLED_PLAN, seed, bundled_outcomes(), progress=report, terms=terms
            )
        page = page_of(client, compared, "Who to work on 31 August 2005")
    show_ranking(console, portfolio, page)
    show(console, compared)
    second_act(console, models, seed, data / "day.svg")
    path = data / "comparison.html"
    path.write_text(comparison_html(page), encoding="utf-8")
    show_places(console, data, compared.rankings[0], path)
    show_next(console, data, page)
    if picture:
        svg = console.export_svg(title="make demo")
        picture.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL), encoding="utf-8")  # loads no fonts


def train(console: Console, models: Path) -> None:
    """Train on May to July and say how the model does on August."""
    with progress_bar("training on May to July") as report:
        trained = train_bundled_model(
            models, "demo-1", BUNDLED_SEED, TRAINED_AT, lambda stage, f: report(SolveProgress(stage, f))
        )
    console.print(f"Model {trained.version} on August, which nothing was fitted on: {trained.calibrated_worst}")
    console.print(
        f"It tells cures apart with an AUC of {trained.metrics['cure_auc']:.3f}, defaults {trained.metrics['default_auc']:.3f}."
    )


def show_ranking(console: Console, portfolio: portfolio_service_pb2.Portfolio, page: ComparisonReport) -> None:
    """Print the queues, the proof of quality and the top of each worklist with reasons."""
    summary = page.summary
    console.print(f"{portfolio.row_count:,} rows in, {portfolio.quarantined_count:,} quarantined; {count_sentence(summary)}.")
    show_decided(console, summary)
    title = f"Queues ({summary.currency_code}; expected money per extra minute and agent-hour)"
    console.print(table(title, *queue_table(summary, page.plan)))
    for queue_id, lines in page.worklists.items():
        if lines:
            console.print(table(f"Top of {queue_id}", *worklist_table(lines[:3], summary.currency_code)))
        else:
            console.print(f"{queue_id}: nothing to work.")


def show_places(console: Console, data: Path, ranking: ranking_pb2.Ranking, path: Path) -> None:
    """Say where everything is."""
    record = ranking.record
    lines = [
        ("Ranking", f"{ranking.ranking_id}, number {record.sequence} in the chain"),
        ("  record", record.record_digest),
        ("  entries", record.entries_digest),
        ("Database", str(data / "ledger.db")),
        ("Objects", str(data / "objects")),
        ("Figures", f"{path} (opens offline)"),
    ]
    for name, value in lines:
        console.print(f"{name:9} {value}", highlight=False, soft_wrap=True)


def show_next(console: Console, data: Path, page: ComparisonReport) -> None:
    """Print three commands to try against the server of ``make serve``."""
    ranking_id = page.summary.ranking_id
    account_id = next(lines[0].account_id for lines in page.worklists.values() if lines)
    dearest = max(page.summary.queues, key=lambda queue: queue.price_per_minute_minor).queue_id
    html = data / "what-if.html"
    console.print("Leave a server running with [bold]make serve[/bold] and try, in another terminal:", markup=True)
    for line in (
        f"scripts/explain.py {SERVER} --ranking {ranking_id} --account {account_id}",
        f"scripts/capacity.py what-if {SERVER} --ranking {ranking_id} --change {dearest}:agents=+1 --html {html}",
        f"scripts/verify.py ranking {SERVER} --ranking {ranking_id}",
    ):
        console.print(f"  .venv/bin/python {line}", soft_wrap=True, highlight=False)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
