"""Say what a strategy that starts at a threshold is worth, from a file of accounts: regression discontinuity with its checks.

Example:
    python scripts/strategy_effect.py --file collections_opt/datasets/bundled/recovery_strategy/bank_recovery_strategy.csv \
        --running expected_recovery_amount --outcome actual_recovery_amount --threshold 1000 --width 100 --width 50 --cost 50
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.threshold_files import flags, numbers, read_table
from collections_opt.reports.evaluation.threshold_report import (
    THRESHOLD_NOTE,
    check_table,
    jump_table,
    threshold_figures,
    threshold_headline,
)
from collections_opt.scoring.thresholds.study import ThresholdAccounts, ThresholdStudy, concerns, study_threshold


def main(
    file: Annotated[Path, typer.Option(help="CSV or Parquet file, one row per account.")],
    running: Annotated[str, typer.Option(help="Column that the threshold is on.")],
    outcome: Annotated[str, typer.Option(help="Column of what came of it, such as money recovered.")],
    threshold: Annotated[float, typer.Option(help="Value from which accounts are worked more.")],
    width: Annotated[list[float], typer.Option(help="Reach of the window to both sides; may repeat, the first decides.")],
    treated: Annotated[
        str, typer.Option(help="Column of who was worked (1/0, yes/no), or COLUMN=VALUE; not given: all above, none below.")
    ] = "",
    cost: Annotated[float, typer.Option(help="Extra cost of the strategy per account, in the outcome's unit.")] = 0.0,
    placebo: Annotated[
        list[float] | None, typer.Option(help="Other threshold, where nothing starts; may repeat. Default: by the width.")
    ] = None,
    covariate: Annotated[
        list[str] | None, typer.Option(help="Column fixed before the strategy, which should not jump; may repeat.")
    ] = None,
    own_slopes: Annotated[bool, typer.Option("--own-slopes", help="Decide with a slope on each side, not a common one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare accounts just above a threshold with those just below; the evidence is OBSERVATIONAL.

    Example: python scripts/strategy_effect.py --file a.csv --running score --outcome paid --threshold 600 --width 40 --cost 12
    """
    if min(width) <= 0:
        raise refuse(Reason.INVALID_ARGUMENT, "width", f"{min(width):g} is not above 0.", "Give how far the window reaches.")
    if len(set(width)) < len(width):
        raise refuse(Reason.INVALID_ARGUMENT, "width", "is given twice.", "Give every width once.")
    who, _, value = treated.partition("=")
    names = (running, outcome, *(covariate or ()), *([who] if who else ()))
    cells = read_table(file, names)
    accounts = ThresholdAccounts(
        numbers(cells, running),
        numbers(cells, outcome),
        flags(cells, who, value) if who else None,
        {name: numbers(cells, name) for name in covariate or ()},
    )
    study = study_threshold(accounts, threshold, width, cost, placebo or (), own_slopes)
    if as_json:
        typer.echo(json.dumps(threshold_figures(study), indent=1))
        return
    show(study, running)


def show(study: ThresholdStudy, running: str) -> None:
    """Print the finding, the sensitivity, the checks and what speaks against it."""
    console = terminal()
    console.print(threshold_headline(study), style="bold", highlight=False)
    header, lines = jump_table(study)
    console.print(
        table(f"Jump at {running} = {study.main.threshold:,.10g} of {study.account_count:,} accounts", header, lines, 2)
    )
    console.print(table("Checks", *check_table(study)))
    for concern in concerns(study):
        console.print(f"CONCERN {concern}", style="red", markup=False, highlight=False)
    if not concerns(study):
        console.print("No check speaks against it.", highlight=False)
    console.print(THRESHOLD_NOTE, style="dim", markup=False, highlight=False)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
