"""Train the outcome model on a lender's own history, or on the bundled accounts, and judge it on a later period.

Example:
    python scripts/train_models.py --history training.toml --models-dir own-models --version cards-1
    python scripts/train_models.py --models-dir models --version credit-card-4
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from collections_opt.application.training.outcome import BUNDLED_SEED, bundled_data, train_model
from collections_opt.application.training.own import own_data
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainConsole, PlainProgress
from collections_opt.datasets.files.training_files import read_training
from collections_opt.scoring.versions.artifacts import creation_time


def main(
    history: Annotated[
        Path | None,
        typer.Option(help="TOML file of your periods; not given: the bundled accounts, May to July, judged on August."),
    ] = None,
    models_dir: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
    version: Annotated[str, typer.Option(help="Name of the new version.")] = "credit-card-4",
    seed: Annotated[int, typer.Option(help="Seed of training.")] = BUNDLED_SEED,
    created_at: Annotated[
        datetime | None, typer.Option(help="Creation time recorded, UTC; default: as before if the version exists, else now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Train the outcome model and write its artifact; the last period of a history is judged on and never fitted on.

    Example: python scripts/train_models.py --models-dir models --version credit-card-4
    """
    given = created_at.replace(tzinfo=UTC) if created_at else None
    moment = given or creation_time(models_dir, version) or datetime.now(UTC)
    with PlainProgress() as bar:
        task = bar.add_task("training", total=1.0)
        data = own_data(*read_training(history)) if history else bundled_data()
        report = train_model(models_dir, data, version, seed, moment, lambda s, f: bar.update(task, completed=f, description=s))
    if as_json:
        typer.echo(json.dumps({**report.__dict__, "folder": str(report.folder)}, indent=1))
        return
    PlainConsole().print(f"On {data.later.name}, which nothing was fitted on, {report.calibrated_worst}")
    rounds = " and ".join(f"{count} {step}" for step, count in report.rounds.items())
    table = Table(title=f"{report.folder}: {rounds} rounds, calibration {report.calibration}; figures on {data.later.name}")
    table.add_column("figure")
    table.add_column("model", justify="right")
    table.add_column("scorecard", justify="right")
    for name, value in sorted(report.metrics.items()):
        table.add_row(name, f"{value:,.4f}", f"{report.scorecard_metrics[name]:,.4f}")
    PlainConsole().print(table)
    if report.own_columns:
        PlainConsole().print(own_table(report.own_columns))


def own_table(about: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return what people must see of own columns before they approve a model."""
    table = Table(title="Own columns: reported, not judged; association is Cramer's V with the attributes of the group file")
    for name in ("column", "AUC alone", "association"):
        table.add_column(name)
    for name, one in about.items():
        goes = sorted((one["association"] or {}).items(), key=lambda item: -item[1])
        told = ", ".join(f"{attribute} {v:.2f}" for attribute, v in goes) or "not tested: no group file"
        table.add_row(name, f"{one['alone_auc']:.3f}", told)
    return table


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
