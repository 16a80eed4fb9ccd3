"""Learn what comes back of charged-off accounts, from imported portfolios and recoveries, and write a version to approve.

Example:
    python scripts/train_recovery.py --data var/book --portfolio jan --recoveries var/jan.csv --portfolio feb
        --recoveries var/feb.csv --portfolio mar --recoveries var/mar.csv --version recovery-1
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.training.recovery import (
    MIN_WORKOUT_DAYS,
    RecoveryReport,
    RecoveryTraining,
    train_recoveries,
)
from collections_opt.cli.common.matching import tell_matches
from collections_opt.cli.common.product import DataOption, ModelsOption, models_of, now, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.recovery_files import COLUMNS, read_sourced_recoveries


def main(
    portfolio: Annotated[list[str], typer.Option(help="Id of an imported portfolio; at least three, one per file, in order.")],
    recoveries: Annotated[
        list[Path], typer.Option(help=f"CSV or Parquet file of the accounts charged off after it: {', '.join(COLUMNS)}.")
    ],
    version: Annotated[str, typer.Option(help="Name of the new version.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    min_workout_days: Annotated[
        int, typer.Option(help="Refuse recoveries counted over fewer days: what comes later would be learned as lost.", min=1)
    ] = MIN_WORKOUT_DAYS,
    seed: Annotated[int, typer.Option(help="Seed of training and of the draws behind the intervals.")] = 1,
    created_at: Annotated[datetime | None, typer.Option(help="Creation time recorded, UTC; default now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Fit on the first periods, calibrate on the one before the last, judge on the last.

    Money is in minor units: what was owed at default, and what came back by a day, net of what recovering cost but not of
    labour, discounted to the default.

    Example: python scripts/train_recovery.py --data var/book --portfolio jan --recoveries var/jan.csv --portfolio feb
    --recoveries var/feb.csv --portfolio mar --recoveries var/mar.csv --version recovery-1
    """
    if len(portfolio) != len(recoveries):
        told = f"{len(recoveries)} files, {len(portfolio)} portfolios."
        raise refuse(Reason.INVALID_ARGUMENT, "recoveries", told, "Give one file per portfolio.")
    folder = models_of(data, models)
    read = [read_sourced_recoveries(path) for path in recoveries]
    given = [(name, one) for name, (one, _) in zip(portfolio, read, strict=True)]
    sources = [source for _, source in read]
    moment = created_at.replace(tzinfo=UTC) if created_at else now()
    with opened(data, folder) as workspace:
        tell_matches(workspace, given, "recoveries")
        training = RecoveryTraining(version, given, seed, min_workout_days, sources)
        report = train_recoveries(workspace, folder, training, moment)
    if as_json:
        typer.echo(json.dumps(plain(report), indent=1))
        return
    show(report)


def show(report: RecoveryReport) -> None:
    """Print how good it is on the last period."""
    fitted, calibrated, judged = report.row_counts
    console = terminal()
    counts = f"{fitted:,} accounts fitted, {calibrated:,} calibrated, {judged:,} judged, {report.dropped_count:,} left out"
    lines = [[name, f"{value:,.4f}", _interval(report, name)] for name, value in report.metrics.items()]
    console.print(table(f"{report.folder}: {counts}", ["figure", "value", "95 % interval"], lines))
    console.print("It serves once people have approved and promoted it: scripts/models.py.", style="dim")


def _interval(report: RecoveryReport, name: str) -> str:
    held = report.intervals.get(name)
    return f"{held[0]:,.4f} to {held[1]:,.4f}" if held else "-"


def plain(report: RecoveryReport) -> dict[str, object]:
    """Return the report for machines."""
    fitted, calibrated, judged = report.row_counts
    return {
        "folder": str(report.folder),
        "fitted_count": fitted,
        "calibrated_count": calibrated,
        "judged_count": judged,
        "dropped_count": report.dropped_count,
        "metrics": report.metrics,
        "metric_intervals": {name: list(held) for name, held in report.intervals.items()},
    }


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
