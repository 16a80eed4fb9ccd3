"""Learn the chance of a right-party contact from contact logs of imported portfolios and write a version for people to approve.

Example:
    python scripts/train_contact.py --data var/book --portfolio aug --log var/aug.csv --portfolio sep --log var/sep.csv
        --portfolio oct --log var/oct.csv --version reach-1
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.training.contact import ContactReport, ContactTraining, train_contacts
from collections_opt.cli.common.matching import read_logs, require_log_each
from collections_opt.cli.common.product import DataOption, ModelsOption, models_of, now, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal


def main(
    portfolio: Annotated[list[str], typer.Option(help="Id of an imported portfolio; at least three, one per --log, in order.")],
    log: Annotated[list[Path], typer.Option(help="CSV or Parquet log of the contacts that followed it.")],
    version: Annotated[str, typer.Option(help="Name of the new version.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    plan: Annotated[str, typer.Option(help="Capacity plan with the channels of the queues; default: the bundled one.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the draws behind the calibration figures.")] = 1,
    created_at: Annotated[datetime | None, typer.Option(help="Creation time recorded, UTC; default now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Fit on the first periods, calibrate on the one before the last, judge on the last.

    Example: python scripts/train_contact.py --data var/book --portfolio aug --log var/aug.csv --portfolio sep --log var/sep.csv
    --portfolio oct --log var/oct.csv --version reach-1
    """
    require_log_each(portfolio, log)
    folder = models_of(data, models)
    with opened(data, folder) as workspace:
        read = read_logs(workspace, portfolio, log, plan)
        moment = created_at.replace(tzinfo=UTC) if created_at else now()
        report = train_contacts(workspace, folder, ContactTraining(version, read.logs, read.plan, seed), moment)
    if as_json:
        typer.echo(json.dumps(plain(report), indent=1))
        return
    show(report)


def show(report: ContactReport) -> None:
    """Print how good each channel is on the last period."""
    learned = report.learned
    lines = []
    for channel, judged in learned.judged.items():
        queues = ", ".join(model for known in learned.model.channels if known.channel == channel for model in known.levels)
        figures = ["-"] * 6
        if judged is not None:
            losses = (f"{judged.log_loss:.4f}", f"{learned.planned[channel]:.4f}")
            figures = [f"{judged.count:,}", f"{judged.rate:.3f}", f"{judged.auc.value:.3f}", *losses, f"{judged.ece:.4f}"]
        lines.append([channel, queues, *figures])
    lines += [[channel, why, *["-"] * 6] for channel, why in learned.left_out.items()]
    header = ["channel", "queues", "judged on", "rate", "AUC", "log loss", "of the plan", "ECE"]
    console = terminal()
    fitted, calibrated, _ = learned.row_counts
    title = f"{report.folder}: {fitted:,} contacts fitted, {calibrated:,} calibrated, {learned.dropped_count:,} log rows left out"
    console.print(table(title, header, lines, text_columns=2))
    console.print("It serves once people have approved and promoted it: scripts/models.py.", style="dim")


def plain(report: ContactReport) -> dict[str, object]:
    """Return the report for machines."""
    fitted, calibrated, judged = report.learned.row_counts
    return {
        "folder": str(report.folder),
        "fitted_count": fitted,
        "calibrated_count": calibrated,
        "judged_count": judged,
        "dropped_count": report.learned.dropped_count,
        "left_out": report.learned.left_out,
        "metrics": report.metrics,
    }


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
