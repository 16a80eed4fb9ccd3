"""Rank an imported portfolio under a capacity plan and record the ranking.

Example:
    python scripts/rank.py --data var/demo --portfolio uci-2005-08 --plan credit-card-desk --ordering EXPECTED_VALUE
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import DataOption, ModelsOption, opened, progress_bar, run, table

from collections_opt.application.bundled_comparison import BUNDLED_PORTFOLIO_ID, import_bundled
from collections_opt.application.rankings import RankingCommand
from collections_opt.application.settings import bundled_parameters, read_toml
from collections_opt.core.ordering import Ordering
from collections_opt.core.payoffs import ValueParameters
from collections_opt.reports.ranking_report import count_sentence, gap_sentence, queue_table


def main(
    data: DataOption = Path("var/demo"),
    models: ModelsOption = Path("models"),
    portfolio: Annotated[
        str, typer.Option(help="Id of the portfolio; the bundled one is imported on first use.")
    ] = BUNDLED_PORTFOLIO_ID,
    plan: Annotated[str, typer.Option(help="Id of the capacity plan.")] = "credit-card-desk",
    plan_version: Annotated[int | None, typer.Option(help="Version of the plan; default its latest.")] = None,
    ordering: Annotated[Ordering, typer.Option(help="Which order decides.")] = Ordering.EXPECTED_VALUE,
    parameters: Annotated[Path | None, typer.Option(help="TOML file of value parameters; default the bundled ones.")] = None,
    solver: Annotated[str, typer.Option(help="default, exact, greedy or pricing.")] = "default",
    request_id: Annotated[str, typer.Option(help="UUID that makes the call repeatable; default a new one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the recorded header as JSON.")] = False,
) -> None:
    """Rank and record; the same request id again returns the ranking it made.

    Example: python scripts/rank.py --data var/demo --portfolio uci-2005-08 --plan credit-card-desk
    """
    values = read_toml(parameters, ValueParameters) if parameters else bundled_parameters()
    with opened(data, models) as workspace:
        if portfolio == BUNDLED_PORTFOLIO_ID:
            import_bundled(workspace)
        command = RankingCommand(request_id or str(uuid.uuid4()), portfolio, plan, plan_version, ordering, values, solver)
        with progress_bar("ranking") as report:
            made = workspace.rank(command, report)
        used = workspace.rankings.plan_of(made)
    if as_json:
        typer.echo(
            json.dumps(
                {"ranking_id": made.ranking_id, "seq": made.seq, "record_digest": made.record_digest, **made.record}, indent=1
            )
        )
        return
    console = Console()
    console.print(f"{made.ranking_id}: {count_sentence(made.record)}.")
    console.print(gap_sentence(made.record))
    console.print(table(f"Queues ({made.record['currency_code']})", *queue_table(used, made.record)))


if __name__ == "__main__":
    run(main)
